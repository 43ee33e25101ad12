"""The clock of Redis, as a process knows it: read once a second, and continued by a steady clock in between.

All processes agree on this clock. The machine's own clock may be wrong, and may be set forward or back at any time.

Of what a reading leaves open the earliest is taken: an embargo may end a moment late, and never early.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from worker import clock

if TYPE_CHECKING:
    from worker.store.scripts import Client

_BEHIND_MS = 100
"""By how much we may be behind Redis' clock before that is corrected: time must not jump at each reading."""
_SLOW_SECONDS = 0.5
"""An answer that took so long says too little about the time to replace an earlier reading."""


def _steady() -> float:
    """Seconds of a clock that nobody sets; where there is one, it goes on while the machine sleeps."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class RedisClock:
    """The present moment by the clock of Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ahead: float | None = None

    def measure(self) -> None:
        """Read the clock of Redis. Raises redis.RedisError; then the last reading stays."""
        before = _steady()
        seconds, microseconds = self._client.time()
        after = _steady()
        redis_ms = seconds * 1000 + microseconds / 1000
        # Redis read its clock between our two: it is ahead of ours by no less than the one, by no more than the other.
        least, most = redis_ms - after * 1000, redis_ms - before * 1000
        last = self._ahead
        if last is None or last > most or (after - before < _SLOW_SECONDS and least > last + _BEHIND_MS):
            self._ahead = least

    def now(self) -> datetime | None:
        """Return the present moment, None when Redis' clock has not been read yet."""
        ahead = self._ahead
        return None if ahead is None else clock.moment(int(_steady() * 1000 + ahead))
