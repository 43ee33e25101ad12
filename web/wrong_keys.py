"""Slows client addresses that show many wrong keys, wherever they show them, to whichever web process."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool

from worker import clock
from worker.store.redis_errors import Outage

if TYPE_CHECKING:
    from worker.store.mistakes import Mistakes

log = structlog.get_logger()

WINDOW_SECONDS = 60
"""In which wrong keys are counted."""
_FREE = 30
"""How many wrong keys in a window one client address may show before it is slowed."""
_SLOW_SECONDS = 1.0
"""How long a wrong key then waits for its answer."""
_WAITING_MOST = 100
"""How many wrong keys wait at once, in all; others are refused at once."""
_AWAY_SECONDS = 5.0
"""For so long Redis is not asked again that did not answer: each process counts for itself meanwhile."""


class WrongKeys:
    """Counts wrong keys. A right key is never slowed: it is not asked here."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self._window = 0
        self._counts: Counter[str] = Counter()
        self._waiting = 0
        self._away_until = 0.0
        self._outage = Outage(log, what="wrong keys")

    async def slow(self, address: str) -> bool:
        """Count a wrong key, and return after a while if the address has shown many; False: too many wait already."""
        if await self._count(address) <= _FREE:
            return True
        if self._waiting >= _WAITING_MOST:
            return False
        self._waiting += 1
        try:
            await asyncio.sleep(_SLOW_SECONDS)
        finally:
            self._waiting -= 1
        return True

    async def _count(self, address: str) -> int:
        """How many wrong keys the address has shown in this window."""
        now = clock.ms(clock.agreed())
        window = now // (WINDOW_SECONDS * 1000)
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts[address] += 1
        # Whoever floods this process alone does not reach Redis.
        if self._counts[address] <= _FREE and time.monotonic() >= self._away_until:
            try:
                count = await run_in_threadpool(self._mistakes.add, "key", address, now, WINDOW_SECONDS * 1000)
                self._outage.over()
                self._counts[address] = max(self._counts[address], count)
            except RedisError as error:
                self._outage.met(error, "each process counts wrong keys for itself")
                self._away_until = time.monotonic() + _AWAY_SECONDS
        return self._counts[address]
