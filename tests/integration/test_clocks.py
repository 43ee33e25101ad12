"""Clocks that are wrong, or are set back, neither hold anything up nor break an embargo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from worker import clock
from worker.store import Store, redis_clock

HOUR_MS = 3_600_000


@pytest.fixture
def wrong_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Our machine's clock is an hour ahead."""
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))
    yield monkeypatch
    clock.follow(lambda: None)


def test_the_time_is_that_of_redis_however_wrong_our_clock_is(store: Store, wrong_clock: pytest.MonkeyPatch) -> None:
    clock.follow(store.clock.now)
    assert clock.agreed() - clock.now() < timedelta(seconds=1)  # unknown as yet
    store.clock.measure()
    for _ in range(3):
        seconds, _ = store.client.time()
        assert abs(clock.agreed().timestamp() - seconds) < 2
        store.clock.measure()
    assert clock.now() - clock.agreed() > timedelta(minutes=59)


def test_a_clock_that_redis_sets_is_followed_and_small_differences_are_not() -> None:
    class Moving:
        at = 1_000_000.0

        def time(self) -> tuple[int, int]:
            return int(self.at), int(self.at % 1 * 1e6)

    client = Moving()
    store = Store(client)
    assert store.clock.now() is None
    store.clock.measure()
    begun = time.monotonic()
    first = store.clock.now()
    assert first is not None
    client.at += 0.05
    store.clock.measure()
    then = store.clock.now()
    assert then is not None
    assert then - first < timedelta(seconds=0.04 + time.monotonic() - begun)
    client.at -= 3600
    store.clock.measure()
    after = store.clock.now()
    assert after is not None
    assert timedelta(minutes=-61) < after - first < timedelta(minutes=-59)


def test_our_time_is_never_ahead_of_that_of_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embargo is not to end early, by however little."""

    class Slowing:
        """A clock that is made slower, as a time server does it with one that is ahead; its answers take a while."""

        steady = 5_000.0

        def at(self) -> float:
            return 1_000_000 + (self.steady - 5_000) * 0.9

        def time(self) -> tuple[int, int]:
            now = self.at()
            self.steady += 0.01
            return int(now), int(now % 1 * 1e6)

    client = Slowing()
    monkeypatch.setattr(redis_clock, "_steady", lambda: client.steady)
    store = Store(client)
    for _ in range(10):
        client.steady += 0.05
        store.clock.measure()
        now = store.clock.now()
        assert now is not None
        assert now.timestamp() <= client.at()


def test_claims_and_backoffs_that_a_clock_set_back_has_left_are_over(store: Store) -> None:
    store.receivers.enroll("world", "endpoint:a", {"endpoint": "a"})
    store.receivers.enroll("world", "endpoint:b", {"endpoint": "b"})
    store.changes.record("x", 1, 1, {"world": ("in", 1)})
    now = clock.ms(clock.now())
    # Claimed by a worker that died, on a clock that was an hour ahead.
    assert 2 == len(store.receivers.claim("world", 10, now + HOUR_MS + 30_000).claims)
    swept = store.receivers.sweep(["world"], now, 100, longest_claim=120_000)["world"]
    assert (2, 2) == (swept.expired, swept.behind)
    assert 1 == len(store.receivers.claim("world", 1, now + 30_000).claims)
    swept = store.receivers.sweep(["world"], now, 100, longest_claim=120_000)["world"]
    assert (0, 1) == (swept.expired, swept.behind)
    # In backoff until tomorrow: nobody waits so long.
    key = "dateline:{feed:world}:backoff"
    held = store.client.zrange("dateline:{feed:world}:claimed", 0, -1)[0]
    store.client.zrem("dateline:{feed:world}:claimed", held)
    store.client.zadd(key, {held: now + 24 * HOUR_MS})
    assert 1 == store.receivers.sweep(["world"], now, 100)["world"].due
    assert 0 == store.client.zcard(key)


def test_a_decision_of_a_clock_that_was_ahead_does_not_keep_later_ones_out(store: Store) -> None:
    now = int(time.time() * 1000)
    assert store.changes.record("x", 1, now + HOUR_MS, {"world": ("in", 1)})["world"] == 1
    # The article expires, decided by a clock that is right.
    assert store.changes.record("x", 1, now, {"world": ("out", 1)})["world"] == 2
    # What was decided earlier by a clock that is right stays without effect, as ever.
    assert store.changes.record("x", 1, now - 1000, {"world": ("in", 1)})["world"] == 0
