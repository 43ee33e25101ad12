"""Finding articles in the record: by words, feed, section, time and the like, newest first; and by a name of one.

Lists are paged by a cursor, which names the article that stood last, and no rows are ever counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from pydantic_core import from_json
from sqlalchemy import and_, func, or_, select

from feeds.moments import iso, moment, ms
from feeds.standings import PubStatus, standing
from worker.record import tables, word_matches
from worker.record.articles import at_address, has_id
from worker.record.terms import AUTHOR, SECTION, has_term, is_term

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import ColumnElement, Connection, Select

    from feeds.words import Phrase

_CURSOR = re.compile(r"(-?[0-9]{1,15})\.(.{1,200})", re.ASCII | re.DOTALL)
_SMALL = 2_000
"""A feed with no more articles is read whole; in a larger one the newest are not far to seek."""
_NEIGHBOURS = 100
"""Ids before and after one that is not there, among which those are sought that look like it."""
_NEAR = 3
_UPDATES_MOST = 100
"""So many updates of updates are followed."""


_COLUMNS = ("article_id", "version", "pubstatus", "edition", "headline", "url", "published", "accepted", "document")


class WrongCursor(ValueError):
    """What was given as a cursor is none."""


@dataclass(frozen=True, slots=True)
class ArticleQuery:
    """Which articles. `since` and `until` are when they were published first, in ms: from, and before.

    `pubstatus`: those that are usable, withheld or canceled; empty: all. `feed`: those that are in it, or were when
    they were killed or withheld. `section`, `author`: those alone, however they are written; empty: all. `editions`:
    the ways in which an edition may be written; empty: all. `after`: the cursor of the page before. `shown_since`:
    those alone that readers of `feed` see, by a decision of then or before (ms).
    """

    phrases: tuple[Phrase, ...] = ()
    feed: str = ""
    since: int | None = None
    until: int | None = None
    pubstatus: str = ""
    editions: Collection[str] = ()
    section: str = ""
    author: str = ""
    limit: int = 50
    after: str = ""
    shown_since: int | None = None


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """An article as lists show it: first published, last change accepted (ms). `forgotten`: its text is not kept.

    `embargoed`, `expires`: from and until when readers may see it (ms); None: always, or it is forgotten.
    """

    article_id: str
    version: int
    pubstatus: PubStatus
    edition: str
    headline: str
    url: str
    published: int
    accepted: int
    forgotten: bool
    embargoed: int | None = None
    expires: int | None = None

    @classmethod
    def of(cls, *columns: Any) -> Self:
        """Return it of the columns of the record, in the order of the fields, with the document as the last one."""
        document = columns[-1]
        article = {} if document is None else from_json(document)
        embargoed, expires = (
            None if text is None else ms(datetime.fromisoformat(text))
            for text in (article.get("embargoed"), article.get("expires"))
        )
        return cls(*(*columns[:-1], document is None, embargoed, expires))

    @property
    def cursor(self) -> str:
        """Names its place among all articles."""
        return f"{self.published}.{self.article_id}"

    def as_json(self, now: datetime) -> dict[str, Any]:
        """Return it as lists show it at `now`."""
        embargoed, expires = (None if time is None else moment(time) for time in (self.embargoed, self.expires))
        return {
            "id": self.article_id,
            "version": self.version,
            "pubstatus": self.pubstatus,
            "standing": standing(self.pubstatus, embargoed, expires, now),
            "embargoed": iso(self.embargoed),
            "expires": iso(self.expires),
            "edition": self.edition,
            "headline": self.headline,
            "url": self.url or None,
            "published": iso(self.published),
            "accepted": iso(self.accepted),
            "forgotten": self.forgotten,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Articles, the newest first, and the cursor of the next page; None: there is none."""

    articles: list[ArticleSummary]
    after: str | None


def spellings(edition: str, editions: Iterable[str]) -> set[str]:
    """Return how articles may write an edition: upper and lower case do not matter in language tags. Empty: of none.

    `editions`: those of the newsroom, as its settings write them.
    """
    if not edition:
        return set()
    return {edition, edition.lower(), *(tag for tag in editions if tag.lower() == edition.lower())}


