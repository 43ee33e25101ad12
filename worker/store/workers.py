"""Which worker processes are alive: each reports once a second."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.store.scripts import Client

ALIVE_MS = 5_000
"""A worker without a report for so long is not counted."""
_LOST_MS = 60_000
"""How long /readyz shows that a worker has ended itself."""
_DEAD_MS = 10_000
"""A worker without a report for so long is dead: others take over its work. By the clock of Redis."""


class Workers:
    """The living workers."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._reporting = threading.Lock()
        self._gone: set[str] = set()

    def report_alive(self, name: str, now: int) -> None:
        """The worker is alive at `now` (ms), unless it has stopped or has reported that it is lost."""
        with self._reporting:
            if name in self._gone:
                return
            pipe = self._client.pipeline(transaction=False)
            pipe.zadd(keys.WORKERS, {name: now})
            pipe.zremrangebyscore(keys.WORKERS, "-inf", now - 3_600_000)
            pipe.zadd(keys.WORKERS_SINCE, {name: now}, nx=True)
            pipe.set(keys.worker(name), "1", px=_DEAD_MS)
            pipe.execute()

    def leave(self, name: str) -> None:
        """The worker has stopped. A report of it that is late changes nothing any more."""
        with self._reporting:
            self._gone.add(name)
            self._take_off(name)

    def _take_off(self, name: str) -> None:
        self._client.zrem(keys.WORKERS, name)
        self._client.zrem(keys.WORKERS_SINCE, name)
        self._client.delete(keys.worker(name))

    def report_lost(self, name: str, reason: str, now: int) -> None:
        """The worker ends itself at `now` (ms) because something in it is stuck."""
        with self._reporting:
            self._gone.add(name)
            self._client.zadd(keys.LOST_WORKERS, {f"{name}: {reason}": now})
            self._client.zremrangebyscore(keys.LOST_WORKERS, "-inf", now - _LOST_MS)
            self._take_off(name)

    def lost_workers(self, now: int) -> list[str]:
        """Return which workers have ended themselves lately, and why."""
        losses: list[str] = self._client.zrangebyscore(keys.LOST_WORKERS, now - _LOST_MS, "+inf")
        return losses

    def vanished(self, now: int) -> dict[str, int]:
        """Return the workers that died in the last hour and that no other stands in for -> last report (ms)."""
        reports = {name: int(score) for name, score in self._client.zrange(keys.WORKERS, 0, -1, withscores=True)}
        if all(report > now - _DEAD_MS for report in reports.values()):
            return {}
        begun = {name: int(score) for name, score in self._client.zrange(keys.WORKERS_SINCE, 0, -1, withscores=True)}
        if gone := begun.keys() - reports.keys():
            self._client.zrem(keys.WORKERS_SINCE, *gone)
        dead = sorted((report, name) for name, report in reports.items() if report <= now - _DEAD_MS)
        fresh = sorted(begun.get(name, 0) for name, report in reports.items() if report > now - _DEAD_MS)
        lost = {}
        # Each worker that began after a death stands in for one of the dead.
        for report, name in reversed(dead):
            if fresh and fresh[-1] > report:
                fresh.pop()
            else:
                lost[name] = report
        return lost

    def living_among(self, names: Collection[str]) -> set[str]:
        """Return those of the workers that are alive."""
        pipe = self._client.pipeline(transaction=False)
        for name in names:
            pipe.exists(keys.worker(name))
        return {name for name, there in zip(names, pipe.execute(), strict=True) if there}

    def alive(self, now: int, since: int = 0) -> list[str]:
        """Names of the workers that are alive at `now` (ms) and have reported after `since` (ms)."""
        names: list[str] = self._client.zrangebyscore(keys.WORKERS, max(now - ALIVE_MS, since), "+inf")
        return names
