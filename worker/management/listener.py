"""Keeps a process on what the management has, in a thread: it hears of each change, and looks twice a second besides.

Everybody goes by the copy in Redis; while Redis is away, or has none, by the record. A worker sees besides that the
copy in Redis is what the record has: so a Redis that was emptied gets it again, and so does one that did not answer
when something was changed.
"""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from worker import clock
from worker.management import copies
from worker.record import management as rows
from worker.record.availability import RecordAway
from worker.store import redis_errors
from worker.store.redis_errors import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.management.copies import ManagementCopy
    from worker.management.keys import KeyRing
    from worker.record import Record
    from worker.store import Store

log = structlog.get_logger()

LOOK_SECONDS = 0.5
"""How often it is looked for a change of which no word came."""
_END_SECONDS = 5.0
"""How long the thread may take to end."""
_TEND_SECONDS = 1.0
"""How often a worker compares the copy in Redis with the record."""
_USES_SECONDS = 20.0
"""How often it is looked which keys were used."""


class ManagementListener:
    """Calls `use` with what the management has, at the start and at each change, in its thread.

    `in_force`: what this process goes by. `use` is given besides what that was before it was looked, and returns False
    when it leaves the process as it is, because that has changed something itself meanwhile.

    `tend`: called every second while the record is there; whoever has it sees too that the copy in Redis is what the
    record has, as workers do.
    """

    def __init__(
        self,
        store: Store,
        record: Record,
        ring: KeyRing,
        in_force: Callable[[], ManagementCopy | None],
        use: Callable[[ManagementCopy, ManagementCopy | None], bool],
        tend: Callable[[], None] | None,
    ) -> None:
        self._store = store
        self._record = record
        self._ring = ring
        self._in_force = in_force
        self._use = use
        self._tend = tend
        self._current: ManagementCopy | None = None
        self._former: ManagementCopy | None = None
        self._next_tending = self._next_uses = 0.0
        self._stopped = Event()
        self._outage = Outage(log, what="management")
        self._thread = Thread(target=self._run, name="management", daemon=True)

    @property
    def current(self) -> ManagementCopy | None:
        """What the management has, as far as this process knows; None: it could not be asked yet."""
        return self._current

    def start(self) -> None:
        """Look once, then begin to listen."""
        try:
            self.look_first()
        except RedisError as error:
            self._outage.met(error, "the management is what the record has; trying again")
        self._thread.start()

    def look_first(self) -> None:
        """Look before anything else is done. Raises redis.RedisError when Redis could not be asked.

        Whatever else goes wrong ends no process, and is tried again by those that listen.
        """
        try:
            self.look()
        except RedisError:
            raise
        except Exception:
            log.exception("management_not_read", next_step="trying again")

    def stop(self) -> None:
        """Go over to nothing more. Returns at once."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        if self._thread.ident is not None:
            self._thread.join(_END_SECONDS)

    def look(self) -> None:
        """Go over to what the management has by now. Raises redis.RedisError when Redis could not be asked."""
        if self._stopped.is_set():
            return
        self._note_uses()
        self._former = self._in_force()
        try:
            stamp = self._store.management.stamp()
        except RedisError:
            self._go_by_the_record()
            raise
        if self._tend is not None and time.monotonic() >= self._next_tending:
            self._next_tending = time.monotonic() + _TEND_SECONDS
            self._see_that_both_agree(stamp, self._tend)
            return
        if stamp == self._known_stamp() and stamp:
            return
        copy = copies.parse(self._store.management.get()) if stamp else None
        if copy is not None:
            self._go_over(copy)
        else:
            self._go_by_the_record()

    def _known_stamp(self) -> str:
        return self._current.stamp if self._current else ""

    def _go_by_the_record(self) -> None:
        try:
            with self._record.availability.read() as connection:
                if self._current is None or rows.state(connection).stamp != self._current.stamp:
                    self._go_over(copies.read(connection, clock.ms(clock.agreed())))
        except RecordAway:
            # Whoever knows nothing yet takes nothing for removed.
            return

    def _see_that_both_agree(self, stamp: str, tend: Callable[[], None]) -> None:
        """See that Redis has what the record has."""
        try:
            with self._record.availability.read() as connection:
                recorded = rows.state(connection).stamp
                copy = None
                if recorded != stamp or self._current is None or recorded != self._current.stamp:
                    copy = copies.read(connection, clock.ms(clock.agreed()))
            tend()
        except RecordAway:
            copy = copies.parse(self._store.management.get()) if stamp and stamp != self._known_stamp() else None
            if copy is not None:
                self._go_over(copy)
            return
        if copy is not None:
            if copy.stamp != stamp:
                self._store.management.put(copy.stamp, copy.revision, copy.model_dump_json(), stamp)
            if copy.stamp != self._known_stamp():
                self._go_over(copy)

    def _go_over(self, copy: ManagementCopy) -> None:
        # Otherwise the next look does it.
        if self._use(copy, self._former):
            self._current = copy

    def _note_uses(self) -> None:
        """Note when keys were used last: once a minute each, and not while the record is away."""
        if time.monotonic() < self._next_uses:
            return
        self._next_uses = time.monotonic() + _USES_SECONDS
        uses = self._ring.uses()
        if not uses:
            return
        try:
            with self._record.availability.write() as connection:
                rows.note_use(connection, uses)
        except RecordAway:
            return
        self._ring.note_uses(uses)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
            except RedisError as error:
                if redis_errors.kind(error) == "bug":
                    log.exception("management_not_read", next_step="trying again")
                else:
                    self._outage.met(error, "the management is what the record has; trying again")
                self._stopped.wait(LOOK_SECONDS)
            except Exception:
                # Whatever it is: without this nobody would hear that a key was revoked.
                log.exception("management_not_read", next_step="trying again")
                self._stopped.wait(LOOK_SECONDS)

    def _follow(self) -> None:
        # Before anything is asked of a Redis that may be away: it goes by the record then.
        self.look()
        announcements = self._store.management.listen()
        try:
            while not self._stopped.is_set():
                self.look()
                self._outage.over()
                announcements.wait(LOOK_SECONDS)
        finally:
            announcements.close()
