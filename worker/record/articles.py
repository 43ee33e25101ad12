"""Articles and their revisions, the feeds that they are and were in, curated lists, updates, feeds of patterns.

Whoever writes does so in a transaction of its own, as often as it likes and in any order: a row is replaced only by
one of the same state or a later one. An article is written before its revisions, and texts are forgotten last
(forgetting.py), so that what belongs to one article is written by one transaction at a time.
"""

from __future__ import annotations

import json
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import and_, bindparam, or_, select, tuple_

from worker.record import tables
from worker.record.column_types import compressed, keepable, keepable_row
from worker.record.upserts import replaced, upsert, upsert_many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

_AT_ONCE = 500
"""Most ids in one question."""
_FUTURE_MS = 5_000
"""A decision that lies further in the future was made by a clock that has been set back since: it does not count."""
_COLUMNS = {"sender": "who"}
"""What columns are called whose rows have another name for it."""


class Revision(NamedTuple):
    """One accepted change of an article. `sha256` is of the document, its JSON; None when the text was forgotten.

    `fingerprints` are of this text, separated by spaces. `event_id`, `sender`: of the event that brought it.
    `accepted` in ms.
    """

    article_id: str
    version: int
    sha256: str
    pubstatus: str
    document: str | None
    fingerprints: str
    accepted: int
    event_id: str
    sender: str = ""


class RecordedArticle(NamedTuple):
    """An article as it is now. `rev` as the store has it; `fingerprints` are of its earlier texts; times in ms.

    `due`: when its visibility changes next by itself. `document`: None when its text was forgotten.
    """

    article_id: str
    version: int
    rev: str
    sha256: str
    pubstatus: str
    edition: str
    headline: str
    url: str
    document: str | None
    fingerprints: str
    published: int
    accepted: int
    due: int | None

    @property
    def saves(self) -> int:
        """How often it was saved by then: the first part of its rev."""
        return int(self.rev.partition("-")[0])


class Membership(NamedTuple):
    """What an article is in a feed: in, out, killed or early, decided as of `decided` (ms), by the text of `version`.

    `place` orders the feed. `sequence`: the number of its latest change there, 0 when it was pushed to nobody;
    `last_sequence`: of the latest before it left, None when it has not. `unseen`: no reader ever saw it there.
    """

    feed: str
    article_id: str
    state: str
    version: int
    decided: int
    place: int
    sequence: int
    last_sequence: int | None = None
    unseen: bool = False


class Headline(NamedTuple):
    """The headline of a revision, and the edition in whose language it is."""

    text: str
    edition: str


class CuratedList(NamedTuple):
    """A curated list as of a time, in microseconds. `sender`: of the event that set it."""

    name: str
    microseconds: int
    articles: tuple[str, ...]
    sender: str = ""


class PatternValue(NamedTuple):
    """A feed that a pattern has made: the value in the feed's name, and as an article first wrote it."""

    pattern: str
    value: str
    written: str


class ArticleWithFeeds(NamedTuple):
    """An article as it is now, and what it is in every feed that it ever was in."""

    article: RecordedArticle
    memberships: tuple[Membership, ...]


def note_articles(connection: Connection, articles: Iterable[RecordedArticle]) -> None:
    """Write articles as they are now, each once. A later state that is there already stays."""
    rows = [_article_row(row) for row in sorted(articles, key=_by_id)]
    upsert_many(connection, tables.articles, _ARTICLE_COLUMNS, rows, _replaced_articles, _saved_later)


def _article_row(row: RecordedArticle) -> tuple[Any, ...]:
    """Its values, in the order of the table's columns."""
    *before, document, fingerprints, published, accepted, due = row
    article_id, version, rev, *rest = keepable_row(tuple(before))
    return (
        article_id, version, rev, row.saves, *rest, _packed(document), keepable(fingerprints), published, accepted, due
    )  # fmt: skip


def note_revisions(connection: Connection, revisions: Iterable[Revision]) -> None:
    """Write revisions. One that is there already stays as it is: its text may have been forgotten."""
    rows = [
        (*keepable_row(row[:4]), _packed(row.document), *keepable_row(row[5:]))
        for row in sorted(revisions, key=_by_version)
    ]
    upsert_many(connection, tables.revisions, _REVISION_COLUMNS, rows)


