"""The articles among which a feed that is new, or defined anew, finds its own; a few at a time.

Whether one belongs in the feed the record can't tell: that takes the text. It gives the newest first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, exists, func, literal, or_, select, tuple_

from worker.record import tables
from worker.record.articles import Membership

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection

_AT_ONCE = 500
"""Most ids in one question."""


class Candidate(NamedTuple):
    """A usable article: when it was published (ms), and its JSON."""

    article_id: str
    published: int
    document: str


class Member(NamedTuple):
    """What an article is in a feed, and its JSON; None when its text was forgotten."""

    membership: Membership
    document: str | None


def count_candidates(connection: Connection, editions: Collection[str] | None) -> int:
    """Return how many candidates there are; `editions` as in `newest`."""
    return connection.scalar(select(func.count()).select_from(tables.articles).where(_usable(editions))) or 0


def newest(
    connection: Connection, editions: Collection[str] | None, after: tuple[int, str] | None, limit: int
) -> list[Candidate]:
    """Return up to `limit` candidates, the newest published first, from the one after `after` (published, id) on.

    `editions`: those of these editions alone, in lower case; None: of all.
    """
    articles = tables.articles.c
    query = select(articles.article_id, articles.published, articles.document).where(_usable(editions))
    if after is not None:
        query = query.where(tuple_(articles.published, articles.article_id) < tuple_(*map(literal, after)))
    in_order = query.order_by(articles.published.desc(), articles.article_id.desc()).limit(limit)
    return [Candidate(*row) for row in connection.execute(in_order)]


def _usable(editions: Collection[str] | None) -> ColumnElement[bool]:
    articles = tables.articles.c
    usable = and_(articles.pubstatus == "usable", articles.document.is_not(None))
    return usable if editions is None else and_(usable, func.lower(articles.edition).in_(sorted(editions)))


def members(connection: Connection, feed: str, after: tuple[str, str] | None, limit: int) -> list[Member]:
    """Return up to `limit` articles that are in a feed, or in any feed whose name begins so (`feed` ends in "/").

    In the order of (feed, article id), from the one after `after` on.
    """
    memberships, articles = tables.memberships, tables.articles
    of_feed = memberships.c.feed.startswith(feed, autoescape=True) if feed.endswith("/") else memberships.c.feed == feed
    columns = [memberships.c[name] for name in Membership._fields]
    query = (
        select(*columns, articles.c.document)
        .join(articles, articles.c.article_id == memberships.c.article_id)
        .where(of_feed, memberships.c.state.in_(["in", "early"]))
    )
    if after is not None:
        query = query.where(tuple_(memberships.c.feed, memberships.c.article_id) > tuple_(*map(literal, after)))
    in_order = query.order_by(memberships.c.feed, memberships.c.article_id).limit(limit)
    return [Member(Membership(*row[:-1]), row[-1]) for row in connection.execute(in_order)]


def memberships_of(connection: Connection, article_ids: Collection[str]) -> dict[tuple[str, str], Membership]:
    """Return what articles are and were in feeds, by (feed, article id)."""
    memberships = tables.memberships
    columns = [memberships.c[name] for name in Membership._fields]
    ordered = sorted(article_ids)
    rows = (
        Membership(*row)
        for start in range(0, len(ordered), _AT_ONCE)
        for row in connection.execute(
            select(*columns).where(memberships.c.article_id.in_(ordered[start : start + _AT_ONCE]))
        )
    )
    return {(row.feed, row.article_id): row for row in rows}


def placed_silently(connection: Connection, feed: str, state: str) -> dict[str, int]:
    """Return the articles that a new definition put into a feed ("in") or took out of it ("out"), unknown to receivers.

    Of the latter those that were pushed before, or that an endpoint was sent. Each with its publication (ms).
    """
    memberships, articles, deliveries = tables.memberships.c, tables.articles.c, tables.deliveries
    was_sent = exists().where(deliveries.c.feed == memberships.feed, deliveries.c.article_id == memberships.article_id)
    query = (
        select(memberships.article_id, articles.published)
        .join(tables.articles, articles.article_id == memberships.article_id)
        .where(memberships.feed == feed, memberships.state == state, memberships.sequence == 0)
    )
    if state == "out":
        query = query.where(or_(memberships.last_sequence > 0, was_sent))
    return {row.article_id: row.published for row in connection.execute(query)}
