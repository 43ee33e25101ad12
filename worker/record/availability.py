"""Whether the record is there: as long as it is not, nobody waits for it.

Whoever has something to write or read that must hold nothing up does so by `Availability.write` and `read`. The first
who finds the record away says so to all threads of the process; from then on they are refused at once, while a thread
of its own asks it every second whether it takes writes again. A record with another schema than ours, or that lets us
not in, is away as well.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from worker import clock
from worker.record import database_errors
from worker.record.schema import UnfitRecord
from worker.record.tables import meta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from worker.record import Record
    from worker.record.connections import Sync

log = structlog.get_logger()

_ASK_SECONDS = 1.0
"""How often a record that is away is asked whether it is back."""
_FRESH_SECONDS = 5.0
"""A record that took a write so lately is there."""
_SHORT_SECONDS = 1.0
"""A lock that was given up sooner, such as in a deadlock, does not make the record away."""


class RecordAway(Exception):
    """The record can't be asked just now: nothing was written. The message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Since when the record is away (ms), as this process knows, and why."""

    since: int
    reason: str


class Availability:
    """Whether the record is there, as all threads of this process know it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._asking: threading.Thread | None = None
        self._last_write = -_FRESH_SECONDS
        self.absence: Absence | None = None

    @contextmanager
    def write(self, sync: Sync = "commit") -> Iterator[Connection]:
        """Return a connection in a transaction, as `Record.write` does. Raises RecordAway, and errors that are bugs."""
        with self._while_there(lambda: self._record.write(sync)) as connection:
            yield connection
        self._last_write = time.monotonic()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Return a connection to read by, as `Record.read` does. Raises RecordAway, and errors that are bugs."""
        with self._while_there(self._record.read) as connection:
            yield connection

    @contextmanager
    def writing_on(self, connection: Callable[[], Connection]) -> Iterator[Connection]:
        """Return the connection that a function returns. Raises as `write` does."""
        with self._while_there(lambda: nullcontext(connection())) as held_connection:
            yield held_connection
        self._last_write = time.monotonic()

    @contextmanager
    def _while_there(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        if absence := self.absence:
            raise RecordAway(absence.reason)
        begun = time.monotonic()
        try:
            with transaction() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error, UnfitRecord) as error:
            reason = _reason(error)
            if reason is None:
                raise
            if database_errors.kind(error) != "locked" or time.monotonic() - begun > _SHORT_SECONDS:
                self.note_away(reason)
            raise RecordAway(reason) from error

    def ask(self) -> Absence | None:
        """Ask the record whether it takes writes, unless that is known; return its absence."""
        if self.absence is None and time.monotonic() - self._last_write > _FRESH_SECONDS:
            try:
                self._probe()
            except (SQLAlchemyError, sqlite3.Error, UnfitRecord) as error:
                self.note_away(_reason(error) or database_errors.sentence(error))  # type: ignore[arg-type]
        return self.absence

    def note_away(self, reason: str) -> None:
        """Note that the record is away; from now on it is asked every second, by nobody else."""
        with self._lock:
            if self.absence is not None or self._stopped.is_set():
                return
            self.absence = Absence(clock.ms(clock.agreed()), reason)
            self._asking = threading.Thread(target=self._ask, name="record", daemon=True)
            self._asking.start()
        log.error("record_away", reason=reason, next_step="Redis keeps what happens; the record is asked every second")

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()
        asking = self._asking
        if asking is not None:
            asking.join(_ASK_SECONDS)

    def _ask(self) -> None:
        while not self._stopped.wait(_ASK_SECONDS):
            try:
                self._probe()
            except (SQLAlchemyError, sqlite3.Error, UnfitRecord) as error:
                self._note_reason(_reason(error) or database_errors.sentence(error))  # type: ignore[arg-type]
            else:
                self._note_back()
                return

    def _note_reason(self, reason: str) -> None:
        absence = self.absence
        if absence is not None and absence.reason != reason:
            self.absence = Absence(absence.since, reason)
            log.error("record_away", reason=reason, next_step="it is asked every second")

    def _note_back(self) -> None:
        with self._lock:
            absence, self.absence = self.absence, None
        if absence is not None:
            log.info("record_back", seconds=round((clock.ms(clock.agreed()) - absence.since) / 1000, 1))

    def _probe(self) -> None:
        """Write what is there already: a disk that is full, and a server that only reads, are found too."""
        with self._record.write() as connection:
            connection.execute(update(meta).where(meta.c.name == "epoch").values(value=meta.c.value))


def _reason(error: SQLAlchemyError | sqlite3.Error | UnfitRecord) -> str | None:
    """Why the record is away; None: it is there, and what was asked of it is nonsense."""
    if isinstance(error, UnfitRecord):
        return str(error)
    return None if database_errors.kind(error) == "bug" else database_errors.sentence(error)
