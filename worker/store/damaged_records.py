"""Records that can't be read, because Redis dropped a part of them or somebody changed them: told, and passed over.

One damaged record must not keep the others from being worked on.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import structlog

from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.store.scripts import Client

T = TypeVar("T")

log = structlog.get_logger()

_AGAIN_SECONDS = 3600.0
"""How long nobody is told again of the same record."""
_MOST = 10_000
"""Of how many records it is known that they have been told."""


class DamageAlert(Protocol):
    """Tells people of a damaged record, and what was done about it."""

    def __call__(self, *, record: str, reason: str, next_step: str) -> None:
        """DamageAlert of it."""


def _log(*, record: str, reason: str, next_step: str) -> None:
    log.error("record_damaged", record=record, reason=reason, next_step=next_step)


class DamagedRecords:
    """Whoever finds a damaged record says so here. `tell` is how people hear of it."""

    def __init__(self) -> None:
        self.alert: DamageAlert = _log
        self._told: dict[str, float] = {}
        self._lock = Lock()

    def read(self, record: str, parse: Callable[[], T], next_step: str) -> T | None:
        """Return what a record says, or None if it can't be read."""
        try:
            return parse()
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            self.report(record, f"{type(error).__name__}: {error}", next_step)
            return None

    def report(self, record: str, reason: str, next_step: str) -> None:
        """DamageAlert of a record, once an hour."""
        with self._lock:
            now = time.monotonic()
            if now - self._told.get(record, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
                return
            if len(self._told) >= _MOST:
                self._told.clear()
            self._told[record] = now
        self.alert(record=record, reason=reason[:300], next_step=next_step)


def answers(pipe: Client) -> list[Any]:
    """The answers to a pipeline, an error in the place of those that failed. Raises redis.RedisError in an outage."""
    found: list[Any] = pipe.execute(raise_on_error=False)
    for answer in found:
        if isinstance(answer, Exception) and redis_errors.kind(answer) != "bug":
            raise answer
    return found
