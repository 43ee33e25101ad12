"""Who has what: the coverage of one article, and what a replay would send. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from worker import clock
from worker.destinations.endpoint import LedgerEntry

if TYPE_CHECKING:
    from datetime import datetime

    from worker.site import Site
    from worker.store import Store


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one receiver, or all subscriptions of one feed together, have of an article. Times in ms, 0: never."""

    feed: str
    receiver: str
    holds: str
    since: int
    standing: Literal["up to date", "behind", "parked", "paused"]
    why: str


def coverage(store: Store, site: Site, article_id: str) -> list[Coverage]:
    """Return who has which version of the article since when, who is behind and why; empty for an unknown article."""
    held = store.articles.get(article_id)
    if held is None:
        return []
    found = []
    for feed in sorted(held.feeds & set(site.feeds)):
        seq = store.changes.seqs(feed, [article_id])[0]
        subscribed = {"up to date": 0, "behind": 0}
        for receiver in store.receivers.all(feed):
            behind = receiver.cursor < seq
            if "callback" in receiver.details:
                subscribed["behind" if behind else "up to date"] += 1
                continue
            name = receiver.details["endpoint"]
            text = store.receivers.ledger(feed, name, [article_id]).get(article_id)
            entry = LedgerEntry.parse(text) if text else None
            holds = f"version {entry.version}, {entry.status}" if entry else "nothing"
            standing: Literal["up to date", "behind", "parked", "paused"] = "behind" if behind else "up to date"
            why = receiver.hold.reason if behind else ""
            if receiver.state == "paused":
                standing = "paused"
            elif parked := store.attempts.parked(feed, name).get(article_id):
                standing, why = "parked", f"{parked.status} {parked.answer[:80]}".strip()
            found.append(Coverage(feed, name, holds, entry.sent if entry else 0, standing, why))
        told = f"{subscribed['up to date']} up to date, {subscribed['behind']} behind"
        if sum(subscribed.values()):
            standing = "behind" if subscribed["behind"] else "up to date"
            found.append(Coverage(feed, "(subscriptions)", told, 0, standing, ""))
    return found


def replayable(
    store: Store, feed: str, endpoint: str, *, since: datetime | None, article_id: str | None, parked: bool
) -> dict[str, int]:
    """Return the articles that a replay would send, each with its place in the order (its latest change).

    All that changed `since`, the one article, or those that the endpoint had refused.
    """
    if article_id is not None:
        wanted = [article_id]
    elif parked:
        wanted = list(store.attempts.parked(feed, endpoint))
    else:
        assert since is not None
        count = store.changes.count_since(feed, clock.ms(since))
        wanted = [change.article_id for change in store.changes.latest(feed, count)] if count else []
    places = dict(zip(wanted, store.changes.seqs(feed, list(wanted)), strict=True))
    return {name: seq for name, seq in places.items() if seq}
