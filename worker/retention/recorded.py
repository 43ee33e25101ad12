"""What the record has of articles, in the shape in which the store keeps it."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import select

from feeds.article import Article
from worker.record import tables
from worker.record.articles import read_articles
from worker.record.deliveries import holdings
from worker.store.articles import StoredArticle
from worker.store.cooling import PutBack, RecordedDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from worker.record import Record
    from worker.record.articles import ArticleWithFeeds, Membership
    from worker.record.deliveries import Delivery
    from worker.store.articles import StoredArticle
from worker.store.cooling import PlaceInFeed

T = TypeVar("T")


class RecordedArticle(NamedTuple):
    """An article with its places in feeds (by feed), as it is put back."""

    document: RecordedDocument
    sha256: str
    places: Mapping[str, PutBack]


class RecordedArticles:
    """Reads them. Threads may share it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._epoch = ""

    def ask(self, question: Callable[[Connection], T]) -> T | None:
        """Return what a question to the record answers; None when there is no record yet. Raises RecordAway."""
        return self._carry_out(self._record.availability.read, question)

    def write(self, change: Callable[[Connection], T]) -> T | None:
        """Carry out a change of the record in one transaction, and return what it returns. As `ask`."""
        return self._carry_out(self._record.availability.write, change)

    def _carry_out(
        self, connect: Callable[[], AbstractContextManager[Connection]], do: Callable[[Connection], T]
    ) -> T | None:
        if self.is_missing:
            return None
        with connect() as connection:
            return do(connection)

    @property
    def is_missing(self) -> bool:
        """Whether nobody has made the record yet, or its file is gone."""
        return self._record.file is not None and not self._record.file.exists()

    def epoch(self) -> str:
        """Return the epoch of the record; "" when there is none yet. Raises RecordAway."""
        if not self._epoch:
            self._epoch = self.ask(_epoch) or ""
        return self._epoch

    def read(self, article_ids: Collection[str]) -> dict[str, RecordedArticle]:
        """Return those of the articles that the record has with their texts. Raises RecordAway."""
        if not article_ids:
            return {}
        return self.ask(partial(_read, article_ids=article_ids)) or {}

    def stored(self, article_ids: Collection[str]) -> dict[str, StoredArticle]:
        """Return the articles as they are, without bringing them back. Raises RecordAway."""
        return {
            name: StoredArticle(
                Article.stored(document.doc),
                document.rev,
                frozenset(document.feeds),
                document.accepted,
                tuple(document.fingerprints.split()),
            )
            for name, (document, *_) in self.read(article_ids).items()
        }


def _epoch(connection: Connection) -> str:
    return connection.scalar(select(tables.meta.c.value).where(tables.meta.c.name == "epoch")) or ""


def _read(connection: Connection, article_ids: Collection[str]) -> dict[str, RecordedArticle]:
    articles = read_articles(connection, article_ids)
    ledgers = holdings(connection, articles)
    return {
        name: _recorded(article, article.article.document, ledgers.get(name, {}))
        for name, article in articles.items()
        if article.article.document is not None
    }


def _recorded(article: ArticleWithFeeds, doc: str, ledgers: Mapping[tuple[str, str], Delivery]) -> RecordedArticle:
    row = article.article
    places = {place.feed: _place(place, ledgers) for place in article.memberships}
    document = RecordedDocument(
        row.article_id, row.rev, doc, tuple(places), row.accepted, row.fingerprints, row.published
    )
    return RecordedArticle(document, row.sha256, places)


def _place(place: Membership, ledgers: Mapping[tuple[str, str], Delivery]) -> PutBack:
    return PutBack(
        place.version,
        place.decided,
        place.state,
        place.unseen,
        place.last_sequence,
        place.sequence,
        place.place,
        {endpoint: ledger_entry(row) for (feed, endpoint), row in ledgers.items() if feed == place.feed},
    )


def ledger_entry(row: Delivery) -> str:
    """Return an entry of a ledger as the store keeps it (worker/receivers/ledger.py)."""
    entry: dict[str, Any] = {
        "version": row.version,
        "status": row.action,
        "at": row.sent,
        "sha256": b64encode(bytes.fromhex(row.sha256)).decode("ascii"),
    }
    if row.state != "taken":
        entry["outcome"] = "unknown" if row.state == "trying" else row.state
    if row.remote:
        entry["remote"] = row.remote
    return json.dumps(entry, separators=(",", ":"))


def differs(recorded: PutBack, place: PlaceInFeed) -> str:
    """Say in what a feed has something else of an article than the record; "" when both have the same."""
    state = _fields(place.state)
    expected: dict[str, Any] = {"version": recorded.version, "asof": recorded.asof, "state": recorded.state}
    if recorded.unseen:
        expected["unseen"] = True
    if recorded.previous_seq is not None:
        expected["previous_seq"] = recorded.previous_seq
    if state != expected or place.seq != recorded.seq:
        return "state"
    counted = recorded.seq if recorded.seq > 0 else None
    scores = (
        recorded.place if recorded.state == "in" else None,
        counted if recorded.state == "killed" else None,
        counted if recorded.state == "out" else None,
    )
    if (place.place, place.killed, place.left) != scores:
        return "place"
    ledger = {endpoint: _fields(entry) for endpoint, entry in place.ledger.items() if entry}
    if ledger != {endpoint: _fields(entry) for endpoint, entry in recorded.ledger.items()}:
        return "ledger"
    return ""


def _fields(text: str) -> Any:
    """A JSON object without the stamp of the last time that it came back."""
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    if isinstance(fields, dict):
        fields.pop("warm", None)
    return fields
