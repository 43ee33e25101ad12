"""The sweep: once a second, by whichever worker gets the lock, what time has changed is put right.

It also finds whatever a lost wake-up call left lying: events in the stream, receivers behind, requests unverified.
"""

from __future__ import annotations

import time
from functools import partial
from itertools import chain
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from feeds.patterns import pattern_of
from worker import clock, logs
from worker.store import keys
from worker.store.trouble import report

if TYPE_CHECKING:
    from worker.operations import Operations
    from worker.publish import Publisher
    from worker.site import Site
    from worker.store import Store
    from worker.wakeups import Wakeups

log = structlog.get_logger()

INTERVAL = 1.0
"""Seconds between two sweeps."""
_LOCK_MS = 900
"""The lock outlives no interval: a worker that died with it is missed for one sweep at the most."""
_RELEASE_MS = 100
"""How long the release of what came due between two sweeps is one worker's."""
_AT_ONCE = 1000
"""How many receivers of a feed one sweep moves, of each kind."""


_FEEDS = 100
"""How many feeds are swept in one round trip: a script in between is soon served."""


class Sweeper:
    """Sweeps in time, and says that its worker is alive. Embargoes that end between two sweeps do not wait for one."""

    def __init__(
        self, store: Store, site: Site, publisher: Publisher, operations: Operations, wakeups: Wakeups, worker: str
    ) -> None:
        self._store = store
        self._site = site
        self._publisher = publisher
        self._operations = operations
        self._wakeups = wakeups
        self._worker = worker
        self._stopped = Event()
        self._due: int | None = None
        self._lost = 0
        self._thread = Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._store.workers.seen(self._worker, clock.ms(clock.now()))
        self._thread.start()

    def stop(self) -> None:
        """Stop after the sweep that is going on."""
        self._stopped.set()
        self._thread.join()
        self._store.workers.left(self._worker)

    def sweep(self) -> None:
        """Sweep now, unless another worker has just done so."""
        if not self._store.client.set(keys.SWEEP, "1", nx=True, px=_LOCK_MS):
            return
        now = clock.now()
        for step in (partial(self._publisher.release_due, now), self._publisher.reclaim, self._publisher.consume):
            try:
                step()
            except RedisError:
                raise
            except Exception:
                # The receivers are swept all the same.
                log.exception("sweep_failed", next_step="the next sweep tries again")
        indexed = self._store.articles.indexed()
        feeds = self._store.receivers.feeds()
        lots = (feeds[start : start + _FEEDS] for start in range(0, len(feeds), _FEEDS))
        for feed, swept in chain.from_iterable(
            self._store.receivers.sweep(lot, clock.ms(now), _AT_ONCE).items() for lot in lots
        ):
            if swept.expired or swept.ended:
                log.info("swept", feed=feed, expired_claims=swept.expired, ended_leases=swept.ended)
            if swept.behind:
                self._wakeups.distribute(feed)
            # Not in our settings, nor in those by which articles were last put into feeds: other workers' may be newer.
            gone = self._site.feed(feed) is None and indexed.keys().isdisjoint((feed, pattern_of(feed)))
            removed = gone and self._store.receivers.subscribed(feed)
            if swept.verifications or removed:
                self._wakeups.verify(feed)
            if swept.looks:
                self._wakeups.read_back(feed)

    def _pause(self, next_sweep: float) -> float:
        """Seconds until the next sweep, or until an embargo ends or an article expires before it."""
        pause = next_sweep - time.monotonic()
        if self._due is not None:
            pause = min(pause, (self._due - clock.ms(clock.now())) / 1000)
        return max(0.0, pause)

    def _upcoming(self) -> int | None:
        """When the next embargo ends or article expires (ms). What could not be released in time waits for a sweep."""
        due = self._store.articles.next_due()
        return due if due is not None and due > clock.ms(clock.now()) else None

    def _release(self) -> None:
        """Record what has come due, unless another worker has just done so: then the sweep finds it if that died."""
        self._due = None
        if self._store.client.set(keys.RELEASE, "1", nx=True, px=_RELEASE_MS):
            self._publisher.release_due(clock.now())
            self._due = self._upcoming()

    def _count_lost_lines(self) -> None:
        lost = logs.lost()
        if lost > self._lost:
            self._store.counters.add("dateline_log_lines_lost", lost - self._lost)
            self._lost = lost

    def _run(self) -> None:
        next_sweep = time.monotonic() + INTERVAL
        while not self._stopped.wait(self._pause(next_sweep)):
            try:
                if time.monotonic() < next_sweep:
                    self._release()
                    continue
                next_sweep = time.monotonic() + INTERVAL
                self._store.workers.seen(self._worker, clock.ms(clock.now()))
                self.sweep()
                self._operations.send()
                self._count_lost_lines()
                self._store.counters.flush()
                self._due = self._upcoming()
            except RedisError as error:
                report(log, error, "the next sweep tries again")
            except Exception:
                log.exception("sweep_failed", next_step="the next sweep tries again")
