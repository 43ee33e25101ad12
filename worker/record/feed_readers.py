"""How many subscribers the services that read a feed for many people say that it has: by day the most of each.

Anybody can call himself whatever he likes, so of names that are not known only so many are noted for a feed and a day.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, delete, select

from worker.record import tables
from worker.record.column_types import keepable_row
from worker.record.upserts import replaced, upsert_many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection

STRANGERS_MOST = 40
"""So many readers that are not known have a row for a feed and a day."""
DAYS = 400
"""So long they are noteworthy."""

_DAY_SECONDS = 86_400

_readers = tables.feed_readers


class ReaderCount(NamedTuple):
    """How many subscribers a reader says there are of a feed in a format on a day (days since 1970, UTC)."""

    feed: str
    day: int
    format: str
    reader: str
    subscribers: int


_replaced = replaced(_readers, ReaderCount._fields)


def note_readers(connection: Connection, counts: Collection[ReaderCount], known_readers: Collection[str]) -> None:
    """Note what readers say, each once; what was noted before stays where it is more. `known_readers`: their names."""
    rows = sorted(counts)
    strangers = _strangers(connection, rows, known_readers)
    noteworthy = []
    for row in rows:
        names = strangers.setdefault((row.feed, row.day), set())
        if row.reader in known_readers or row.reader in names or len(names) < STRANGERS_MOST:
            noteworthy.append(keepable_row(row))
            names.update({row.reader}.difference(known_readers))
    upsert_many(connection, _readers, ReaderCount._fields, noteworthy, _replaced, _is_more)


def _strangers(
    connection: Connection, rows: Iterable[ReaderCount], known_readers: Collection[str]
) -> dict[tuple[str, int], set[str]]:
    """The readers that are not known and have rows, by feed and day."""
    days = {row.day for row in rows}
    columns = (_readers.c.feed, _readers.c.day, _readers.c.reader)
    noted = select(*columns).where(_readers.c.day.in_(days), _readers.c.reader.not_in(known_readers)).distinct()
    strangers: dict[tuple[str, int], set[str]] = {}
    for feed, day, reader in connection.execute(noted):
        strangers.setdefault((feed, day), set()).add(reader)
    return strangers


def _is_more(old: Any, new: Any) -> ColumnElement[bool]:
    more: ColumnElement[bool] = new.subscribers > old.subscribers
    return more


def readers_of(connection: Connection, feed: str, since: int) -> list[ReaderCount]:
    """Return what readers of a feed say since a day, in the order of days; of one the greatest number first."""
    columns = [_readers.c[name] for name in ReaderCount._fields]
    rows = select(*columns).where(_readers.c.feed == feed, _readers.c.day >= since)
    in_order = rows.order_by(_readers.c.day, _readers.c.subscribers.desc(), _readers.c.reader, _readers.c.format)
    return [ReaderCount(*row) for row in connection.execute(in_order)]


def days_as_json(rows: Iterable[ReaderCount]) -> list[dict[str, Any]]:
    """Return rows of `readers_of` as the API and the command line show them: a day each, with its sum."""
    days: list[dict[str, Any]] = []
    for day, of_day in groupby(rows, key=lambda row: row.day):
        readers = [{"reader": row.reader, "format": row.format, "subscribers": row.subscribers} for row in of_day]
        date = datetime.fromtimestamp(day * _DAY_SECONDS, UTC).date().isoformat()
        days.append({"day": date, "subscribers": sum(row["subscribers"] for row in readers), "readers": readers})
    return days


def forget_readers(connection: Connection, today: int) -> None:
    """Remove what is older than it is noteworthy. `today`: as the days of counts are."""
    connection.execute(delete(_readers).where(_readers.c.day < today - DAYS))
