"""WebSub subscriptions: who is to get which feed, until when, and why one ended. They are kept for good.

A feed's subscribers follow it by cursors, which move with every push. The record has no row for each push: see
`cursors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, null, or_, select, tuple_, update

from worker.record.tables import subscriptions
from worker.record.upserts import insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


_AT_ONCE = 500
"""Most of them in one question."""


class Subscription(NamedTuple):
    """A subscription, as the record has it. Times in ms; `ended`: None while it goes on.

    `details`: as Redis keeps them, JSON with callback, format, secret, host and client. `cursor`: the sequence number
    up to which it was up to date when this row was written; `cursors.Standing.cursor` knows better.
    """

    feed: str
    receiver: str
    details: str
    began: int
    lease_ends: int
    cursor: int = 0
    ended: int | None = None
    reason: str = ""


class Renewal(NamedTuple):
    """A subscription that was confirmed again while it went on: `time` (ms) when, with these details from now on."""

    feed: str
    receiver: str
    details: str
    time: int
    lease_ends: int


class Ending(NamedTuple):
    """The end of a subscription, when (ms) and why."""

    feed: str
    receiver: str
    time: int
    reason: str


Change = Subscription | Renewal | Ending


def note(connection: Connection, changes: Sequence[Change]) -> None:
    """Note what has become of subscriptions, in the caller's transaction; of one of them, in the order given."""
    lasting: dict[tuple[str, str], Change] = {}
    for change in sorted(changes, key=_key):
        key = change.feed, change.receiver
        lasting[key] = _both(lasting.get(key), change)
    _begin(connection, [change for change in lasting.values() if isinstance(change, Subscription)])
    _renew(connection, [change for change in lasting.values() if isinstance(change, Renewal)])
    _end(connection, [change for change in lasting.values() if isinstance(change, Ending)])


def alive(connection: Connection, feed: str, time: int, most: int, *, after: str = "") -> list[Subscription]:
    """Return the subscriptions of a feed that went on at a time (ms), by receiver, at most so many.

    One whose lease had ended by then does not count, whether its end is noted or not. `after`: go on after this
    receiver, the last of the page before.
    """
    table = subscriptions.c
    statement = select(*(table[name] for name in Subscription._fields)).where(
        table.feed == feed,
        table.receiver > after,
        table.began <= time,
        table.lease_ends > time,
        or_(table.ended.is_(None), table.ended > time),
    )
    rows = connection.execute(statement.order_by(table.receiver).limit(most))
    return [Subscription(*row) for row in rows]


def running(
    connection: Connection, time: int, most: int, *, feed: str = "", after: tuple[str, str] | None = None
) -> list[Subscription]:
    """Return the subscriptions that go on at a time (ms), of one feed or of all, by feed, at most so many.

    `after`: go on after this feed and receiver, the last of the page before.
    """
    table = subscriptions.c
    statement = select(*(table[name] for name in Subscription._fields)).where(
        table.lease_ends > time, table.ended.is_(None)
    )
    if feed:
        statement = statement.where(table.feed == feed)
    if after is not None:
        statement = statement.where(tuple_(table.feed, table.receiver) > tuple_(*after))
    rows = connection.execute(statement.order_by(table.feed, table.receiver).limit(most))
    return [Subscription(*row) for row in rows]


def beginnings(connection: Connection, receivers: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return when subscriptions began (ms), each by its feed and receiver."""
    table = subscriptions.c
    began = {}
    for start in range(0, len(receivers), _AT_ONCE):
        named = tuple_(table.feed, table.receiver).in_(receivers[start : start + _AT_ONCE])
        for row in connection.execute(select(table.feed, table.receiver, table.began).where(named)):
            began[row.feed, row.receiver] = row.began
    return began


def _key(change: Change) -> tuple[str, str]:
    return change.feed, change.receiver


def _both(before: Change | None, change: Change) -> Change:
    """What two changes of one subscription, one after the other, come to."""
    if isinstance(before, Subscription):
        if isinstance(change, Renewal):
            return before._replace(details=change.details, lease_ends=change.lease_ends, ended=None, reason="")
        if isinstance(change, Ending):
            return before._replace(ended=change.time, reason=change.reason)
    return change


def _begin(connection: Connection, begun: Sequence[Subscription]) -> None:
    if not begun:
        return
    statement = insert(connection, subscriptions)
    values = {column.name: statement.excluded[column.name] for column in subscriptions.c if not column.primary_key}
    statement = statement.on_conflict_do_update(index_elements=list(subscriptions.primary_key), set_=values)
    connection.execute(statement, [subscription._asdict() for subscription in begun])


def _renew(connection: Connection, renewals: Sequence[Renewal]) -> None:
    """A subscription that the record does not know is older than the record: it begins here."""
    if not renewals:
        return
    statement = insert(connection, subscriptions)
    new = statement.excluded
    values = {"details": new.details, "lease_ends": new.lease_ends, "ended": null(), "reason": ""}
    statement = statement.on_conflict_do_update(index_elements=list(subscriptions.primary_key), set_=values)
    begun = [
        Subscription(renewal.feed, renewal.receiver, renewal.details, renewal.time, renewal.lease_ends)
        for renewal in renewals
    ]
    connection.execute(statement, [subscription._asdict() for subscription in begun])


def _end(connection: Connection, endings: Sequence[Ending]) -> None:
    if not endings:
        return
    table = subscriptions.c
    statement = (
        update(subscriptions)
        .where(table.feed == bindparam("of_feed"), table.receiver == bindparam("of_receiver"), table.ended.is_(None))
        .values(ended=bindparam("at"), reason=bindparam("why"))
    )
    connection.execute(
        statement,
        [
            {"of_feed": ending.feed, "of_receiver": ending.receiver, "at": ending.time, "why": ending.reason}
            for ending in endings
        ],
    )
