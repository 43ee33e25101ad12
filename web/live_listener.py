"""Hears what happens, once for the whole process, and hands it to those who follow it or wait for something.

One thread reads the stream in Redis, and only while somebody listens. Each listener has a bounded buffer: one that is
too slow loses its place, and not our memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from worker.store.redis_errors import Outage

if TYPE_CHECKING:
    from worker.store.live import LiveEvent, LiveStream

log = structlog.get_logger()

_BATCH = 500
_WAIT_MS = 1_000
"""How long one reading waits: so long it takes until a listener that came first is noticed, at the most."""
_PAUSE_SECONDS = 0.1
"""How long after one reading the next one begins, if that one had all there was."""
_AGAIN_SECONDS = 1.0
BUFFER = 1_000
"""How many events wait for one listener, if it says nothing else."""


class LiveSubscription:
    """One listener. Everything but `hand_over` is called in its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int = BUFFER) -> None:
        self._loop = loop
        self._most = most
        self._events: deque[LiveEvent] = deque()
        self._woken = asyncio.Event()
        self.began_anew = False
        """Whether events may be missing before those that come next: read the stream from where you are."""
        self.ended = False
        """Whether nothing more comes: it was too slow, or the process stops."""

    def hand_over(self, events: list[LiveEvent] | None) -> None:
        """Give it events, from any thread; None: it begins anew."""
        with suppress(RuntimeError):  # its loop is closed
            self._loop.call_soon_threadsafe(self._take, events)

    def end(self) -> None:
        """Give it nothing more, from any thread."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end)

    def _take(self, events: list[LiveEvent] | None) -> None:
        if events is None:
            self.began_anew = True
        elif len(self._events) + len(events) > self._most:
            self._events.clear()
            self.ended = True
        else:
            self._events.extend(events)
        self._woken.set()

    def _end(self) -> None:
        self.ended = True
        self._woken.set()

    async def wait(self, seconds: float) -> list[LiveEvent]:
        """Return what has come; wait up to so long for the first."""
        if not self._woken.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), seconds)
        self._woken.clear()
        events = list(self._events)
        self._events.clear()
        return events


class LiveListener:
    """The thread that reads, and those that listen."""

    def __init__(self, live: LiveStream) -> None:
        self._live = live
        self._subscriptions: set[LiveSubscription] = set()
        self._lock = Lock()
        self._has_listeners = Event()
        self._stopped = Event()
        self._last: str | None = None
        self._outage = Outage(log, what="live")
        self._thread = Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer."""
        self._stopped.set()
        self._has_listeners.set()
        for subscription in self._all():
            subscription.end()

    @contextmanager
    def subscription(self, most: int = BUFFER) -> Iterator[LiveSubscription]:
        """Return a place among the listeners, in the running event loop. It begins anew as soon as it is listened.

        `most`: how many events wait for it.
        """
        subscription = LiveSubscription(asyncio.get_running_loop(), most)
        with self._lock:
            self._subscriptions.add(subscription)
            # While others listen, it is there already: nothing that happens from now on is missed.
            if self._last is not None:
                subscription.hand_over(None)
        self._has_listeners.set()
        if self._stopped.is_set():
            subscription.end()
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def _all(self) -> list[LiveSubscription]:
        with self._lock:
            return list(self._subscriptions)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._has_listeners.wait()
            try:
                self._listen()
            except RedisError as error:
                self._outage.met(error, "nobody hears what happens; trying again")
                self._stopped.wait(_AGAIN_SECONDS)
            except Exception:
                log.exception("live_failed", next_step="listening again")
                self._stopped.wait(_AGAIN_SECONDS)
            finally:
                with self._lock:
                    self._last = None

    def _listen(self) -> None:
        """Read until nobody listens. Raises redis.RedisError."""
        last = self._live.last()
        with self._lock:
            self._last = last
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.hand_over(None)
        while not self._stopped.is_set():
            events = self._live.wait(last, _BATCH, _WAIT_MS)
            self._outage.over()
            if events:
                last = events[-1].id
            with self._lock:
                subscriptions = list(self._subscriptions)
                if not subscriptions:
                    self._has_listeners.clear()
                    self._last = None
                    return
            if events:
                for subscription in subscriptions:
                    subscription.hand_over(events)
                if len(events) < _BATCH:
                    # What comes meanwhile is read at once: much comes one by one, and each reading costs as much.
                    self._stopped.wait(_PAUSE_SECONDS)
