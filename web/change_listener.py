"""Tells the shelf which feeds have changed: a thread that listens to Redis for as long as the process lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

import structlog
from redis.exceptions import RedisError

from web.document_cache import Shelf
from worker.store.changes import ChangeLogs, ChangeSubscription
from worker.store.redis_errors import Outage

log = structlog.get_logger()

_LOOK_SECONDS = 1.0
_LOOKED_AT = 1000
"""How many feeds are looked at in one look; the others have their turn in the next ones."""


class Watch:
    """Listens, and looks at the heads once a second in case that something was not heard.

    `forget` is called when what was read of Redis before may hold no more: it may be another one that knows less.
    `each_second` is called once a second, `at_end` when nobody listens any more, in the thread that listens.
    """

    def __init__(
        self,
        changes: ChangeLogs,
        shelf: Shelf,
        forget: Callable[[], None],
        each_second: Callable[[], None],
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._each_second = each_second
        self._at_end = at_end
        self._changes = changes
        self._shelf = shelf
        self._forget = forget
        self._stopped = Event()
        self._outage = Outage(log, what="watch")
        self._thread = Thread(target=self._run, name="watch", daemon=True)
        self._heard = time.monotonic()
        self._next = 0

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopped.set()
        self._thread.join(2 * _LOOK_SECONDS)

    @property
    def silent(self) -> float:
        """How many seconds ago Redis was last heard."""
        return time.monotonic() - self._heard

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen(self._changes.listen())
            except RedisError as error:
                self._shelf.away()
                self._outage.met(error, "what is held is served; trying again")
                self._stopped.wait(_LOOK_SECONDS)
            except Exception:
                # A bug of ours must not end the listening: documents would be old, and nobody would know.
                log.exception("watch_failed", next_step="listening again")
                self._stopped.wait(_LOOK_SECONDS)
        self._at_end()

    def _listen(self, listener: ChangeSubscription) -> None:
        try:
            # An answer to a subscription says nothing: Redis gives it even while it loads what it knows.
            self._begin_anew(self._read(self._shelf.feeds()))
            self._outage.over()
            due = 0.0
            while not self._stopped.is_set():
                heard = listener.next(max(0.0, due - time.monotonic()))
                if heard is not None:
                    self._shelf.changed(*heard)
                if time.monotonic() >= due:
                    self._look()
                    listener.ping()
                    due = time.monotonic() + _LOOK_SECONDS
        finally:
            listener.close()

    def _begin_anew(self, heads: Mapping[str, tuple[int, int]]) -> None:
        """Redis is heard, and what was known of it may hold no more."""
        for feed in self._shelf.lost(heads):
            log.error("redis_lost_time", feed=feed, next_step="if something was killed in the meantime, kill it again")
        self._forget()
        self._shelf.back(heads)

    def _look(self) -> None:
        self._each_second()
        feeds = self._shelf.feeds()
        self._next = self._next if self._next < len(feeds) else 0
        turn = feeds[self._next : self._next + _LOOKED_AT]
        self._next += _LOOKED_AT
        heads = self._read(turn)
        if self._shelf.lost(heads):
            self._begin_anew(self._read(feeds))
        for feed, (head, kill) in heads.items():
            self._shelf.changed(feed, head, kill)

    def _read(self, feeds: Sequence[str]) -> dict[str, tuple[int, int]]:
        # Asked even when there is none to ask for: it also tells whether Redis is there.
        heads: dict[str, tuple[int, int]] = {}
        for start in range(0, max(1, len(feeds)), _LOOKED_AT):
            heads |= self._changes.heads_and_kills(feeds[start : start + _LOOKED_AT] or [""])
        self._heard = time.monotonic()
        return heads
