"""Keeps `FeedHeads` up to date: a thread that listens to Redis for as long as the process lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

import structlog
from redis.exceptions import RedisError

from web.feed_heads import FeedHeads
from worker.store.change_subscription import ChangeSubscription
from worker.store.changes import ChangeLogs
from worker.store.redis_errors import Outage

log = structlog.get_logger()

_CHECK_SECONDS = 1.0
_FEEDS_PER_CHECK = 1000
"""How many feeds are read in one check; the next checks go on with the others."""


class ChangeListener:
    """Hears of each change at once, and reads the heads once a second in case that a message did not arrive.

    It calls, in its thread: `forget` when what was read from Redis before may no longer hold, because it may be another
    Redis now; `each_second` once a second while Redis answers; `at_end` when it has stopped.
    """

    def __init__(
        self,
        changes: ChangeLogs,
        heads: FeedHeads,
        forget: Callable[[], None],
        each_second: Callable[[], None],
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._each_second = each_second
        self._at_end = at_end
        self._changes = changes
        self._heads = heads
        self._forget = forget
        self._stopped = Event()
        self._outage = Outage(log, what="watch")
        self._thread = Thread(target=self._run, name="watch", daemon=True)
        self._last_read = time.monotonic()
        self._next_feed = 0

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._stopped.set()
        self._thread.join(2 * _CHECK_SECONDS)

    @property
    def silent_seconds(self) -> float:
        """How many seconds ago Redis last answered."""
        return time.monotonic() - self._last_read

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen(self._changes.listen())
            except RedisError as error:
                self._heads.redis_lost()
                self._outage.met(error, "stale documents are served; trying again")
                self._stopped.wait(_CHECK_SECONDS)
            except Exception:
                # A bug of ours must not end the listening: documents would be stale, and nobody would know.
                log.exception("watch_failed", next_step="listening again")
                self._stopped.wait(_CHECK_SECONDS)
        self._at_end()

    def _listen(self, subscription: ChangeSubscription) -> None:
        try:
            # That Redis answers a subscription proves nothing: it does so even while it loads its data. That it answers
            # with heads does.
            self._begin_generation(self._read(self._heads.feeds()))
            self._outage.over()
            next_check = 0.0
            while not self._stopped.is_set():
                change = subscription.next(max(0.0, next_check - time.monotonic()))
                if change is not None:
                    self._heads.changed(*change)
                if time.monotonic() >= next_check:
                    self._check()
                    subscription.ping()
                    next_check = time.monotonic() + _CHECK_SECONDS
        finally:
            subscription.close()

    def _begin_generation(self, heads: Mapping[str, tuple[int, int]]) -> None:
        for feed in self._heads.receded(heads):
            log.error("redis_lost_time", feed=feed, next_step="if something was killed in the meantime, kill it again")
        self._forget()
        self._heads.redis_back(heads)

    def _check(self) -> None:
        self._each_second()
        feeds = self._heads.feeds()
        self._next_feed = self._next_feed if self._next_feed < len(feeds) else 0
        heads = self._read(feeds[self._next_feed : self._next_feed + _FEEDS_PER_CHECK])
        self._next_feed += _FEEDS_PER_CHECK
        if self._heads.receded(heads):
            self._begin_generation(self._read(feeds))
        for feed, (head, last_kill) in heads.items():
            self._heads.changed(feed, head, last_kill)

    def _read(self, feeds: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return the head and last kill of each feed. Asks Redis even for none, to see that it answers."""
        heads: dict[str, tuple[int, int]] = {}
        for start in range(0, max(1, len(feeds)), _FEEDS_PER_CHECK):
            heads |= self._changes.heads_and_kills(feeds[start : start + _FEEDS_PER_CHECK] or [""])
        self._last_read = time.monotonic()
        return heads
