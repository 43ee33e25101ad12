"""The clock of Redis, as a process knows it: asked once a second, and carried on by a steady clock in between.

So this process's own clock counts for nothing; it may be wrong, and may be set forward or back at any time.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from worker import clock

if TYPE_CHECKING:
    from worker.store.scripts import Client

_KEPT_MS = 100
"""By how much Redis' clock may differ from what we take it to be: time is not to jump to and fro at each look."""
_SLOW_SECONDS = 0.5
"""An answer that took so long tells the time too badly when it is known already."""


def _steady() -> float:
    """Seconds of a clock that nobody sets; where there is one, it goes on while the machine sleeps."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class RedisClock:
    """What time it is for Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ahead: float | None = None

    def measure(self) -> None:
        """Ask Redis. Raises redis.RedisError; then what was known stays."""
        before = _steady()
        seconds, microseconds = self._client.time()
        after = _steady()
        ahead = seconds * 1000 + microseconds / 1000 - (before + after) * 500
        known = self._ahead
        if known is None or (after - before < _SLOW_SECONDS and abs(ahead - known) > _KEPT_MS):
            self._ahead = ahead

    def now(self) -> datetime | None:
        """Return the present moment, None when Redis has not been asked yet."""
        ahead = self._ahead
        return None if ahead is None else clock.moment(round(_steady() * 1000 + ahead))
