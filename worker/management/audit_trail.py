"""The audit as people use it: what is noted beside changes of the management, what was noted, whether it is whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from redis.exceptions import RedisError

from feeds.moments import iso
from worker import clock
from worker.management.changes import draft
from worker.management.scopes import AUDIT_READ
from worker.record import audit
from worker.record import management as rows
from worker.record.audit import Draft, Entry, Filter
from worker.record.availability import RecordAway
from worker.store import redis_errors

if TYPE_CHECKING:
    from worker.management.callers import Caller
    from worker.record import Record
    from worker.store import Store

log = structlog.get_logger()

_BATCH = 100
"""How many entries that were left in Redis are noted in one transaction."""


class Verdict(NamedTuple):
    """Whether the audit is whole: how many entries it has, and what is wrong with it, a sentence each."""

    entries: int
    faults: list[str]


class AuditTrail:
    """The audit. A kill must not wait for the record: what is noted while that is away is left for it in Redis."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record

    def note(self, caller: Caller, action: str, target: str, old: Any = None, new: Any = None) -> None:
        """Note what somebody has done beside changes of the management: a kill, a replay, a sign-in.

        `old` and `new`: without secrets, as JSON has them. Raises RecordAway when neither the record nor Redis takes
        it.
        """
        entry = draft(caller, clock.ms(clock.agreed()), action, target, old, new)
        try:
            with self._record.availability.write() as connection:
                audit.append(connection, [entry])
        except RecordAway:
            try:
                self._store.management.leave([json.dumps(entry)])
            except RedisError as error:
                redis_errors.report(log, error, "an entry of the audit is lost", action=action, target=target)
                raise

    def take_what_was_left(self) -> bool:
        """Note what was left in Redis; return whether there may be more. Raises RecordAway, redis.RedisError."""
        left = self._store.management.left(_BATCH)
        if not left:
            return False
        with self._record.availability.write() as connection:
            audit.append(connection, [Draft(*json.loads(text)) for text in left])
        self._store.management.note_taken(left)
        return len(left) == _BATCH

    def entries(self, caller: Caller, of: Filter, limit: int, before: int | None = None) -> list[Entry]:
        """Return entries, the newest first. `before`: the number of the last one of the page before.

        Raises Forbidden, RecordAway.
        """
        caller.require(AUDIT_READ)
        with self._record.availability.read() as connection:
            return audit.entries(connection, of, limit, before)

    def verify(self, caller: Caller) -> Verdict:
        """Return whether every entry is as it was noted, and none is missing. Raises Forbidden, RecordAway."""
        caller.require(AUDIT_READ)
        faults = []
        with self._record.availability.read() as connection:
            # Before the entries: what is noted meanwhile is no fault.
            state = rows.state(connection)
            number, former = 0, "0" * 64
            for entry in audit.all_entries(connection):
                if entry.number > state.entries:
                    break
                if entry.number > number + 1:
                    faults.append(_missing(number + 1, entry.number - 1))
                elif entry.former != former:
                    faults.append(f"entry {entry.number} does not follow on entry {number}: one of the two was changed")
                if entry.hash != entry.expected_hash():
                    faults.append(f"entry {entry.number} was changed: its content is not what its hash is of")
                number, former = entry.number, entry.hash
            if number < state.entries:
                faults.append(_missing(number + 1, state.entries))
            elif former != state.hash:
                faults.append(f"entry {number} was changed: it is not the one that was noted last")
        return Verdict(state.entries, faults)


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"


def described(entry: Entry) -> dict[str, Any]:
    """Return an entry as people get it, for JSON."""
    values = entry._asdict()
    del values["entry_id"]
    shown = {"time": iso(entry.time), "address": entry.address or None}
    return {**values, **shown, **{name: json.loads(values[name]) if values[name] else None for name in ("old", "new")}}
