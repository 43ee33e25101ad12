"""Records what time changes by itself: embargoes that end, articles that expire."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from worker.store import redis_errors

if TYPE_CHECKING:
    from datetime import datetime

    from worker.newsroom.apply_to_feeds import FeedApplier
    from worker.newsroom.event_permit import EventPermit
    from worker.newsroom.feed_offers import FeedOffers
    from worker.store import Store

log = structlog.get_logger()

_AT_ONCE = 100
"""How many articles that came due are recorded before anything else is looked at."""
_LATER = timedelta(minutes=1)
"""When an article is looked at again that came due and could not be recorded."""


class Releases:
    """Applies articles that have come due to their feeds, while this worker has the permit."""

    def __init__(self, store: Store, permit: EventPermit, applier: FeedApplier, offers: FeedOffers) -> None:
        self._store = store
        self._permit = permit
        self._applier = applier
        self._offers = offers

    def release_due(self, now: datetime) -> int:
        """Record articles whose embargo or expiry has come, a few at a time; return how many came due.

        An article that can't be recorded is left for later, so that it keeps no other under embargo.
        """
        charge = self._permit.charge
        if charge is None:
            return 0
        due = self._store.articles.due(now, _AT_ONCE)
        changed_feeds: set[str] = set()
        for article_id in due:
            try:
                stored = self._store.articles.get(article_id)
                if stored is None:
                    # Not saved yet, or damaged.
                    self._store.articles.postpone(article_id, now + _LATER)
                else:
                    changed_feeds |= self._applier.apply_stored(stored, now)
            except Exception as error:
                if redis_errors.kind(error) != "bug":
                    raise
                log.exception("release_failed", article_id=article_id, next_step="tried again in a minute")
                self._store.articles.postpone(article_id, now + _LATER)
        if due and self._permit.renew() != charge:
            # By the definitions that have the permit now they may belong in other feeds.
            for article_id in due:
                self._store.articles.schedule(article_id, now)
        self._offers.offer(changed_feeds, urgent=False)
        return len(due)
