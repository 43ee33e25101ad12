"""Slows those who guess passwords: by their address, and by the person whose password it would be.

Whoever is slowed waits, and is then judged: so nobody can lock somebody else out by guessing. Wrong passwords are
counted for all web processes together, in Redis, without which nobody can sign in anyway.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from worker import clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from worker.store.mistakes import Mistakes

WINDOW_SECONDS = 900
"""In which wrong passwords are counted."""
_WINDOW_MS = WINDOW_SECONDS * 1000
FREE = 5
"""So many wrong passwords of one address, or of one person, make nobody wait."""
_STEP_SECONDS = 0.5
_WAIT_MOST_SECONDS = 8.0
_WAITING_MOST = 50
"""How many wait at once, in all; and how many of one address (`_OF_ONE`)."""
_OF_ONE = 4
_AT_ONCE = 2
"""How many passwords are tried at once: each takes a tenth of a second of a processor."""


class TooManyWait(Exception):
    """Too many wait to be judged."""


class SignInLimits:
    """Counts wrong passwords."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self._waiting: Counter[str] = Counter()
        self._judging = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def turn(self, address: str, name: str) -> AsyncIterator[None]:
        """Wait until a password may be tried. Raises TooManyWait, redis.RedisError."""
        if self._waiting[address] >= _OF_ONE or self._waiting.total() >= _WAITING_MOST:
            raise TooManyWait
        self._waiting[address] += 1
        try:
            await asyncio.sleep(await run_in_threadpool(self.seconds, address, name))
            async with self._judging:
                yield
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # removes addresses of which nobody waits

    def seconds(self, address: str, name: str) -> float:
        """Return how long the next one waits. Raises redis.RedisError."""
        now = clock.ms(clock.agreed())
        of_address = self._mistakes.count("address", address, now, _WINDOW_MS)
        counts = (of_address, self._mistakes.count("person", name, now, _WINDOW_MS))
        return min(_WAIT_MOST_SECONDS, max(0, max(counts) - FREE) * _STEP_SECONDS)

    def note_wrong(self, address: str, name: str) -> None:
        """Count a wrong password. Raises redis.RedisError."""
        now = clock.ms(clock.agreed())
        self._mistakes.add("address", address, now, _WINDOW_MS)
        self._mistakes.add("person", name, now, _WINDOW_MS)

    def note_right(self, name: str) -> None:
        """Forget the mistakes of a person. Those of the address stay: somebody may have a password of their own.

        Raises redis.RedisError.
        """
        self._mistakes.forget("person", name, clock.ms(clock.agreed()), _WINDOW_MS)