def note_memberships(connection: Connection, memberships: Iterable[Membership], now: int) -> None:
    """Write what articles are in feeds, each once in a feed; `now` in ms. A later decision that is there stays."""
    rows = [keepable_row(row) for row in sorted(memberships, key=_by_feed)]
    counts_until = now + _FUTURE_MS
    upsert_many(
        connection,
        tables.memberships,
        Membership._fields,
        rows,
        _replaced_memberships,
        _decided_later,
        counts_until=counts_until,
    )


_by_id = attrgetter("article_id")
_by_version = attrgetter("article_id", "version", "sha256")
_by_feed = attrgetter("feed", "article_id")
_REVISION_COLUMNS = tuple(_COLUMNS.get(name, name) for name in Revision._fields)
_ARTICLE_COLUMNS = (*RecordedArticle._fields[:3], "saves", *RecordedArticle._fields[3:])
_replaced_articles = replaced(tables.articles, _ARTICLE_COLUMNS)
_replaced_memberships = replaced(tables.memberships, Membership._fields)


def _packed(document: str | None) -> bytes | None:
    """A document as it is kept."""
    return None if document is None else compressed(document)


def note_updates(connection: Connection, origins: Mapping[str, str]) -> None:
    """Write of which documents other documents are updates, by the ids of the latter. The first that is named stays."""
    rows = ({"document_id": document, "evolved_from": origin} for document, origin in origins.items())
    upsert(connection, tables.updates, rows)


def note_lists(connection: Connection, lists: Iterable[CuratedList]) -> None:
    """Write curated lists. A later one that is there already stays."""
    rows = ({**_values(row), "articles": json.dumps(row.articles)} for row in lists)
    upsert(connection, tables.lists, rows, _set_later)


def note_pattern_feeds(connection: Connection, values: Iterable[PatternValue]) -> None:
    """Write the feeds of patterns. The first way in which a value was written stays."""
    upsert(connection, tables.pattern_feeds, (row._asdict() for row in values))


def note_authority(connection: Connection, authority: str) -> None:
    """Write under which authority ids of entries were first given. The first stays."""
    upsert(connection, tables.meta, [{"name": "authority", "value": authority}])


def _saved_later(old: Any, new: Any) -> ColumnElement[bool]:
    later: ColumnElement[bool] = tuple_(new.saves, new.version) >= tuple_(old.saves, old.version)
    return later


def _decided_later(old: Any, new: Any) -> ColumnElement[bool]:
    same_version = and_(
        new.version == old.version, or_(new.decided >= old.decided, old.decided > bindparam("counts_until"))
    )
    return or_(new.version > old.version, same_version)


def _set_later(old: Any, new: Any) -> ColumnElement[bool]:
    later: ColumnElement[bool] = new.microseconds >= old.microseconds
    return later


def read_article(connection: Connection, article_id: str) -> ArticleWithFeeds | None:
    """Return an article as it is now, with its feeds; None when there is none."""
    return read_articles(connection, [article_id]).get(article_id)


def read_articles(connection: Connection, article_ids: Collection[str]) -> dict[str, ArticleWithFeeds]:
    """Return those of the articles that there are, as they are now, with their feeds."""
    articles: dict[str, ArticleWithFeeds] = {}
    for ids in _lots(article_ids):
        memberships: dict[str, list[Membership]] = {}
        in_feeds = select(*_columns(tables.memberships, Membership)).where(tables.memberships.c.article_id.in_(ids))
        for row in connection.execute(in_feeds.order_by(tables.memberships.c.feed)):
            memberships.setdefault(row.article_id, []).append(Membership(*row))
        now = select(*_columns(tables.articles, RecordedArticle)).where(tables.articles.c.article_id.in_(ids))
        for row in connection.execute(now):
            article = RecordedArticle(*row)
            articles[article.article_id] = ArticleWithFeeds(article, tuple(memberships.get(article.article_id, ())))
    return articles


def history(connection: Connection, article_id: str) -> list[Revision]:
    """Return the revisions of an article, the first first."""
    revisions = select(*_columns(tables.revisions, Revision)).where(tables.revisions.c.article_id == article_id)
    in_order = revisions.order_by(tables.revisions.c.version, tables.revisions.c.accepted)
    return [Revision(*row) for row in connection.execute(in_order)]


