"""Subscriptions, by WebSub or rssCloud, as people and programs look at them: whose, until when, how each stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from feeds.moments import iso
from worker.store.subscription_requests import WEBSUB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.record.subscriptions import Subscription
    from worker.store import Store
    from worker.store.receivers import ReceiverOverview


def rows_of(store: Store, subscriptions: Sequence[Subscription]) -> list[dict[str, Any]]:
    """Return recorded subscriptions as they are shown; one that Redis does not have has no state."""
    names: dict[str, list[str]] = {}
    for subscription in subscriptions:
        names.setdefault(subscription.feed, []).append(subscription.receiver)
    heads = store.changes.heads(list(names))
    there = {
        (feed, overview.id): overview
        for feed, receivers in names.items()
        for overview in store.receivers.get_many(feed, receivers)
    }
    rows = []
    for subscription in subscriptions:
        feed, receiver = subscription.feed, subscription.receiver
        details = json.loads(subscription.details) | {"expires": subscription.lease_ends}
        row = _row(feed, receiver, details, subscription.began)
        if overview := there.get((feed, receiver)):
            row |= _standing(overview, heads[feed].seq)
        rows.append(row)
    return rows


def subscription_row(feed: str, overview: ReceiverOverview, head: int, began: int | None) -> dict[str, Any]:
    """Return a subscription as Redis has it; `head`: the number of its feed's last change; `began` in ms."""
    return _row(feed, overview.id, overview.details, began) | _standing(overview, head)


def _row(feed: str, receiver: str, details: dict[str, Any], began: int | None) -> dict[str, Any]:
    return {
        "id": receiver,
        "feed": feed,
        "callback": str(details.get("callback", "")),
        "format": str(details.get("format", "")),
        "protocol": str(details.get("protocol", WEBSUB)),
        "signed": bool(details.get("secret")),
        "began": iso(began),
        "lease_ends": iso(details.get("expires")),
        **dict.fromkeys(("state", "behind", "reason", "failing_since", "next_try")),
    }


def _standing(overview: ReceiverOverview, head: int) -> dict[str, Any]:
    remembered = overview.remembered
    return {
        "state": overview.state,
        "behind": max(0, head - overview.cursor),
        "reason": remembered.reason or None,
        "failing_since": iso(remembered.failing.since),
        "next_try": iso(overview.score) if overview.state == "backoff" else None,
    }
