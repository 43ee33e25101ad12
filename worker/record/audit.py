"""The audit: what people and keys have changed. Each entry carries the hash of the one before it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import insert, or_, select

from worker.record import management, tables
from worker.record.column_types import keepable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

_BATCH = 1000
"""How many entries are read at a time to be verified."""


class Draft(NamedTuple):
    """What is to be noted. `time` in ms; `old` and `new`: JSON without secrets, empty where there is nothing.

    `entry_id`: what no other entry has; noting one again changes nothing.
    """

    entry_id: str
    time: int
    actor: str
    action: str
    target: str
    address: str
    old: str
    new: str


class Entry(NamedTuple):
    """An entry as it was noted."""

    number: int
    entry_id: str
    time: int
    actor: str
    action: str
    target: str
    address: str
    old: str
    new: str
    former: str
    hash: str

    def expected_hash(self) -> str:
        """Return the hash that an entry of this content has: SHA-256 over canonical JSON."""
        values = self._asdict()
        del values["hash"]
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return sha256(text.encode()).hexdigest()


class Filter(NamedTuple):
    """Which entries: since when (ms), by whom and which action, each as a whole or its first part; on what."""

    since: int = 0
    actor: str = ""
    action: str = ""
    target: str = ""


def append(connection: Connection, drafts: Sequence[Draft]) -> None:
    """Note entries, in this order. Needs the lock of the management, in the transaction of what they tell of."""
    state = management.lock(connection)
    there = _noted(connection, [draft.entry_id for draft in drafts])
    fresh = list({draft.entry_id: draft for draft in drafts if draft.entry_id not in there}.values())
    if not fresh:
        return
    number, former = state.entries, state.hash
    entries = []
    for draft in fresh:
        number += 1
        actor, action, target, address, old, new = map(keepable, draft[2:])
        entry = Entry(
            number, draft.entry_id, draft.time, actor, action, target, address, old, new, former=former, hash=""
        )
        entry = entry._replace(hash=entry.expected_hash())
        former = entry.hash
        entries.append(entry._asdict())
    connection.execute(insert(tables.audit), entries)
    management.note_last_entry(connection, number, former)


def entries(connection: Connection, of: Filter, limit: int, before: int | None = None) -> list[Entry]:
    """Return entries, the newest first, at most so many. `before`: go on after this number, the last of a page."""
    table = tables.audit.c
    query = select(*(table[name] for name in Entry._fields)).where(table.time >= of.since)
    if of.actor:
        query = query.where(or_(table.actor == of.actor, table.actor.startswith(f"{of.actor}:", autoescape=True)))
    if of.action:
        query = query.where(or_(table.action == of.action, table.action.startswith(f"{of.action}.", autoescape=True)))
    if of.target:
        query = query.where(table.target == of.target)
    if before is not None:
        query = query.where(table.number < before)
    return [Entry(*row) for row in connection.execute(query.order_by(table.number.desc()).limit(limit))]


def all_entries(connection: Connection) -> Iterator[Entry]:
    """Yield every entry, the first one first."""
    table = tables.audit.c
    number = None
    while True:
        query = select(*(table[name] for name in Entry._fields)).order_by(table.number).limit(_BATCH)
        batch = connection.execute(query if number is None else query.where(table.number > number)).all()
        if not batch:
            return
        yield from (Entry(*row) for row in batch)
        number = batch[-1].number


def _noted(connection: Connection, entry_ids: Sequence[str]) -> set[str]:
    query = select(tables.audit.c.entry_id).where(tables.audit.c.entry_id.in_(entry_ids))
    return set(connection.scalars(query))
