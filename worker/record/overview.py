"""What the record holds, for people: how much of what, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from worker.record import tables

if TYPE_CHECKING:
    from worker.record import Record


@dataclass(frozen=True, slots=True)
class Overview:
    """How large the record is (bytes), its epoch, and how many rows each table has."""

    size: int
    epoch: str
    rows: dict[str, int]


def overview(record: Record) -> Overview:
    """Return what a record of our schema holds. Counts every row: for people, not for what runs."""
    meta = tables.meta
    with record.read() as connection:
        epoch = connection.scalar(select(meta.c.value).where(meta.c.name == "epoch")) or ""
        rows = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables.metadata.sorted_tables
            if table is not meta
        }
        size = connection.scalar(text(_SIZES[connection.dialect.name])) or 0
    return Overview(size, epoch, dict(sorted(rows.items())))


_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}
