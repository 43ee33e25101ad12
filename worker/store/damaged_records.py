"""Records that can't be read, because Redis dropped a part of them or somebody changed them.

One damaged record must not stop the work on the others: it is reported to operators and left out.
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

_SILENT_SECONDS = 3600.0
"""How long the same record is not reported a second time."""
_MOST_REPORTED = 10_000
"""How many reported records are remembered."""


class DamageAlert(Protocol):
    """Alerts people to a damaged record; `next_step` says what happens to it."""

    def __call__(self, *, record: str, reason: str, next_step: str) -> None:
        """Raise the alert."""


def _log(*, record: str, reason: str, next_step: str) -> None:
    log.error("record_damaged", record=record, reason=reason, next_step=next_step)


class DamagedRecords:
    """Whoever finds a damaged record reports it here; `alert` alerts people."""

    def __init__(self) -> None:
        self.alert: DamageAlert = _log
        self._reported: dict[str, float] = {}
        self._lock = Lock()

    def read(self, record: str, parse: Callable[[], T], next_step: str) -> T | None:
        """Return what `parse` makes of a record, or None, and a report, if it is damaged."""
        try:
            return parse()
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            self.report(record, f"{type(error).__name__}: {error}", next_step)
            return None

    def report(self, record: str, reason: str, next_step: str) -> None:
        """Report a damaged record, at most once an hour."""
        with self._lock:
            now = time.monotonic()
            if now - self._reported.get(record, -_SILENT_SECONDS) < _SILENT_SECONDS:
                return
            if len(self._reported) >= _MOST_REPORTED:
                self._reported.clear()
            self._reported[record] = now
        self.alert(record=record, reason=reason[:300], next_step=next_step)


def answers(pipe: Client) -> list[Any]:
    """Run a pipeline; where a command failed its error is the answer. Raises redis.RedisError in an outage."""
    results: list[Any] = pipe.execute(raise_on_error=False)
    for answer in results:
        if isinstance(answer, Exception) and redis_errors.kind(answer) != "bug":
            raise answer
    return results
