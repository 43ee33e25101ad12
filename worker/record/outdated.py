"""Deletes rows that are kept for a time only, a bounded number in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from worker.record import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


def delete_attempts(connection: Connection, before: int, limit: int) -> int:
    """Delete attempts from before a time (ms), the oldest first, about `limit`; return how many went."""
    time = tables.attempts.c.time
    oldest = select(time).where(time < before).order_by(time).limit(limit).subquery()
    last = select(oldest.c.time).order_by(oldest.c.time.desc()).limit(1).scalar_subquery()
    return connection.execute(delete(tables.attempts).where(time <= last, time < before)).rowcount


def delete_events(connection: Connection, before: int, limit: int) -> int:
    """Delete events that were carried out before a time (ms), up to `limit`; return how many went."""
    events = tables.events.c
    oldest = (
        select(events.number)
        .where(events.accepted < before, events.done.is_not(None), events.done < before)
        .order_by(events.accepted)
        .limit(limit)
    )
    return connection.execute(delete(tables.events).where(events.number.in_(oldest))).rowcount
