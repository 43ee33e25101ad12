"""The tables of management: what is in them, and in which state they are.

Whoever changes any of them locks that state first (`lock`), so that changes come one after the other, and raises its
revision at the end (`raise_revision`), all in one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, delete, or_, select, update

from worker.record import tables
from worker.record.upserts import always, upsert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Table

_ROW = "all"


class State(NamedTuple):
    """Which state the tables have: the `revision` and what no other change has; how many entries the audit has."""

    revision: int
    token: str
    entries: int
    hash: str
    """Of the last entry of the audit."""

    @property
    def stamp(self) -> str:
        """What tells this state from all others, also from those that a restored backup has undone."""
        return f"{self.revision} {self.token}"


def state(connection: Connection) -> State:
    """Return the state."""
    return _state(connection, locking=False)


def lock(connection: Connection) -> State:
    """Return the state, which nobody else changes before this transaction ends. Needs one that writes."""
    return _state(connection, locking=True)


def _state(connection: Connection, *, locking: bool) -> State:
    table = tables.management.c
    query = select(table.revision, table.token, table.entries, table.hash).where(table.name == _ROW)
    return State(*connection.execute(query.with_for_update() if locking else query).one())


def raise_revision(connection: Connection, revision: int, token: str) -> None:
    """Note which revision the tables have by now. Needs the lock."""
    _set(connection, revision=revision, token=token)


def note_last_entry(connection: Connection, entries: int, last: str) -> None:
    """Note how many entries the audit has by now, and the hash of the last one. Needs the lock."""
    _set(connection, entries=entries, hash=last)


def _set(connection: Connection, **values: Any) -> None:
    connection.execute(update(tables.management).where(tables.management.c.name == _ROW).values(**values))


def rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    """Return all rows of a table, in the order of their keys."""
    return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def row(connection: Connection, table: Table, key: str) -> dict[str, Any] | None:
    """Return the row of that key."""
    (column,) = table.primary_key
    first = connection.execute(select(table).where(column == key)).mappings().first()
    return None if first is None else dict(first)


def save(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Write a row with all its columns, in place of the one that has its key. Needs the lock."""
    upsert(connection, table, [values], always)


def remove(connection: Connection, table: Table, key: str) -> None:
    """Remove the row of that key. Needs the lock."""
    (column,) = table.primary_key
    connection.execute(delete(table).where(column == key))


def note_use(connection: Connection, uses: Mapping[str, int]) -> None:
    """Note when keys were used last (id -> ms). No change of theirs: needs no lock."""
    keys = tables.keys
    statement = (
        update(keys)
        .where(keys.c.id == bindparam("of"), or_(keys.c.last_used.is_(None), keys.c.last_used < bindparam("used")))
        .values(last_used=bindparam("used"))
    )
    connection.execute(statement, [{"of": key_id, "used": time} for key_id, time in sorted(uses.items())])
