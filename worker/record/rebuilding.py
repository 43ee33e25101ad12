"""What a rebuild of Redis reads: of each feed what still moves, by index, whatever else there ever was.

A feed's numbers, its members and its departures are in `memberships`; who follows it, and up to where, in the modules
of those nouns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, exists, func, literal, or_, select, union, update

from worker.record import cursors, feed_standings, tables
from worker.record.articles import Membership

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

STATES = ("killed", "out", "in", "early")
"""What an article may be in a feed, the most urgent first."""
_AT_ONCE = 500
_memberships = tables.memberships.c
_columns = [_memberships[name] for name in Membership._fields]


class FeedInRecord(NamedTuple):
    """How much a record has of a feed: how many members, and the greatest number of a change."""

    members: int
    head: int


class UnfinishedEvent(NamedTuple):
    """An event that was not carried out, as far as the record knows, and the entry that Redis had of it."""

    number: int
    event_id: str
    is_kill: bool
    entry: str


def feeds(connection: Connection) -> dict[str, FeedInRecord]:
    """Return the feeds that articles are or were in, or that anybody follows."""
    counted = select(_memberships.feed, _memberships.state, func.count(), func.max(_memberships.sequence))
    members: dict[str, int] = {}
    heads: dict[str, int] = {}
    for feed, state, count, head in connection.execute(counted.group_by(_memberships.feed, _memberships.state)):
        members[feed] = members.get(feed, 0) + (count if state == "in" else 0)
        heads[feed] = max(heads.get(feed, 0), head)
    names = heads.keys() | followed(connection)
    for feed, standing in feed_standings.read(connection, names).items():
        heads[feed] = max(heads.get(feed, 0), standing.marks.get("head", 0))
    for feed in names:
        heads[feed] = max(heads.get(feed, 0), cursors.of_feed(connection, feed).head)
    # An endpoint that has just come may be noted before the change after which it came.
    endpoints = tables.endpoints.c
    newest = select(endpoints.feed, func.max(endpoints.cursor), func.max(func.coalesce(endpoints.since, 0)))
    for feed, cursor, since in connection.execute(newest.group_by(endpoints.feed)):
        heads[feed] = max(heads[feed], cursor, since)
    return {feed: FeedInRecord(members.get(feed, 0), head) for feed, head in heads.items()}


def followed(connection: Connection) -> set[str]:
    """Return the feeds that anybody follows or has followed."""
    both = union(select(tables.subscriptions.c.feed), select(tables.endpoints.c.feed))
    return set(connection.scalars(both))


def changed_after(
    connection: Connection, feed: str, state: str, after: tuple[int, str], limit: int
) -> list[Membership]:
    """Return what articles with a state are in a feed: up to `limit`, after a pair of a number and an article on."""
    rows = select(*_columns).where(
        _memberships.feed == feed,
        _memberships.state == state,
        _memberships.sequence >= after[0],
        or_(_memberships.sequence > after[0], and_(literal(after[1] != ""), _memberships.article_id > after[1])),
    )
    in_order = rows.order_by(_memberships.sequence, _memberships.article_id).limit(limit)
    return [Membership(*row) for row in connection.execute(in_order)]


def count_members(connection: Connection, feed: str) -> int:
    """Return how many articles are in a feed."""
    members = select(func.count()).where(_memberships.feed == feed, _memberships.state == "in")
    return connection.scalar(members) or 0


def ended_since(connection: Connection, feed: str, time: int) -> list[str]:
    """Return the subscriptions of a feed that have ended from `time` (ms) on."""
    table = tables.subscriptions.c
    return list(connection.scalars(select(table.receiver).where(table.feed == feed, table.ended >= time)))


def endpoint_beginnings(connection: Connection) -> list[tuple[str, str, int]]:
    """Return all endpoints: the feed, the name, and the change after which it came."""
    table = tables.endpoints.c
    rows = connection.execute(select(table.feed, table.endpoint, table.since))
    return [(feed, endpoint, since or 0) for feed, endpoint, since in rows]


def departed(connection: Connection, feed: str, count: int) -> list[Membership]:
    """Return the last articles that left a feed where readers had seen them: up to `count` killed, as many others."""
    rows: list[Membership] = []
    for state in ("killed", "out"):
        query = select(*_columns).where(
            _memberships.feed == feed, _memberships.state == state, _memberships.unseen.is_(False)
        )
        last = query.order_by(_memberships.sequence.desc()).limit(count)
        rows += [Membership(*row) for row in connection.execute(last)]
    return rows


def decisions(connection: Connection, feed: str, article_ids: Collection[str]) -> dict[str, tuple[int, int]]:
    """Return what was decided last about articles in a feed: article -> (version, when in ms)."""
    ordered = sorted(article_ids)
    latest: dict[str, tuple[int, int]] = {}
    for start in range(0, len(ordered), _AT_ONCE):
        chosen = _memberships.article_id.in_(ordered[start : start + _AT_ONCE])
        rows = select(_memberships.article_id, _memberships.version, _memberships.decided)
        for article_id, version, decided in connection.execute(rows.where(_memberships.feed == feed, chosen)):
            latest[article_id] = version, decided
    return latest


def accepted_since(connection: Connection, time: int, after: tuple[int, str], limit: int) -> list[tuple[int, str]]:
    """Return when articles were changed last, and their ids: up to `limit`, from `time` (ms) and after a pair on."""
    articles = tables.articles.c
    query = select(articles.accepted, articles.article_id).where(
        articles.accepted >= max(time, after[0]),
        or_(articles.accepted > after[0], articles.article_id > after[1]),
    )
    rows = connection.execute(query.order_by(articles.accepted, articles.article_id).limit(limit))
    return [(accepted, article_id) for accepted, article_id in rows]


def due_after(connection: Connection, after: tuple[int, str], limit: int) -> list[tuple[int, str]]:
    """Return when the visibility of articles changes by itself, and their ids: up to `limit` after such a pair."""
    articles = tables.articles.c
    query = select(articles.due, articles.article_id).where(
        articles.due.is_not(None),
        articles.due >= after[0],
        or_(articles.due > after[0], articles.article_id > after[1]),
    )
    rows = connection.execute(query.order_by(articles.due, articles.article_id).limit(limit))
    return [(due, article_id) for due, article_id in rows]


def unfinished_events(
    connection: Connection, after: int, limit: int, accepted_before: int | None = None
) -> list[UnfinishedEvent]:
    """Return events that were not carried out and that Redis had: up to `limit` after a number.

    Those that were accepted before a time (ms); None: all.
    """
    events = tables.events.c
    query = select(events.number, events.event_id, events.kind, events.stream_entry).where(
        events.done.is_(None), events.stream_entry.is_not(None), events.number > after
    )
    if accepted_before is not None:
        query = query.where(events.accepted < accepted_before)
    rows = connection.execute(query.order_by(events.number).limit(limit))
    return [UnfinishedEvent(number, event_id, kind == "kill", entry) for number, event_id, kind, entry in rows]


def is_any_unfinished(connection: Connection, accepted_before: int) -> bool:
    """Whether an event that was accepted before a time (ms) is not carried out, or that is not noted yet."""
    events = tables.events.c
    some = select(literal(1)).where(events.done.is_(None), events.accepted < accepted_before)
    return bool(connection.scalar(select(exists(some))))


def append_again(connection: Connection, numbers: Sequence[int]) -> None:
    """Have events appended to the streams once more."""
    events = tables.events
    for start in range(0, len(numbers), _AT_ONCE):
        chosen = events.c.number.in_(numbers[start : start + _AT_ONCE])
        connection.execute(update(events).where(chosen, events.c.done.is_(None)).values(stream_entry=None))


def latest_definitions(connection: Connection) -> dict[str, str]:
    """Return the definitions of feeds by which articles were put into them last: name -> definition as JSON."""
    newest = select(func.max(tables.definitions.c.epoch)).scalar_subquery()
    rows = select(tables.definitions.c.feed, tables.definitions.c.definition).where(
        tables.definitions.c.epoch == newest
    )
    return dict(tuple(row) for row in connection.execute(rows))
