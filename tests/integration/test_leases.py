"""Leases end when they are over, and later when Dateline was away: then nobody could renew them."""

from __future__ import annotations

import pytest

from worker.store import Store
from worker.store.outages import LeaseExtension
from worker.store.subscription_requests import SubscriptionRequest

SECOND = 1000
HOUR = 3600 * SECOND


def subscribe(store: Store, name: str, ends: int) -> None:
    intent = SubscriptionRequest(
        "subscribe", "t", f"https://r.example/{name}", "atom", "", 60, 1, "n", "r.example", "192.0.2.1"
    )
    store.subscription_requests.request("f", name, intent)
    assert store.subscription_requests.confirm("f", name, intent, ends, 1000, 1000) == "new"


def ended(store: Store, now: int) -> list[str]:
    """Sweep as a worker does; return whose lease has ended."""
    swept = store.receivers.sweep(["f"], now, 1000, now - store.outages.grace(now).longer)["f"]
    return sorted(details["callback"].rpartition("/")[2] for details in swept.ended)


def test_a_lease_ends_in_time_while_we_are_there(store: Store) -> None:
    subscribe(store, "a", 100 * SECOND)
    for now in range(90 * SECOND, 100 * SECOND, SECOND):
        assert ended(store, now) == []
    assert ended(store, 100 * SECOND) == ["a"]
    assert store.receivers.count_subscriptions("f") == 0


@pytest.mark.parametrize("away", [11 * SECOND, HOUR])
def test_an_outage_is_added_to_the_leases_that_it_touched(store: Store, away: int) -> None:
    last = 100 * SECOND
    store.outages.grace(last)
    back = last + away
    subscribe(store, "during", last + SECOND)
    subscribe(store, "after", back + SECOND)
    subscribe(store, "much-later", back + 3 * away)
    told = {}
    for now in range(back, back + 4 * away, SECOND):
        told |= dict.fromkeys(ended(store, now), now)
    assert {"during": back + SECOND, "after": back + SECOND + away, "much-later": back + 3 * away} == told


def test_outages_add_up_and_are_told_once_each(store: Store) -> None:
    assert store.outages.grace(0) == LeaseExtension(0, 0)
    assert store.outages.grace(HOUR) == LeaseExtension(HOUR, HOUR)
    assert store.outages.grace(HOUR + SECOND) == LeaseExtension(HOUR, 0)
    assert store.outages.grace(2 * HOUR + SECOND) == LeaseExtension(2 * HOUR, HOUR)
    assert store.outages.grace(2 * HOUR + 2 * SECOND) == LeaseExtension(2 * HOUR, 0)


def test_thousands_of_leases_end_a_few_at_a_time(store: Store) -> None:
    for number in range(250):
        subscribe(store, f"s{number}", SECOND)
    assert [100, 100, 50, 0] == [len(ended(store, 2 * SECOND)) for _ in range(4)]


def test_a_clock_that_was_set_back_is_no_outage(store: Store) -> None:
    store.outages.grace(2 * HOUR)
    assert store.outages.grace(HOUR) == LeaseExtension(0, 0)
    assert store.outages.grace(HOUR + SECOND) == LeaseExtension(0, 0)
