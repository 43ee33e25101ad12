"""Has events appended to Redis again that it has lost before they were carried out.

The record knows where Redis had them. Redis may have lost what it took last, as when it is killed before that was on
the disk, and a process may note that Redis has an event when Redis has just been emptied. A rebuild looks at all of
them; between rebuilds every worker looks again and again.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.record import rebuilding
from worker.record.availability import RecordAway

if TYPE_CHECKING:
    from worker.record import Record
    from worker.record.rebuilding import UnfinishedEvent
    from worker.store import Store

log = structlog.get_logger()

LOOK_SECONDS = 2.0
"""How often a lot is looked at."""
_SETTLED_MS = 3_000
"""What was accepted so long ago was noted to be in Redis, if it is there."""
_AT_ONCE = 500
_REMEMBERED = 10_000


class LostEvents:
    """Looks for them in one Redis and one record. Used by one thread at a time."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record
        self._after = 0
        self._appended: set[int] = set()
        self._stopped = Event()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    def append_all(self) -> None:
        """Have all of them appended again. Raises errors of Redis and of the record's database."""
        after, count = 0, 0
        while not self._stopped.is_set():
            with self._record.read() as connection:
                events = rebuilding.unfinished_events(connection, after, _AT_ONCE)
            if not events:
                break
            after = events[-1].number
            if lost := self._lost(events):
                with self._record.write() as connection:
                    rebuilding.append_again(connection, lost)
            count += len(lost)
        _report(count)

    def look(self) -> None:
        """Have those of the next lot appended again. Raises redis.RedisError."""
        before = clock.ms(clock.agreed()) - _SETTLED_MS
        try:
            with self._record.availability.read() as connection:
                events = rebuilding.unfinished_events(connection, self._after, _AT_ONCE, before)
            self._after = events[-1].number if len(events) == _AT_ONCE else 0
            # One that Redis takes for appended would be found again for ever: its entry was removed.
            lost = [number for number in self._lost(events) if number not in self._appended]
            # Carried out, and not noted yet: then it is still in the record as if it were not.
            if lost and not self._store.unnoted.waiting().results:
                # Before anybody can carry them out once more.
                self._store.events.note_lost(lost)
                with self._record.availability.write() as connection:
                    rebuilding.append_again(connection, lost)
                if len(self._appended) > _REMEMBERED:
                    self._appended.clear()
                self._appended.update(lost)
                _report(len(lost))
        except RecordAway:
            return

    def _lost(self, events: list[UnfinishedEvent]) -> list[int]:
        exist = self._store.restoring.entries_in([(event.is_kill, event.entry) for event in events])
        return [event.number for event, is_there in zip(events, exist, strict=True) if not is_there]


def _report(count: int) -> None:
    if count:
        log.warning("events_appended_again", events=count, reason="Redis has lost them")
