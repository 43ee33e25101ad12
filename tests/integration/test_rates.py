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


def test_a_clock_that_is_set_back_and_a_worker_that_was_held_up_break_nothing(store: Store) -> None:
    seconds, _ = store.client.time()
    now = int(seconds) * 1000 // TEN_MINUTES_MS * TEN_MINUTES_MS

    def put(minute: int, delivered: float) -> None:
        attempts = ("dateline_attempts", (("outcome", "delivered"),))
        store.rates.put(now + minute * MINUTE_MS, {attempts: delivered})

    def kept(*, by_minutes: bool) -> list[tuple[int, float]]:
        samples = store.rates.since(0, by_minutes=by_minutes)
        return [((sample.time - now) // MINUTE_MS, sample.delivered) for sample in samples]

    put(-20, 1.0)
    put(-19, 2.0)
    # A worker that stood still comes late with its minute.
    put(-20, 9.0)
    assert kept(by_minutes=True) == [(-20, 1.0), (-19, 2.0)]
    # The clock was an hour ahead, and goes right again.
    put(60, 3.0)
    put(70, 4.0)
    put(-10, 5.0)
    put(0, 6.0)
    assert kept(by_minutes=True) == [(-20, 1.0), (-19, 2.0), (-10, 5.0), (0, 6.0)]
    assert kept(by_minutes=False) == [(-20, 1.0), (-10, 5.0), (0, 6.0)]
