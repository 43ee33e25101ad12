"""One process' parts that take articles out of Redis and bring them back, and articles that are old enough for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from recording import note

from feeds.article import Article
from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.record import Record
from worker.retention.known_id_filter import KnownIdFilter
from worker.retention.outdated import OutdatedRows
from worker.retention.recorded import RecordedArticles
from worker.retention.trim import Trimmer
from worker.retention.warm import HotArticles
from worker.store import Store, keys
from worker.store.articles import NEW

DAY = 86_400_000
OLD = 1_700_000_000_000
YEARS = timedelta(days=4000)


class Terms:
    """One feed with a window of two articles, others with none."""

    def __init__(self) -> None:
        self.limits = {"f": 2}
        self.lists: set[str] = set()

    def may_trim(self) -> bool:
        return True

    def limit(self, feed: str) -> int:
        return self.limits.get(feed, 0)

    def picks(self) -> set[str]:
        return self.lists

    def formats(self) -> list[str]:
        return ["atom"]


class Parts:
    """One process' parts on the record."""

    def __init__(self, store: Store, record: Record, grace: float = 0.0, hot: timedelta = timedelta(days=30)) -> None:
        self.store = store
        self.recorded = RecordedArticles(record)
        self.articles = HotArticles(store, self.recorded)
        self.ids = KnownIdFilter(store, self.recorded)
        self.terms = Terms()
        outdated = OutdatedRows(self.recorded, attempts=YEARS, events=YEARS)
        terms: Any = self.terms
        parts = (store, self.recorded, self.articles, self.ids, outdated, terms)
        self.trimmer = Trimmer(*parts, hot=hot, grace_seconds=grace)

    def trim(self, *article_ids: str) -> None:
        """Mark those that are cold, and take them out."""
        for _ in range(2):
            self.trimmer.trim_articles(article_ids)


def save(store: Store, name: str, feeds: tuple[str, ...] = ("f", "g"), number: int = 1, **more: Any) -> None:
    """Have an old article in feeds, with what endpoints hold of it."""
    moment = clock.moment(OLD + number)
    article = Article(
        id=name, version=1, headline=f"Of {name}", url=f"https://h.example/{name}", published=moment, updated=moment
    )
    store.articles.save(article.model_copy(update=more), NEW, feeds, OLD, ("aa", "bb"))
    store.changes.record(name, 1, OLD, dict.fromkeys(feeds, ("in", OLD + number)))
    for feed in feeds:
        for endpoint in ("e1", "e2"):
            store.receivers.enroll(feed, f"endpoint:{endpoint}", {"endpoint": endpoint})
            entry = LedgerEntry(1, "published", OLD, "ab" * 32)
            store.client.hset(keys.feed(feed).ledger(endpoint), name, str(entry))
            store.client.zadd(keys.feed(feed).settled, {f"endpoint:{endpoint}": 1_000_000})


def some(store: Store, record: Record, count: int = 15) -> list[str]:
    """Fill the feeds; the first ones are below every window."""
    names = [f"a{n:02}" for n in range(count)]
    for number, name in enumerate(names):
        save(store, name, number=number)
    note(store, record, *names)
    return names
