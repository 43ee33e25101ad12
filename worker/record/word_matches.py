"""Finds articles by their words, in the index that `search` keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import cast, column, select, table

from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, FromClause

    from feeds.words import Phrase

TIES = 14
"""Bits of a number that tell articles of one millisecond apart."""
_index = table("article_index", column("rowid"), column("article_index"))
_words = tables.article_words


def matching(connection: Connection, phrases: Sequence[Phrase]) -> tuple[FromClause, ColumnElement[bool]]:
    """Return what to select from, `article_words` with its index, and the condition that an article has all phrases.

    Ordered by `number_of` downwards it is read no further than one goes.
    """
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import TSQUERY  # noqa: PLC0415 (a record on SQLite does not wait for it)

        query = cast(" & ".join(map(_tsquery, phrases)), TSQUERY)
        return _words, _words.c.words.bool_op("@@")(query)
    index = _index.join(_words, _words.c.number == _index.c.rowid)
    return index, _index.c.article_index.bool_op("MATCH")(" AND ".join(map(_fts, phrases)))


def number_of(connection: Connection) -> ColumnElement[int]:
    """Return the column by which what `matching` finds is ordered: on SQLite it is the index's own."""
    return _words.c.number if connection.dialect.name == "postgresql" else _index.c.rowid


def position(connection: Connection, published: int, article_id: str) -> int:
    """Return the number of an article that was published then, or that of the last one before it, for paging."""
    number = connection.scalar(select(_words.c.number).where(_words.c.article_id == article_id))
    return number if number is not None and number >> TIES >= published else published << TIES


def _fts(phrase: Phrase) -> str:
    """A phrase as FTS5 asks for it (fts5, section 3). No word has a quote."""
    return f'"{" ".join(phrase.words)}"{" *" if phrase.beginning else ""}'


def _tsquery(phrase: Phrase) -> str:
    """A phrase as PostgreSQL writes a tsquery. No word has a quote."""
    *before, last = phrase.words
    return " <-> ".join([*(f"'{word}'" for word in before), f"'{last}'{':*' if phrase.beginning else ''}"])
