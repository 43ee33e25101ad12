"""A duty: one thing that a worker does again and again, in a thread of its own, so that it waits for no other.

A duty that takes long, or that can't be done, keeps nobody but itself.
"""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from worker.store import redis_errors
from worker.watchdog import Beat, watched

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

_STILL_SECONDS = 600.0
"""How long a duty may take, a long import with a slow Redis, before it is taken to stand still."""
_PAUSE_SECONDS = 0.5
"""How long a duty rests at least that could not be done."""


class Duty:
    """Does `do` until it is stopped, `every` so many seconds; or as many later as `do` returns."""

    def __init__(self, name: str, do: Callable[[], float | None], every: float) -> None:
        self._name = name
        self._do = do
        self._every = every
        self._outage = redis_errors.Outage(log, duty=name)
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more. Returns at once."""
        self._stopped.set()

    def join(self, seconds: float) -> None:
        """Wait until what was begun has ended, at most so long."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            log.error("duty_stuck", duty=self._name, next_step="another worker takes over what it had begun")

    def _run(self) -> None:
        pause = 0.0
        with watched(self._name, _STILL_SECONDS) as beat:
            while not self._rested(beat, pause):
                pause = self._once()

    def _rested(self, beat: Beat, pause: float) -> bool:
        """Wait until it is due, which may be long; True when it is to stop."""
        with beat.resting():
            return self._stopped.wait(pause)

    def _once(self) -> float:
        """Do it once; return after how many seconds it is done again."""
        try:
            later = self._do()
            self._outage.over()
        except Exception as error:  # noqa: BLE001 (whatever it is, the duty goes on; the error is logged below)
            self._tell(error)
            return max(self._every, _PAUSE_SECONDS)
        return self._every if later is None else later

    def _tell(self, error: Exception) -> None:
        """Log why it could not be done: an outage once, however long it lasts."""
        if not isinstance(error, RedisError) or redis_errors.kind(error) == "bug":
            log.error("duty_failed", duty=self._name, next_step="it is tried again", exc_info=error)
        else:
            self._outage.met(error, "it is tried until it can be done")
