"""Up to where the receivers of a feed are known to be up to date: one row for a feed, however many receivers it has.

The row is a statement about one moment of Redis: at `time`, every receiver of the feed had got what changed up to
number `head`, except those that it names, each with a cursor of its own. It is written at most every few seconds, and
only when the feed has changed. Between two statements receivers get on, and the record does not know it.

What a statement that is old costs is a repetition, never a gap. A receiver's cursor says what it *has*; and what it has
it does not lose. So what a statement says stays true as long as the subscription goes on, and who starts from
it sends again what came after `time`, and leaves nothing out. A subscription that began at `time` or later is none of
which the statement speaks: it starts from its own row, at 0. A statement that can't be short, because too many
receivers are behind, is not written: the one before goes on being true.

When Redis loses its last writes, numbers are given again. Whoever rebuilds it starts from a head that is not smaller
than that of the statements, or holds the lower of the two. The clock of another Redis may be behind: so nothing that
was stated before a rebuild counts for a subscription that began after it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from worker.record.tables import positions
from worker.record.upserts import always, upsert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

MOST_BEHIND = 1000
"""How many receivers a statement names at the most."""


class Standing(NamedTuple):
    """One statement. `behind`: the receivers that are behind `head`, each with its cursor; `time` in ms."""

    feed: str
    head: int
    behind: Mapping[str, int]
    time: int

    def cursor(self, receiver: str, noted: int = 0, began: int = 0) -> int:
        """Return the number up to which a receiver is known to be up to date.

        `noted`, `began`: the cursor in its own row, and since when there is this subscription (ms); of an endpoint 0.
        """
        if began >= self.time:
            return noted
        return self.behind[receiver] if receiver in self.behind else max(noted, self.head)


def note(connection: Connection, standings: Sequence[Standing]) -> None:
    """Note statements, in the caller's transaction, unless a later one of the feed is there."""
    upsert(connection, positions, map(_row, standings), _later)


def replace(connection: Connection, standing: Standing) -> None:
    """Note a statement in place of the one that is there, in the caller's transaction."""
    upsert(connection, positions, [_row(standing)], always)


def of_feed(connection: Connection, feed: str) -> Standing:
    """Return the last statement about a feed; one that says nothing when there is none."""
    row = connection.execute(
        select(positions.c.position, positions.c.time).where(positions.c.name == _name(feed))
    ).one_or_none()
    if row is None:
        return Standing(feed, 0, {}, 0)
    fields = json.loads(row.position)
    return Standing(feed, fields["head"], fields["behind"], row.time)


def _row(standing: Standing) -> dict[str, Any]:
    position = json.dumps({"head": standing.head, "behind": dict(standing.behind)}, separators=(",", ":"))
    return {"name": _name(standing.feed), "position": position, "time": standing.time}


def _later(there: Any, new: Any) -> ColumnElement[bool]:
    return new.time >= there.time  # type: ignore[no-any-return]


def _name(feed: str) -> str:
    return f"cursors of {feed}"