def find(connection: Connection, query: ArticleQuery) -> Page:
    """Return a page of the articles that a query asks for. Raises WrongCursor."""
    articles = tables.articles.c
    statement: Select[Any] = select(*(articles[name] for name in _COLUMNS))
    cursor = _read(query.after)
    if query.phrases:
        words = tables.article_words.c
        source, matches = word_matches.matching(connection, query.phrases)
        statement = statement.select_from(source.join(tables.articles, articles.article_id == words.article_id))
        number = word_matches.number_of(connection)
        statement = statement.where(matches).order_by(number.desc())
        if cursor:
            statement = statement.where(number < word_matches.position(connection, *cursor))
    else:
        places: Any = articles
        if (term := next(iter(_terms(query)), None)) is not None:
            # In the order of its own: it is read no further than one goes.
            places = tables.article_terms.c
            same = and_(places.article_id == articles.article_id, places.published == articles.published)
            statement = statement.join_from(tables.article_terms, tables.articles, same).where(is_term(*term))
        statement = statement.order_by(places.published.desc(), places.article_id.desc())
        if cursor:
            published, article_id = cursor
            before = and_(places.published == published, places.article_id < article_id)
            statement = statement.where(places.published <= published, or_(places.published < published, before))
    statement = statement.where(*_conditions(connection, query)).limit(query.limit + 1)
    rows = [ArticleSummary.of(*row) for row in connection.execute(statement)]
    page = rows[: query.limit]
    return Page(page, page[-1].cursor if len(rows) > query.limit else None)


def killed_since(connection: Connection, since: int, limit: int) -> list[ArticleSummary]:
    """Return articles that were killed since a moment (ms), the last killed first."""
    articles = tables.articles.c
    statement: Select[Any] = (
        select(*(articles[name] for name in _COLUMNS))
        .where(articles.accepted >= since, articles.pubstatus == "canceled")
        .order_by(articles.accepted.desc(), articles.article_id)
        .limit(limit)
    )
    return [ArticleSummary.of(*row) for row in connection.execute(statement)]


def _conditions(connection: Connection, query: ArticleQuery) -> list[ColumnElement[bool]]:
    articles = tables.articles.c
    conditions = []
    if query.since is not None:
        conditions.append(articles.published >= query.since)
    if query.until is not None:
        conditions.append(articles.published < query.until)
    if query.pubstatus:
        conditions.append(articles.pubstatus == query.pubstatus)
    if query.editions:
        conditions.append(articles.edition.in_(sorted(query.editions)))
    if query.feed:
        conditions.append(_in_feed(connection, query))
    # Without words the first one is what is gone through.
    conditions += [has_term(*term) for term in _terms(query)[0 if query.phrases else 1 :]]
    return conditions


def _terms(query: ArticleQuery) -> list[tuple[str, str]]:
    """The author and the section that are asked for: an author has fewer articles."""
    terms = ((AUTHOR, query.author), (SECTION, query.section))
    return [(field, text) for field, text in terms if text]


def _in_feed(connection: Connection, query: ArticleQuery) -> ColumnElement[bool]:
    memberships = tables.memberships.c
    states = {"canceled": ["killed"], "withheld": ["out"]}.get(query.pubstatus, ["in", "early"])
    mine = select(memberships.article_id).where(memberships.feed == query.feed, memberships.state.in_(states))
    if query.shown_since is not None:
        mine = mine.where(memberships.state == "in", memberships.decided <= query.shown_since)
    some = mine.limit(_SMALL + 1).subquery()
    if (connection.scalar(select(func.count()).select_from(some)) or 0) <= _SMALL:
        return tables.articles.c.article_id.in_(mine)
    return mine.where(memberships.article_id == tables.articles.c.article_id).exists()


def is_feed(connection: Connection, feed: str) -> bool:
    """Whether articles are or were in a feed of this name."""
    memberships = tables.memberships.c
    return connection.scalar(select(memberships.feed).where(memberships.feed == feed).limit(1)) is not None


def _read(cursor: str) -> tuple[int, str] | None:
    if not cursor:
        return None
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise WrongCursor("is no cursor: give what the page before ended with")
    return int(match[1]), match[2]


def identify(connection: Connection, article: str) -> str | None:
    """Return the id of the article that a person means: by its id, that of an update of it, or its address.

    Of several articles at one address it is the newest. An id may look like an address, as many systems make them; it
    counts before what is at that address. None: there is none.
    """
    if article.startswith(("http://", "https://")) and not has_id(connection, article):
        return next(iter(at_address(connection, article)), None)
    updates = tables.updates.c
    name = article
    for _ in range(_UPDATES_MOST):
        origin = connection.scalar(select(updates.evolved_from).where(updates.document_id == name))
        if origin is None:
            break
        name = origin
    article_id = select(tables.articles.c.article_id).where(tables.articles.c.article_id == name)
    return connection.scalar(article_id)


def near(connection: Connection, article_id: str) -> list[str]:
    """Return ids that look like one that is not there, the nearest first."""
    ids = tables.articles.c.article_id
    before = select(ids).where(ids <= article_id).order_by(ids.desc()).limit(_NEIGHBOURS)
    after = select(ids).where(ids > article_id).order_by(ids).limit(_NEIGHBOURS)
    neighbours = list(chain(connection.scalars(before), connection.scalars(after)))
    return get_close_matches(article_id[:200], neighbours, _NEAR)
