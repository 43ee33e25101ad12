"""As what a push reports an article: published, corrected, killed or withdrawn. A function of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker import clock

if TYPE_CHECKING:
    from feeds.article import Article
    from worker.receivers.ledger import LedgerEntry
    from worker.store.changes import Change

NOTICES = frozenset({"killed", "withdrawn"})
"""The statuses of pushes that contain nothing of the text."""


def status_to_push(article: Article, change: Change, entry: LedgerEntry | None, *, early: bool) -> str:
    """Return the status under which the article, as it is now, is pushed.

    `change`: its latest change in the feed. `entry`: what the endpoint's ledger has of it. `early`: whether the
    endpoint may have what is embargoed.
    """
    if article.pubstatus == "canceled":
        return "killed"
    # Of most articles it makes no difference when one looks.
    timeless = article.embargoed is None and article.expires is None
    now = article.updated if timeless else max(clock.agreed(), clock.moment(change.asof))
    # Whoever may have it early may also have it when the embargo has just ended.
    has_early = early and change.state in ("in", "early") and (article.waits(now) or article.visible(now))
    if not has_early and (change.state != "in" or not article.visible(now)):
        return "withdrawn"
    if entry is None:
        return "published"
    if entry.version == article.version and entry.status not in NOTICES:
        # The same version again keeps the status with which it was tried, refused or delivered.
        return entry.status
    never_had = entry.status in NOTICES or (entry.outcome != "taken" and entry.status == "published")
    return "published" if never_had else "corrected"
