"""The members of a feed, also those that are cold: by their places, and by when they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, or_, select

from worker.record import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

_members = tables.memberships.c
_articles = tables.articles.c


class PastMember(NamedTuple):
    """A member of a feed: its place, the number of its latest change there, when it was published (ms)."""

    article_id: str
    place: int
    sequence: int
    published: int


def members_between(connection: Connection, feed: str, start: int, end: int) -> list[tuple[str, int]]:
    """Return the members of a feed with places from `start` to below `end`, each with its place."""
    rows = select(_members.article_id, _members.place).where(
        _members.feed == feed, _members.state == "in", _members.place >= start, _members.place < end
    )
    return [(name, place) for name, place in connection.execute(rows)]


def members_beside(connection: Connection, feed: str, place: int, limit: int, *, below: bool) -> list[tuple[str, int]]:
    """Return up to `limit` members next below a place, or next from it on upwards, the nearest first."""
    side = _members.place < place if below else _members.place >= place
    order = _members.place.desc() if below else _members.place
    rows = select(_members.article_id, _members.place).where(_members.feed == feed, _members.state == "in", side)
    return [(name, at) for name, at in connection.execute(rows.order_by(order).limit(limit))]


def members_published(connection: Connection, feed: str, since: int, limit: int | None) -> list[PastMember]:
    """Return the members of a feed that were published `since` then (ms), the newest first; None: all of them."""
    rows = (
        select(_members.article_id, _members.place, _members.sequence, _articles.published)
        .join(tables.articles, _articles.article_id == _members.article_id)
        .where(_members.feed == feed, _members.state == "in", _articles.published >= since)
        .order_by(_articles.published.desc(), _members.article_id.desc())
        .limit(limit)
    )
    return [PastMember(*row) for row in connection.execute(rows)]


def changed_since(connection: Connection, feed: str, since: int) -> dict[str, int]:
    """Return what has changed in a feed `since` then (ms), each with the number of its latest change there.

    What was placed in the feed and pushed to nobody counts when it was published since, and is a member.
    """
    placed = and_(_members.sequence == 0, _members.state == "in", _articles.published >= since)
    rows = (
        select(_members.article_id, _members.sequence)
        .join(tables.articles, _articles.article_id == _members.article_id)
        .where(_members.feed == feed, or_(and_(_members.sequence > 0, _members.decided >= since), placed))
    )
    return {row.article_id: row.sequence for row in connection.execute(rows)}


def changed_after(connection: Connection, feed: str, sequence: int, limit: int) -> dict[str, int]:
    """Return the first changes in a feed after one of this number, up to `limit`: article -> number."""
    rows = (
        select(_members.article_id, _members.sequence)
        .where(_members.feed == feed, _members.sequence > sequence)
        .order_by(_members.sequence)
        .limit(limit)
    )
    return {row.article_id: row.sequence for row in connection.execute(rows)}
