"""Workers that serve one feed share its receivers: who claims first leaves some, and wakes another for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from distributing import Worker
from receiver import Receiver
from waiting import PATIENCE_SECONDS, until

from worker.receivers import distributor
from worker.store import Store, keys

LATER = 9_000_000_000_000


def behind(store: Store, count: int) -> None:
    """Have so many endpoints behind in one feed."""
    for number in range(count):
        store.receivers.enroll("f", f"endpoint:e{number:03}", {"endpoint": f"e{number:03}"})
    store.client.hset(keys.feed("f").meta, "head", 1)


@contextmanager
def workers(redis_url: str, receiver: Receiver, number: int, endpoints: int) -> Iterator[list[Worker]]:
    """So many workers, of which none was told that all endpoints are behind."""
    with ExitStack() as stack:
        made = []
        for place in range(number):
            worker = Worker(redis_url, receiver, name=f"worker-{place}")
            stack.callback(worker.stop)
            for endpoint in range(endpoints):
                worker.endpoint(name=f"e{endpoint}")
            made.append(worker)
        made[0].change("a")
        until(lambda: all(worker.clearance.holds() for worker in made))
        yield made


def answered(worker: Worker) -> set[str]:
    """The endpoints whose answers the worker has had."""
    return {endpoint for (_, endpoint, _), _ in worker.on_answers.call_args_list}


def test_a_claim_takes_half_of_many_and_all_of_few(store: Store) -> None:
    behind(store, 200)
    claims = [store.receivers.claim("f", 500, LATER, 60) for _ in range(4)]
    assert [(len(lot.claims), lot.may_be_more) for lot in claims] == [(100, True), (50, True), (50, False), (0, False)]
    receivers = [claim.receiver for lot in claims for claim in lot.claims]
    assert len(set(receivers)) == len(receivers) == 200


@pytest.mark.parametrize(
    ("limit", "shared_above", "claimed"), [(500, 50, 49), (20, 50, 20), (500, 10**9, 49), (20, 5, 20), (500, 5, 25)]
)
def test_of_few_no_claim_leaves_any(store: Store, limit: int, shared_above: int, claimed: int) -> None:
    behind(store, 49)
    lot = store.receivers.claim("f", limit, LATER, shared_above)
    assert (len(lot.claims), lot.may_be_more) == (claimed, claimed < 49)


def test_receivers_that_nobody_may_claim_are_not_left_to_others(store: Store) -> None:
    behind(store, 80)
    for number in range(60):
        store.receivers.keep_from_claims("f", f"endpoint:e{number:03}")
    lots = [store.receivers.claim("f", 500, LATER, 10) for _ in range(3)]
    # Half of eighty that are behind is more than there are.
    assert [(len(lot.claims), lot.may_be_more) for lot in lots] == [(20, False), (0, False), (0, False)]


def test_of_a_feed_that_is_being_rebuilt_nothing_is_left_to_others(store: Store) -> None:
    behind(store, 80)
    store.client.hset(keys.feed("f").meta, "rebuilding", 1)
    lot = store.receivers.claim("f", 500, LATER, 10)
    assert (lot.claims, lot.may_be_more) == ([], False)


def test_two_workers_share_the_endpoints_of_a_feed(store: Store, redis_url: str, receiver: Receiver) -> None:
    assert not store.client.dbsize()
    with workers(redis_url, receiver, 2, 120) as (first, second):

        def wake(feed: str) -> None:
            second.distributor.serve(feed)
            # It has claimed before the first one sends anything.
            until(lambda: first.store.receivers.counts(feed)["settled"] < 60 or bool(answered(second)))

        first.wakeups.distribute.side_effect = wake
        first.go()
        until(lambda: len(answered(first) | answered(second)) == 120)
        until(first.settled)
        assert len(answered(second)) >= 50
        assert not answered(first) & answered(second)
        assert all(first.pushes(f"e{number}") == ["published a"] for number in range(120))


@pytest.mark.parametrize(("endpoints", "woken"), [(100, False), (120, True)])
def test_another_is_woken_only_for_what_is_left(
    store: Store, redis_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, endpoints: int, woken: bool
) -> None:
    assert not store.client.dbsize()
    monkeypatch.setattr(distributor, "_WAKE_SECONDS", PATIENCE_SECONDS)
    with workers(redis_url, receiver, 1, endpoints) as (worker,):
        worker.go()
        until(lambda: len(answered(worker)) == endpoints)
        until(worker.settled)
        # Of what it claims by and by it wakes another once.
        assert worker.wakeups.distribute.call_count == (1 if woken else 0)
