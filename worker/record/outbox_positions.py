"""How far the outbox of each feed has been noted, so that nobody notes from what he read before somebody else did.

An outbox is read, and what was read is noted later. If another process has noted it meanwhile, and more, old states
would replace newer ones. So whoever notes says from which position he read; when it has moved, nothing is written.

A position does not say that an entry is noted: entries are noted again after a crash, which changes nothing. When Redis
has lost its clock and its streams, numbers begin anew, and whatever is in an outbox is noted nevertheless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from worker.record.tables import positions
from worker.record.upserts import always, upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

_PREFIX = "outbox of "


class Overtaken(Exception):
    """Somebody else has noted entries of the same outbox meanwhile. Read it again."""


def read(connection: Connection, feeds: Collection[str]) -> dict[str, str]:
    """Return the position of each feed's outbox: the entry that was noted last, "" when none was."""
    names = [_PREFIX + feed for feed in feeds]
    rows = connection.execute(select(positions.c.name, positions.c.position).where(positions.c.name.in_(names)))
    return dict.fromkeys(feeds, "") | {row.name.removeprefix(_PREFIX): row.position for row in rows}


def advance(connection: Connection, before: Mapping[str, str], after: Mapping[str, str], time: int) -> None:
    """Move the positions of outboxes on (feed -> position), at `time` (ms), in the caller's transaction.

    Raises Overtaken when one of them is no longer where it was `before`; the transaction is to be undone then.
    """
    first = [{"name": _PREFIX + feed, "position": "", "time": time} for feed in after]
    upsert(connection, positions, first)
    names = [row["name"] for row in first]
    # Whoever else moves them waits here until we are done.
    locked = (
        select(positions.c.name, positions.c.position)
        .where(positions.c.name.in_(names))
        .order_by(positions.c.name)
        .with_for_update()
    )
    for name, position in connection.execute(locked):
        if position != before[name.removeprefix(_PREFIX)]:
            raise Overtaken(name)
    rows = [{"name": _PREFIX + feed, "position": position, "time": time} for feed, position in after.items()]
    upsert(connection, positions, rows, always)
