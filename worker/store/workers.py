"""Which worker processes are alive: each says so once a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

ALIVE_MS = 5_000
"""A worker that has not been seen for so long is not counted."""


class Workers:
    """The living workers."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def seen(self, name: str, now: int) -> None:
        """The worker is alive at `now` (ms)."""
        pipe = self._client.pipeline(transaction=False)
        pipe.zadd(keys.WORKERS, {name: now})
        pipe.zremrangebyscore(keys.WORKERS, "-inf", now - 3_600_000)
        pipe.execute()

    def left(self, name: str) -> None:
        """The worker has stopped."""
        self._client.zrem(keys.WORKERS, name)

    def alive(self, now: int, since: int = 0) -> list[str]:
        """Names of the workers that are alive at `now` (ms) and have said so after `since` (ms)."""
        names: list[str] = self._client.zrangebyscore(keys.WORKERS, max(now - ALIVE_MS, since), "+inf")
        return names
