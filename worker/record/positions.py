"""How far Redis has been noted: a Redis that is not so far has lost time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, cast, select

from worker.record import tables
from worker.record.upserts import upsert

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

NOTED = "noted"
"""The counter in Redis that each noting counts up."""


def note_position(connection: Connection, name: str, position: int, time: int) -> None:
    """Write how far something has been noted, at `time` (ms). One that is further stays."""
    upsert(connection, tables.positions, [{"name": name, "position": str(position), "time": time}], _further)


def read_positions(connection: Connection) -> dict[str, int]:
    """Return how far everything has been noted that is counted, by name."""
    positions = tables.positions.c
    rows = connection.execute(select(positions.name, positions.position))
    return {name: int(position) for name, position in rows if position.isdecimal()}


def _further(old: Any, new: Any) -> ColumnElement[bool]:
    further: ColumnElement[bool] = cast(new.position, BigInteger) >= cast(old.position, BigInteger)
    return further
