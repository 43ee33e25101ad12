"""Where the feeds stood when they were noted last: the numbers and times that they have beside their articles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from worker.record.tables import positions
from worker.record.upserts import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import ColumnElement, Connection

_PREFIX = "feed "
_AT_ONCE = 500


class FeedStanding(NamedTuple):
    """Where a feed stood at `time` (ms): its `marks`, by the names that the store gives them, each a number."""

    feed: str
    marks: dict[str, int]
    time: int


def note(connection: Connection, standings: Iterable[FeedStanding]) -> None:
    """Note where feeds stand, in the caller's transaction, unless a later standing is there."""
    rows = [
        {"name": _PREFIX + standing.feed, "position": json.dumps(standing.marks), "time": standing.time}
        for standing in standings
    ]
    upsert(connection, positions, rows, _later)


def read(connection: Connection, feeds: Collection[str]) -> dict[str, FeedStanding]:
    """Return where these feeds stood last, those of which something was noted."""
    standings = {}
    names = sorted(_PREFIX + feed for feed in feeds)
    for start in range(0, len(names), _AT_ONCE):
        rows = select(positions).where(positions.c.name.in_(names[start : start + _AT_ONCE]))
        for row in connection.execute(rows):
            feed = row.name.removeprefix(_PREFIX)
            standings[feed] = FeedStanding(feed, json.loads(row.position), row.time)
    return standings


def _later(old: Any, new: Any) -> ColumnElement[bool]:
    later: ColumnElement[bool] = new.time >= old.time
    return later
