"""The index of words: by which words articles are found, newest first.

To cut and fold the words of an article, and to index them, takes up to a millisecond: too long for whoever carries out
events. So it is noted that an article waits (`index_text`, in the transaction that notes the article, after that), and
a process indexes what waits a moment later (`index_waiting`). On PostgreSQL the index is a GIN index of
`article_words.words`, on SQLite the FTS5 table `article_index`, which has no texts of its own: to take an article out
of it one gives it the same words again, and for that `article_words` has them. Both get words that `feeds.words` has
cut, so that both find the same.

FTS5 leaves what is taken out in its older segments until it merges them. `clean` has it merge all, a bounded piece at a
time; until then `is_clean` is False.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, insert, select, text, update

from feeds.article import Article
from feeds.words import words_of_article
from worker.record import tables
from worker.record.column_types import keepable
from worker.record.terms import Terms, add_terms, remove_terms
from worker.record.upserts import upsert, upsert_many
from worker.record.word_matches import TIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from worker.record import Record

Cleaning = Literal["clean", "going on", "in use"]
"""in use: all is done but the last step, for which somebody who reads is to end that first."""

_TRIES = 8
"""Places that are tried within a millisecond before the next one is."""
_AT_ONCE = 25
"""Articles that are indexed in one transaction."""
_PAGES = 200
"""Pages of the index that are merged in one transaction, at most about."""

_ERASED, _CLEANED, _CLEANING = "words_erased", "words_cleaned", "words_cleaning"
"""In `meta`: how often words were erased; up to which of these nothing is left; up to which the cleaning is for."""
_ADD = text("INSERT INTO article_index (rowid, words) VALUES (:number, :words)")
_DELETE = text("INSERT INTO article_index (article_index, rowid, words) VALUES ('delete', :number, :words)")
_MERGE = text("INSERT INTO article_index (article_index, rank) VALUES ('merge', :pages)")

_words = tables.article_words
_articles = tables.articles
_unindexed = tables.unindexed
_meta = tables.meta


def index_text(connection: Connection, article_ids: Iterable[str]) -> None:
    """Note that articles have changed, in the transaction that changes them; their words are indexed a moment later."""
    upsert_many(connection, _unindexed, ("article_id",), [(keepable(name),) for name in sorted(set(article_ids))])


def index_waiting(record: Record, most: int = _AT_ONCE) -> int:
    """Index up to `most` of the articles that wait; return how many. Nobody waits while their words are cut.

    Raises RecordAway.
    """
    waiting = select(_unindexed.c.article_id, _articles.c.rev, _articles.c.published, _articles.c.document).join_from(
        _unindexed, _articles, _articles.c.article_id == _unindexed.c.article_id, isouter=True
    )
    with record.availability.read() as connection:
        rows = connection.execute(waiting.limit(most)).all()
    if not rows:
        return 0
    articles = {row.article_id: Article.stored(row.document) for row in rows if row.document}
    words = {row.article_id: words_of_article(articles[row.article_id]) if row.document else [] for row in rows}
    # What a power cut undoes of it waits again.
    with record.availability.write("never") as connection:
        ids = sorted(words)
        locked = (
            select(_articles.c.article_id, _articles.c.rev)
            .where(_articles.c.article_id.in_(ids))
            .order_by(_articles.c.article_id)
            .with_for_update()
        )
        revs = {row.article_id: row.rev for row in connection.execute(locked)}
        # Of what has changed meanwhile the words are old: it goes on waiting.
        same = [row for row in rows if revs.get(row.article_id) == row.rev]
        _remove(connection, [row.article_id for row in same])
        _add(connection, [(row.article_id, row.published, words[row.article_id]) for row in same])
        add_terms(connection, _terms_of(same, articles))
        connection.execute(delete(_unindexed).where(_unindexed.c.article_id.in_([row.article_id for row in same])))
    return len(rows)


def _terms_of(rows: Iterable[Any], articles: Mapping[str, Article]) -> Iterator[Terms]:
    for row in rows:
        article = articles.get(row.article_id)
        if article is not None and article.pubstatus != "canceled":
            yield Terms(row.article_id, row.published, article.section, article.authors)


def take_out(connection: Connection, article_id: str) -> None:
    """Take an article out of the index: its words are to be nowhere. Until `is_clean` they may be in old pages."""
    connection.execute(delete(_unindexed).where(_unindexed.c.article_id == article_id))
    _remove(connection, [article_id])


def note_erasure(connection: Connection) -> None:
    """Note that words were erased, of which old pages have still to be cleaned."""
    erased = counter(connection, _ERASED)
    set_counter(connection, _ERASED, erased + 1)


def is_clean(connection: Connection) -> bool:
    """Whether nothing of what was erased is left in old pages of a record on SQLite."""
    return counter(connection, _ERASED) == counter(connection, _CLEANED)


def clean(record: Record) -> Cleaning:
    """Do a piece of the cleaning on SQLite; return how it stands. On PostgreSQL it is done by its vacuum.

    A piece is one short transaction; the last one empties the write-ahead log, for which others must not be reading.
    Raises RecordAway.
    """
    if record.file is None:
        return "clean"
    with record.availability.read() as connection:
        if is_clean(connection):
            return "clean"
    with record.availability.write() as connection:
        erased, begun = counter(connection, _ERASED), counter(connection, _CLEANING)
        if begun == counter(connection, _CLEANED):
            # All segments become one, and what was taken out is in none (fts5, section 6.8).
            begun = erased
            set_counter(connection, _CLEANING, begun)
            merged = _merge(connection, -_PAGES)
        else:
            merged = _merge(connection, _PAGES)
    if merged:
        return "going on"
    if not record.empty_log():
        return "in use"
    with record.availability.write() as connection:
        set_counter(connection, _CLEANED, begun)
        return "clean" if is_clean(connection) else "going on"


def _merge(connection: Connection, pages: int) -> bool:
    """Whether there was anything to merge."""
    changes = text("SELECT total_changes()")
    before = connection.scalar(changes) or 0
    connection.execute(_MERGE, {"pages": pages})
    # The call itself is a change.
    return (connection.scalar(changes) or 0) - before > 1


def _remove(connection: Connection, article_ids: Sequence[str]) -> None:
    remove_terms(connection, article_ids)
    indexed = connection.execute(
        select(_words.c.number, _words.c.words).where(_words.c.article_id.in_(article_ids))
    ).all()
    if not indexed:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(_DELETE, [{"number": row.number, "words": " ".join(row.words)} for row in indexed])
    connection.execute(delete(_words).where(_words.c.number.in_([row.number for row in indexed])))


def _add(connection: Connection, articles: Sequence[tuple[str, int | None, Sequence[str]]]) -> None:
    """Add articles that are not in the index: id, when it was published, words; one without words is not added."""
    words = {name: words for name, published, words in articles if published is not None and words}
    if not words:
        return
    times = {name: published for name, published, _ in articles if published is not None and name in words}
    numbers = sorted(_free_numbers(connection, times).items())
    rows = [{"number": number, "article_id": name, "words": words[name]} for name, number in numbers]
    connection.execute(insert(_words), rows)
    if connection.dialect.name == "sqlite":
        connection.execute(_ADD, [{"number": number, "words": " ".join(words[name])} for name, number in numbers])


def _free_numbers(connection: Connection, published: Mapping[str, int]) -> dict[str, int]:
    """A number for each article: when it was published, or near that where an import fills a moment."""
    numbers: dict[str, int] = {}
    for attempt in count():
        names_by_number = {_number(name, published[name], attempt): name for name in published if name not in numbers}
        in_use = {
            *numbers.values(),
            *connection.scalars(select(_words.c.number).where(_words.c.number.in_(names_by_number))),
        }
        numbers |= {name: number for number, name in names_by_number.items() if number not in in_use}
        if len(numbers) == len(published):
            break
    return numbers


def _number(article_id: str, published: int, attempt: int) -> int:
    tie = int.from_bytes(sha256(f"{attempt} {article_id}".encode("utf-8", "replace")).digest()[:2]) >> 16 - TIES
    return (published + attempt // _TRIES << TIES) + tie


def counter(connection: Connection, name: str) -> int:
    """Return a number that `meta` has; 0 where it has none."""
    return int(connection.scalar(select(_meta.c.value).where(_meta.c.name == name)) or 0)


def set_counter(connection: Connection, name: str, value: int) -> None:
    """Set a number in `meta`."""
    upsert(connection, _meta, [{"name": name, "value": "0"}])
    connection.execute(update(_meta).where(_meta.c.name == name).values(value=str(value)))
