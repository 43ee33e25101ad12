"""Slows those who guess passwords: by their address, and by the person whose password it would be.

Whoever is slowed waits, and is then judged: so nobody can lock somebody else out by guessing. Each web process counts
for itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WINDOW_SECONDS = 900
"""In which wrong passwords are counted."""
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

    def __init__(self) -> None:
        self._window = 0
        self._wrong: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._judging = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def turn(self, address: str, name: str) -> AsyncIterator[None]:
        """Wait until a password may be tried. Raises TooManyWait."""
        if self._waiting[address] >= _OF_ONE or self._waiting.total() >= _WAITING_MOST:
            raise TooManyWait
        self._waiting[address] += 1
        try:
            await asyncio.sleep(self.seconds(address, name))
            async with self._judging:
                yield
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # removes addresses of which nobody waits

    def seconds(self, address: str, name: str) -> float:
        """Return how long the next one waits."""
        window = int(time.monotonic()) // WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._wrong.clear()
        beyond = max(self._wrong[f"address {address}"], self._wrong[f"person {name}"]) - FREE
        return min(_WAIT_MOST_SECONDS, max(0, beyond) * _STEP_SECONDS)

    def note_wrong(self, address: str, name: str) -> None:
        """Count a wrong password."""
        self._wrong[f"address {address}"] += 1
        self._wrong[f"person {name}"] += 1

    def note_right(self, name: str) -> None:
        """Forget the mistakes of a person. Those of the address stay: somebody may have a password of their own."""
        self._wrong.pop(f"person {name}", None)
