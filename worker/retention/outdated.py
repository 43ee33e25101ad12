"""Deletes from the record what is too old: attempts, and events that were carried out; others never go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.record.outdated import delete_attempts, delete_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from worker.retention.recorded import RecordedArticles

log = structlog.get_logger()

_AT_ONCE = 1_000
"""Rows deleted in one transaction: others who write wait for no longer."""


class OutdatedRows:
    """What is too old."""

    def __init__(self, recorded: RecordedArticles, *, attempts: timedelta, events: timedelta) -> None:
        self._recorded = recorded
        self._retention_ms = {
            "attempts": (delete_attempts, int(attempts.total_seconds() * 1000)),
            "events": (delete_events, int(events.total_seconds() * 1000)),
        }

    def delete(self, go_on: Callable[[], bool]) -> int:
        """Delete it while `go_on()`; return how many rows went. Raises RecordAway."""
        deleted = 0
        for name, (delete, milliseconds) in self._retention_ms.items():
            before, of_table = clock.ms(clock.agreed()) - milliseconds, 0
            while count := self._recorded.write(lambda connection: delete(connection, before, _AT_ONCE)):  # noqa: B023
                of_table += count
                if not go_on():
                    break
            if of_table:
                log.info("record_trimmed", table=name, rows=of_table)
            deleted += of_table
        return deleted
