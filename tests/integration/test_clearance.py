"""Withdrawals are known to all that send before they are recorded; who can't know of them begins nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from waiting import until

from worker.receivers.clearance import Clearance
from worker.store import Store, keys
from worker.store.withdrawals import LEASE_MS

LEASE = LEASE_MS / 1000


@pytest.fixture
def start(redis_url: str, store: Store) -> Iterator[Callable[[str], Clearance]]:
    """Start the clearances of processes, each with connections of its own."""
    started: list[tuple[Clearance, Store]] = []

    def begin(name: str) -> Clearance:
        own = Store.connect(redis_url)
        clearance = Clearance(own.withdrawals, name)
        clearance.start()
        started.append((clearance, own))
        until(clearance.holds)
        return clearance

    assert store.client.ping()
    yield begin
    for clearance, own in started:
        clearance.stop()
        own.close()


def test_all_have_heard_when_it_is_announced(store: Store, start: Callable[[str], Clearance]) -> None:
    clearances = [start(name) for name in "abc"]
    after = [clearance.last("world") for clearance in clearances]
    feeds_withdrawn: list[str] = []
    clearances[0].subscribe(feeds_withdrawn.append)
    store.withdrawals.announce([("world", "killed")])

    for clearance, before in zip(clearances, after, strict=True):
        assert not clearance.may_begin("world", ["other", "killed"], before)
        assert clearance.may_begin("world", ["other"], before)
        assert clearance.may_begin("sport", ["killed"], clearance.last("sport"))
        # What is made from now on reads what has become of it.
        assert clearance.may_begin("world", ["killed"], clearance.last("world"))
    until(lambda: feeds_withdrawn == ["world"])


def test_a_process_that_does_not_answer_holds_up_one_withdrawal_for_its_lease(
    store: Store, start: Callable[[str], Clearance]
) -> None:
    clearance = start("a")
    store.withdrawals.lease("frozen", 1)
    begun = time.monotonic()
    store.withdrawals.announce([("world", "first")])
    waited = time.monotonic() - begun
    store.withdrawals.announce([("world", "second")])

    assert LEASE / 2 < waited
    assert time.monotonic() - begun - waited < waited
    until(clearance.holds)


def test_nothing_begins_without_redis(store: Store, start: Callable[[str], Clearance]) -> None:
    clearance = start("a")
    before = clearance.last("world")
    # Redis stalls: it answers nobody.
    store.client.execute_command("CLIENT", "PAUSE", 5 * LEASE_MS)
    time.sleep(1.2 * LEASE)
    assert not clearance.may_begin("world", ["a"], before)
    until(clearance.holds)
    # It was never gone: nothing was missed.
    assert clearance.may_begin("world", ["a"], before)


def test_what_was_made_before_the_connection_was_lost_is_out_of_date(
    store: Store, start: Callable[[str], Clearance]
) -> None:
    clearance = start("a")
    before = clearance.last("world")
    store.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    until(lambda: clearance.last("world") > before and clearance.holds())
    assert not clearance.may_begin("world", ["a"], before)
    assert clearance.may_begin("world", ["a"], clearance.last("world"))


def test_who_stops_is_waited_for_no_more(store: Store, start: Callable[[str], Clearance]) -> None:
    clearance = start("a")
    clearance.stop()
    assert not clearance.holds()
    assert store.client.zcard(keys.SENDERS) == 0


def test_a_change_that_takes_an_article_away_is_made_known_with_its_record(
    store: Store, start: Callable[[str], Clearance]
) -> None:
    clearance = start("a")
    states = iter([("in", 0), ("in", 0), ("out", 1), ("in", 1), ("early", 2), ("early", 2), ("killed", 3), ("in", 3)])
    expected = 0
    for version, (state, withdrawals) in enumerate(states, 1):
        leaving = store.changes.leaving("x", {"world": state})  # type: ignore[dict-item]
        before = clearance.last("world")
        store.changes.record("x", version, version, {"world": (state, version)})  # type: ignore[dict-item]
        assert bool(leaving) == (withdrawals > expected)
        if leaving:
            until(lambda before=before: clearance.last("world") > before)
        expected = max(expected, withdrawals)
