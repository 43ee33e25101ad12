"""How endpoints stand: what people and metrics look at, for any number of them in one round trip."""

from __future__ import annotations

import pytest

from worker.store import Store
from worker.store.attempts import Attempt, Tried

NOW = 1_800_000_000_000


def attempt(article: str, outcome: str, time: int = NOW, status: int = 422) -> Tried:
    error = "" if outcome == "delivered" else f"HTTP {status}"
    return Tried(Attempt(time, article, 1, "published", outcome, status, 10, 100, "", "", error, ""), {})


def test_one_that_refuses_all_is_seen_to(store: Store) -> None:
    store.receivers.enroll("news", "endpoint:no", {"endpoint": "no"})
    store.attempts.record({("news", "no"): [attempt(f"tram-{n}", "refused") for n in range(5)]})
    (outlook,) = store.endpoints.outlooks([("news", "no")])
    assert (outlook.state, outlook.parked, outlook.health.successes) == ("settled", 5, 0)
    assert (outlook.health.status, outlook.health.failed, outlook.health.success) == (422, NOW, 0)


def test_a_paused_one_says_since_when_and_why(store: Store) -> None:
    store.receivers.enroll("news", "endpoint:off", {"endpoint": "off"})
    assert store.receivers.pause("news", "endpoint:off", NOW, "HTTP 410: gone")
    (outlook,) = store.endpoints.outlooks([("news", "off")])
    assert (outlook.state, outlook.score, outlook.reason) == ("paused", NOW, "HTTP 410: gone")
    assert store.receivers.retry("news", "endpoint:off", NOW) == "paused"
    assert store.endpoints.outlooks([("news", "off")])[0].state == "settled"


def test_one_that_nobody_knows_is_not_enrolled(store: Store) -> None:
    assert store.endpoints.outlooks([("news", "nobody")])[0].state is None
    assert store.endpoints.outlooks([]) == []
    assert store.receivers.retry("news", "endpoint:nobody", NOW) is None


@pytest.mark.parametrize("count", [3, 60])
def test_all_are_read_in_one_round_trip(store: Store, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [(f"feed-{n}", f"partner-{n}") for n in range(count)]
    for feed, name in names:
        store.receivers.enroll(feed, f"endpoint:{name}", {"endpoint": name})
    store.endpoints.outlooks(names)
    asked: list[int] = []
    pipeline = store.client.pipeline

    def counted(*args: object, **kwargs: object) -> object:
        asked.append(1)
        return pipeline(*args, **kwargs)

    monkeypatch.setattr(store.client, "pipeline", counted)
    monkeypatch.setattr(store.client, "execute_command", None)
    assert [outlook.state for outlook in store.endpoints.outlooks(names)] == ["settled"] * count
    assert len(asked) == 1