def headlines(connection: Connection, versions: Collection[tuple[str, int]]) -> dict[tuple[str, int], Headline]:
    """Return the headlines of versions of articles, (article, version), whose text is kept; by one question."""
    if not versions:
        return {}
    revisions = tables.revisions.c
    names, numbers = {name for name, _ in versions}, {number for _, number in versions}
    rows = connection.execute(
        select(revisions.article_id, revisions.version, revisions.document).where(
            revisions.article_id.in_(names), revisions.version.in_(numbers), revisions.document.is_not(None)
        )
    )
    articles = {(article_id, version): from_json(document) for article_id, version, document in rows}
    return {
        version: Headline(article["headline"], article["edition"])
        for version, article in articles.items()
        if version in versions and article["headline"]
    }


def existing(connection: Connection, article_ids: Collection[str]) -> set[str]:
    """Return which of the articles there are."""
    name = tables.articles.c.article_id
    lots = (connection.scalars(select(name).where(name.in_(ids))) for ids in _lots(article_ids))
    return set(chain.from_iterable(lots))


def window(
    connection: Connection, feed: str, limit: int, *, below: int | None = None, state: str = "in"
) -> list[Membership]:
    """Return up to `limit` members of a feed, the top first; those with places `below` one, None: from the top.

    `state`: what they are there.
    """
    memberships = tables.memberships.c
    members = select(*_columns(tables.memberships, Membership)).where(
        memberships.feed == feed, memberships.state == state
    )
    if below is not None:
        members = members.where(memberships.place < below)
    in_order = members.order_by(memberships.place.desc(), memberships.article_id.desc()).limit(limit)
    return [Membership(*row) for row in connection.execute(in_order)]


def has_id(connection: Connection, article_id: str) -> bool:
    """Whether there is an article of this id."""
    return (
        connection.scalar(select(tables.articles.c.article_id).where(tables.articles.c.article_id == article_id))
        is not None
    )


def at_address(connection: Connection, url: str) -> list[str]:
    """Return the ids of the articles that have this address now, the newest first."""
    articles = tables.articles.c
    ids = select(articles.article_id).where(articles.url == url).order_by(articles.published.desc())
    return list(connection.scalars(ids))


def read_lists(connection: Connection) -> list[CuratedList]:
    """Return all curated lists."""
    rows = connection.execute(select(*_columns(tables.lists, CuratedList)).order_by(tables.lists.c.name))
    return [CuratedList(name, time, tuple(json.loads(ids)), sender) for name, time, ids, sender in rows]


def senders(connection: Connection, event_ids: Collection[str]) -> dict[str, str]:
    """Return who sent events, by their ids; those of whom nobody knows are left out."""
    events = tables.events.c
    by_event: dict[str, str] = {}
    for ids in _lots(event_ids):
        rows = select(events.event_id, events.who).where(events.event_id.in_(ids), events.who != "")
        by_event.update(tuple(row) for row in connection.execute(rows.order_by(events.number)))
    return by_event


def read_authority(connection: Connection) -> str | None:
    """Return the authority under which ids of entries were first given."""
    return connection.scalar(select(tables.meta.c.value).where(tables.meta.c.name == "authority"))


def read_updates(connection: Connection, after: str = "", limit: int = 10_000) -> dict[str, str]:
    """Return of which documents others are updates, by the ids of the latter: up to `limit` of these after an id."""
    updates = tables.updates.c
    rows = select(updates.document_id, updates.evolved_from).where(updates.document_id > after)
    return dict(tuple(row) for row in connection.execute(rows.order_by(updates.document_id).limit(limit)))


def read_pattern_feeds(connection: Connection) -> Iterator[PatternValue]:
    """Return the feeds of all patterns, one by one."""
    rows = connection.execution_options(yield_per=1000).execute(select(*_columns(tables.pattern_feeds, PatternValue)))
    return (PatternValue(*row) for row in rows)


def _columns(table: Any, row: type[NamedTuple]) -> list[Any]:
    return [table.c[_COLUMNS.get(name, name)] for name in row._fields]


def _values(row: NamedTuple) -> dict[str, Any]:
    """The values of a row, by the names of its columns."""
    return {_COLUMNS.get(name, name): value for name, value in row._asdict().items()}


def _lots(ids: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(ids)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
