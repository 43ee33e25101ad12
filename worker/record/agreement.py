"""What the record says of itself to whoever compares it with Redis: its epoch, and how far Redis has been noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, exists, literal, select

from worker.record import tables
from worker.record.positions import NOTED
from worker.record.upserts import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

RESTORED = "restored"
"""Name of what `meta` has from when a backup was restored until that was noticed."""
_PARTS = (tables.articles, tables.subscriptions, tables.endpoints, tables.lists, tables.deliveries)


class RecordStanding(NamedTuple):
    """Where a record stands at one moment.

    `noted`: how many batches were noted in it; `time`: when the last of them was (ms); `holds_anything`: articles,
    receivers or lists, and not only events that were accepted; `restored`: from a backup, and nobody has noticed yet.
    """

    epoch: str
    noted: int
    time: int
    holds_anything: bool
    restored: bool = False


def standing(connection: Connection) -> RecordStanding:
    """Return where the record stands."""
    meta = {row.name: row.value for row in connection.execute(select(tables.meta))}
    positions = tables.positions.c
    row = connection.execute(select(positions.position, positions.time).where(positions.name == NOTED)).first()
    holds_anything = any(connection.scalar(select(exists(select(literal(1)).select_from(part)))) for part in _PARTS)
    noted, time = (int(row.position), int(row.time)) if row else (0, 0)
    return RecordStanding(meta.get("epoch", ""), noted, time, holds_anything, RESTORED in meta)


def note_restored(connection: Connection) -> None:
    """Note that the record was restored from a backup: what happened since is to be noted once more."""
    upsert(connection, tables.meta, [{"name": RESTORED, "value": "1"}])


def forget_restored(connection: Connection) -> None:
    """Note that all is being noted once more."""
    connection.execute(delete(tables.meta).where(tables.meta.c.name == RESTORED))
