"""Slows client addresses that show many wrong keys, wherever they show them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

WINDOW_SECONDS = 60
"""In which wrong keys are counted."""
_FREE = 30
"""How many wrong keys in a window one client address may show before it is slowed."""
_SLOW_SECONDS = 1.0
"""How long a wrong key then waits for its answer."""
_WAITING_MOST = 100
"""How many wrong keys wait at once, in all; others are refused at once."""


class WrongKeys:
    """Counts wrong keys. A right key is never slowed: it is not asked here."""

    def __init__(self) -> None:
        self._window = 0
        self._counts: Counter[str] = Counter()
        self._waiting = 0

    async def slow(self, address: str) -> bool:
        """Count a wrong key, and return after a while if the address has shown many; False: too many wait already."""
        window = int(time.monotonic()) // WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._counts.clear()
        self._counts[address] += 1
        if self._counts[address] <= _FREE:
            return True
        if self._waiting >= _WAITING_MOST:
            return False
        self._waiting += 1
        try:
            await asyncio.sleep(_SLOW_SECONDS)
        finally:
            self._waiting -= 1
        return True
