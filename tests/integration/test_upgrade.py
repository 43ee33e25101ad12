"""Data that the previous release left carry on under this one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from worker import clock
from worker.outbound.transfer import Answer
from worker.receivers import policy
from worker.receivers.push_session import outcome_of
from worker.store import Store, keys
from worker.store.events import IncomingEvent


@pytest.mark.parametrize("failures", [1, 3, 250_000])
@pytest.mark.parametrize("receiver", ["endpoint:one", "sub"])
def test_who_failed_before_the_upgrade_has_failed_since_then(store: Store, failures: int, receiver: str) -> None:
    """A hold was `token:cursor:failures:since:last:reason`."""
    store.receivers.enroll("f", receiver, {"endpoint": "one"})
    store.changes.record("a", 1, 1, {"f": ("in", 1)})
    (claim,) = store.receivers.claim("f", 1, clock.ms(clock.now()) + 1_000_000).claims
    now = clock.now()
    since, last = clock.ms(now - timedelta(minutes=5)), clock.ms(now - timedelta(minutes=1))
    k = keys.feed("f")
    store.client.zrem(k.claimed, receiver)
    store.client.zadd(k.backoff, {receiver: clock.ms(now)})
    store.client.hset(k.receiver_states, receiver, f"0:{claim.cursor}:{failures}:{since}:{last}:answered 503")
    ((_, _, hold),) = store.receivers.backing_off("f")
    assert (since, last, 0) == hold.failing
    store.receivers.sweep(["f"], clock.ms(now), 100)
    (claim,) = store.receivers.claim("f", 1, clock.ms(now) + 1_000_000).claims
    assert (since, last, 0) == claim.failing
    answer = Answer(503, {}, b"", None, "", 0.1, started=True)
    outcome = outcome_of(claim, answer, now, 0.0, endpoint=True)
    assert isinstance(outcome, policy.Refused)
    assert isinstance(outcome.otherwise, policy.Retry), "it is not suspended"
    assert outcome.otherwise.due < now + timedelta(minutes=10)


def test_a_kill_under_an_id_that_an_earlier_release_remembers_is_not_dropped(store: Store) -> None:
    # What that one kept says neither what the event was nor what has become of its article since.
    for name in ("kill k-1", "e-1"):
        store.client.set(keys.seen(name), "1", ex=60)
    kill = IncomingEvent("k-1", '{"id": "k-1"}', "kill", "a")
    assert store.events.accept([kill, IncomingEvent("e-1", '{"id": "e-1"}')]) == ["reused", "duplicate"]
    assert store.events.accept([kill]) == ["duplicate"]
