"""Brings the next tries of receivers in backoff forward, because there is something new for them.

They come after all other receivers, and at the latest a second later. A kill waits for nobody.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.receivers import policy
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from worker.store import Store
    from worker.store.changes import Head
    from worker.store.receiver_states import ReceiverState
    from worker.store.receivers import Claims

log = structlog.get_logger()

_INTERVAL_SECONDS = 1.0
"""How often the backoff of a feed is reviewed because of new changes; for a kill it is reviewed at once."""


@dataclass(slots=True)
class _Review:
    """The last review of a feed: at which head and when; and since when the next one is due, 0: it is not."""

    head: int = 0
    done_at: float = 0.0
    due_since: float = 0.0

    def is_ready(self, now: float, *, busy: bool) -> bool:
        """Return whether to begin the next one: not more often than once a second, and not while others are served.

        Others are waited for no longer than a second, and when a kill is due not at all.
        """
        if not self.due_since or now - self.done_at < _INTERVAL_SECONDS:
            return False
        return not busy or now - self.due_since >= _INTERVAL_SECONDS


class BackoffReview:
    """Which feeds have changes that their receivers in backoff do not know, and what follows from that."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reviews: dict[str, _Review] = defaultdict(_Review)

    def forget(self, feed: str) -> None:
        """Forget at which head the feed was reviewed: its history is another one."""
        self._reviews.pop(feed, None)

    def is_due(self) -> bool:
        """Return whether the review of any feed is due."""
        return any(review.due_since for review in self._reviews.values())

    def note_claims(self, feed: str, claims: Claims, *, all_claimed: bool) -> None:
        """Note at a claim that there may be something new for those in backoff.

        `all_claimed`: no other receiver is behind.
        """
        if claims.backoff <= 0:
            return
        review = self._reviews[feed]
        if claims.kill > review.head:
            review.done_at, review.due_since = 0.0, -math.inf
        elif all_claimed and claims.head > review.head and not review.due_since:
            review.due_since = time.monotonic()

    def ready_feeds(self, *, busy: bool) -> Iterator[str]:
        """Yield the feeds to review now. `busy`: many requests to others are under way."""
        for feed, review in list(self._reviews.items()):
            if review.is_ready(time.monotonic(), busy=busy):
                yield feed

    def review(self, feed: str, limit: int) -> bool:
        """Bring next tries forward, and those that are due back; return whether any receiver is behind now.

        `limit`: how many that are due come back at once. Raises redis.RedisError in an outage; the next call reviews
        the feed then. After another error it is not reviewed again at once: that would keep the other feeds waiting.
        """
        review = self._reviews[feed]
        due_since, review.due_since = review.due_since, 0.0
        try:
            return self._bring_forward(feed, review, limit)
        except Exception as error:
            if redis_errors.is_outage(error):
                review.due_since = due_since
                raise
            log.exception("bringing_forward_failed", feed=feed, next_step="they come due in their own time")
            return False

    def _bring_forward(self, feed: str, review: _Review, limit: int) -> bool:
        now = clock.agreed()
        head = self._store.changes.head(feed)
        dues = {}
        for receiver, due, state in self._store.receivers.backing_off(feed):
            sooner = self._next_try(head, due, state, now)
            if sooner < due:
                dues[receiver] = sooner
        self._store.receivers.bring_forward(feed, dues)
        review.head, review.done_at = head.seq, time.monotonic()
        swept = self._store.receivers.sweep([feed], clock.ms(now), limit).get(feed)
        return swept is not None and swept.behind > 0

    @staticmethod
    def _next_try(head: Head, due: int, state: ReceiverState, now: datetime) -> int:
        """Return when a receiver is tried next (ms), which was to be tried when it was `due`."""
        if state.cursor >= head.seq:
            return due
        if state.cursor < head.kill and state.failing.last <= head.killed:
            # There is a kill that it does not know, and it has not been tried since.
            return clock.ms(now)
        if not state.failing.since:
            # It waits for a time of its own, not because it failed.
            return due
        since, last, until = map(clock.moment, state.failing)
        return clock.ms(policy.brought_forward(clock.moment(due), since, last, until, now))
