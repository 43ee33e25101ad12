"""The sections and authors by which articles are found, newest first: `article_terms`.

They are written with the words of an article (search.py), a moment after it is noted, and are taken out with them. What
was in the record before there were terms is gone through by `fill`, a few articles at a time; `meta` has how far.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, delete, func, insert, select, update

from feeds.text import fold
from worker.record import tables
from worker.record.column_types import keepable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from worker.record import Record

SECTION, AUTHOR = "section", "author"

_MOST = 200
"""So many characters of a section or a name count: PostgreSQL has no index of longer texts than 2,700 bytes."""
_AT_ONCE = 100
"""Articles that are gone through in one transaction."""
_IDS_AT_ONCE = 500
_UP_TO = "terms_up_to"
"""In `meta`, while articles are gone through: the id of the last one."""

_terms = tables.article_terms
_articles = tables.articles
_meta = tables.meta


class Terms(NamedTuple):
    """Of an article: when it was published (ms), its section and its authors, as they stand in it."""

    article_id: str
    published: int
    section: str
    authors: Sequence[str]


def term_of(text: str) -> str:
    """Return a section or a name in the form in which it is compared."""
    return keepable(fold(text)[:_MOST])


def add_terms(connection: Connection, articles: Iterable[Terms]) -> None:
    """Write by what articles are found of which nothing is there."""
    rows = [row for article in articles for row in _rows(article)]
    if rows:
        connection.execute(insert(_terms), rows)


def remove_terms(connection: Connection, article_ids: Collection[str]) -> None:
    """Take articles out."""
    connection.execute(delete(_terms).where(_terms.c.article_id.in_(article_ids)))


def _rows(article: Terms) -> Iterator[dict[str, Any]]:
    # Of an article that has no section too, so that it differs from one that was not gone through yet.
    written = {(SECTION, term_of(article.section)): article.section}
    for author in article.authors:
        written.setdefault((AUTHOR, term_of(author)), author)
    for (field, term), text in written.items():
        yield {
            "field": field,
            "term": term,
            "published": article.published,
            "article_id": article.article_id,
            "written": text,
        }


def has_term(field: str, text: str) -> ColumnElement[bool]:
    """Return the condition that an article has a section or an author."""
    terms = _terms.alias().c
    same = and_(terms.field == field, terms.term == term_of(text), terms.article_id == _articles.c.article_id)
    return select(terms.article_id).where(same).exists()


def is_term(field: str, text: str) -> ColumnElement[bool]:
    """Return the condition that a row of `article_terms` is of a section or an author."""
    return and_(_terms.c.field == field, _terms.c.term == term_of(text))


def sections(connection: Connection, after: str, limit: int) -> list[tuple[str, str]]:
    """Return up to `limit` sections that articles are in, from the one after `after` on: (folded, as one writes it)."""
    listed: list[tuple[str, str]] = []
    while len(listed) < limit:
        # From one to the next: a section may have a million articles.
        following = select(func.min(_terms.c.term)).where(_terms.c.field == SECTION, _terms.c.term > after)
        term = connection.scalar(following)
        if term is None:
            break
        written = select(_terms.c.written).where(_terms.c.field == SECTION, _terms.c.term == term)
        newest = written.order_by(_terms.c.published.desc(), _terms.c.article_id.desc()).limit(1)
        listed.append((term, connection.scalar(newest) or ""))
        after = term
    return listed


def sections_of(connection: Connection, article_ids: Iterable[str]) -> dict[str, str]:
    """Return the folded sections of articles; one is left out that was not gone through yet, or has no text."""
    ids = sorted(article_ids)
    by_article: dict[str, str] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = _terms.c.article_id.in_(ids[start : start + _IDS_AT_ONCE])
        rows = select(_terms.c.article_id, _terms.c.term).where(some, _terms.c.field == SECTION)
        by_article.update(tuple(row) for row in connection.execute(rows))
    return by_article


def fill(record: Record) -> bool:
    """Go through a few of the articles that were there before there were terms; return whether there may be more.

    Nobody waits while they are read. Raises RecordAway.
    """
    with record.availability.read() as connection:
        done = connection.scalar(select(_meta.c.value).where(_meta.c.name == _UP_TO))
        if done is None:
            return False
        columns = (_articles.c.article_id, _articles.c.rev, _articles.c.published, _articles.c.document)
        following = select(*columns).where(_articles.c.article_id > done).order_by(_articles.c.article_id)
        rows = connection.execute(following.limit(_AT_ONCE)).all()
    read = [_read(row.article_id, row.published, row.document) for row in rows if row.document]
    # What a power cut undoes of it is gone through again.
    with record.availability.write("never") as connection:
        if not rows:
            connection.execute(delete(_meta).where(_meta.c.name == _UP_TO))
            return False
        ids = [row.article_id for row in rows]
        locked = (
            select(_articles.c.article_id, _articles.c.rev)
            .where(_articles.c.document.is_not(None))
            .where(_articles.c.article_id.in_(ids))
            .order_by(_articles.c.article_id)
            .with_for_update()
        )
        now = {row.article_id: row.rev for row in connection.execute(locked)}
        # One that has changed meanwhile waits for its words to be indexed, and then gets its terms too.
        same = {row.article_id for row in rows if now.get(row.article_id) == row.rev}
        remove_terms(connection, ids)
        add_terms(connection, (terms for terms in read if terms and terms.article_id in same))
        connection.execute(update(_meta).where(_meta.c.name == _UP_TO).values(value=ids[-1]))
    return True


def _read(article_id: str, published: int, document: str) -> Terms | None:
    fields = json.loads(document)
    if fields.get("pubstatus") == "canceled":
        return None
    return Terms(article_id, published, fields.get("section", ""), fields.get("authors", ()))
