"""Changing what the management has: one transaction together with its entry in the audit, heard of by every process."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from redis.exceptions import RedisError

from worker import clock
from worker.management import copies
from worker.record import audit
from worker.record import management as rows
from worker.record.audit import Draft
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from worker.management.callers import Caller
    from worker.management.copies import ManagementCopy
    from worker.record import Record
    from worker.store import Store

log = structlog.get_logger()


class NotFound(Exception):
    """There is nothing of this name; the message says so in one line."""


class Conflict(Exception):
    """What is there already is in the way; the message says what, in one line."""


class Outdated(Exception):
    """Somebody else has changed it meanwhile. `revision`: which it has now."""

    def __init__(self, message: str, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class Change:
    """A change that is being made: a connection to the record that nobody else changes the management by meanwhile."""

    def __init__(self, connection: Connection, caller: Caller) -> None:
        self.connection = connection
        self.time = clock.ms(clock.agreed())
        self.revision = rows.lock(connection).revision + 1
        """Of the management, once this is done."""
        self._caller = caller

    def note(self, action: str, target: str, old: Any = None, new: Any = None) -> None:
        """Note in the audit what was done to what. `old` and `new`: without secrets, as JSON has them."""
        audit.append(self.connection, [draft(self._caller, self.time, action, target, old, new)])

    def finish(self) -> ManagementCopy:
        """Raise the revision; return what the management has by now."""
        rows.raise_revision(self.connection, self.revision, secrets.token_hex(8))
        return copies.read(self.connection, self.time)


class Changes:
    """Makes changes. Raises RecordAway when the record is away: nothing was changed then.

    `on_change` is called with what the management has by then, in the thread of whoever has made the change.
    """

    def __init__(self, store: Store, record: Record, on_change: Callable[[ManagementCopy], None]) -> None:
        self._store = store
        self._record = record
        self._on_change = on_change

    @contextmanager
    def change(self, caller: Caller) -> Iterator[Change]:
        """Return a change, which is committed at the end and announced, or undone when something is raised."""
        with self._record.availability.write() as connection:
            change = Change(connection, caller)
            yield change
            copy = change.finish()
        self._on_change(copy)
        try:
            self._store.management.put(copy.stamp, copy.revision, copy.model_dump_json())
        except RedisError as error:
            # Workers look at the record every second, and put there what it has.
            redis_errors.report(log, error, "the change holds; processes hear of it when Redis answers")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Return a connection to read by."""
        with self._record.availability.read() as connection:
            yield connection


def draft(caller: Caller, time: int, action: str, target: str, old: Any = None, new: Any = None) -> Draft:
    """Return an entry of the audit as it is to be noted. `time` in ms."""
    texts = ("" if value is None else json.dumps(value, sort_keys=True) for value in (old, new))
    return Draft(uuid4().hex, time, caller.name, action, target, caller.address, *texts)


def see_that_it_is_current(noun: str, name: str, revision: int, expected: int | None) -> None:
    """Raise Outdated when `expected`, the revision that somebody wants to change, is not that of now."""
    if expected is not None and expected != revision:
        raise Outdated(f"{noun} {name} was changed meanwhile: it has revision {revision}", revision)
