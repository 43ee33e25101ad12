"""Appends to Redis the events that the record alone has, kills first, then in their order.

They were accepted while Redis was away, or by a process that died before it could append them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from worker.record.availability import RecordAway
from worker.record.events import newest_to_append, note_appended, to_append
from worker.store import redis_errors
from worker.store.events import IncomingEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.record import Record
    from worker.record.events import KeptEvent
    from worker.store import Store
    from worker.wakeups import Wakeups

log = structlog.get_logger()

LOOK_SECONDS = 0.4
"""How often it is looked for events to append. What is there at two looks was left by whoever accepted it."""
_BATCH = 100
_LEASE_MS = 5_000
"""For how long one worker appends alone; it gives the lease back when it has done."""


class EventFeeder:
    """One worker's look at the events that Redis has still to get. Any number may look, one appends."""

    def __init__(self, store: Store, record: Record, wakeups: Wakeups) -> None:
        self._store = store
        self._record = record
        self._wakeups = wakeups
        self._last_number = 0

    def feed(self) -> float | None:
        """Append what was left at the last look; return 0 when there is more. Raises redis.RedisError."""
        try:
            return self._feed()
        except RecordAway:
            # Nobody can say what is left. Whoever accepts events goes by Redis alone.
            return None

    def _feed(self) -> float | None:
        up_to = self._last_number
        with self._record.availability.read() as connection:
            self._last_number = newest_to_append(connection)
        if not up_to or not self._last_number or not (token := self._store.feeding.acquire(_LEASE_MS)):
            return None
        try:
            with self._record.availability.read() as connection:
                kept_events = to_append(connection, up_to, _BATCH)
            if not kept_events:
                return None
            self._append(kept_events)
        finally:
            self._store.feeding.release(token)
        return 0.0 if len(kept_events) == _BATCH else None

    def _append(self, kept_events: Sequence[KeptEvent]) -> None:
        """Append events and note it. One that Redis can't take keeps no other from it."""
        entries: dict[int, str] = {}
        failure: RedisError | None = None
        try:
            for event in kept_events:
                try:
                    (acceptance,) = self._store.events.accept([_incoming(event)])
                    entries[event.number] = acceptance.entry
                except RedisError as error:
                    if redis_errors.kind(error) != "bug":
                        raise
                    failure = error
        finally:
            with self._record.availability.write() as connection:
                note_appended(connection, entries)
            if entries:
                log.info("events_appended", events=len(entries), next_step="they are carried out")
                self._wakeups.consume(urgent=any(event.kind == "kill" for event in kept_events))
        if failure is not None:
            raise failure


def _incoming(event: KeptEvent) -> IncomingEvent:
    return IncomingEvent(
        event.event_id,
        event.body,
        event.kind,
        event.article_id,
        event.number,
        event.reinstatement,
        event.accepted,
    )
