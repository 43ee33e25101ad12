"""What charts are made of: how the counters stood at each minute."""

from __future__ import annotations

from worker.store import Store
from worker.store.rates import MINUTE_MS, TEN_MINUTES_MS

START = 1_800_000_000_000 // TEN_MINUTES_MS * TEN_MINUTES_MS


def test_each_minute_has_one_sample_and_each_ten_one_for_the_week(store: Store) -> None:
    for minute in range(12):
        now = START + minute * MINUTE_MS + 17
        assert store.rates.is_due(now)
        assert not store.rates.is_due(now + 1)
        totals = {
            ("dateline_attempts", (("kind", "endpoint"), ("outcome", "delivered"))): 100.0 * minute,
            ("dateline_attempts", (("kind", "endpoint"), ("outcome", "retry"))): float(minute),
            ("dateline_attempts", (("kind", "endpoint"), ("outcome", "given_back"))): 1_000.0,
        }
        store.rates.put(now, totals)
    samples = store.rates.since(START + MINUTE_MS, by_minutes=True)
    assert [(START + n * MINUTE_MS, 100.0 * n, float(n)) for n in range(1, 12)] == [sample[:3] for sample in samples]
    assert [START, START + TEN_MINUTES_MS] == [sample.time for sample in store.rates.since(START, by_minutes=False)]
