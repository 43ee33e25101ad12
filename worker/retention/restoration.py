"""Puts articles back into Redis as the record has them.

An article comes back whole: what endpoints hold of it, what it is in feeds, the article itself last. What Redis knows
better stays, so it may be done at any time, again, and by several at once.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from worker.record.articles import read_articles
from worker.record.deliveries import holdings
from worker.retention.recorded import ledger_entry
from worker.store.restoring import RestoredArticle, RestoredMembership

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection

    from worker.record import Record
    from worker.record.articles import ArticleWithFeeds, Membership
    from worker.record.deliveries import Delivery
    from worker.store import Store

_AT_ONCE = 200
"""Articles that are put back at once."""


class Restoration:
    """Restores articles in one Redis from one record. Threads may share it."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record

    def restore(self, article_ids: Collection[str]) -> int:
        """Have Redis know these articles as the record does, or better; return how many it had not, or older.

        Raises redis.RedisError and RecordAway.
        """
        count, ordered = 0, list(dict.fromkeys(article_ids))
        for start in range(0, len(ordered), _AT_ONCE):
            with self._record.availability.read() as connection:
                articles, entries = read_lot(connection, ordered[start : start + _AT_ONCE])
            count += self._write(articles, entries)
        return count

    def _write(self, articles: Collection[ArticleWithFeeds], entries: Iterable[Delivery]) -> int:
        restoring = self._store.restoring
        restoring.ledger(_by_endpoint(entries))
        restoring.memberships(restored(place) for article in articles for place in article.memberships)
        return restoring.articles([as_restored(article, text) for article in articles if (text := _text(article))])


def read_lot(connection: Connection, article_ids: Collection[str]) -> tuple[list[ArticleWithFeeds], list[Delivery]]:
    """Return what the record has of articles, and what endpoints hold of them."""
    entries = holdings(connection, article_ids).values()
    return list(read_articles(connection, article_ids).values()), list(chain.from_iterable(map(dict.values, entries)))


def restored(place: Membership) -> RestoredMembership:
    """Return what an article is in a feed, in the shape in which the store restores it."""
    return RestoredMembership(
        place.feed,
        place.article_id,
        place.version,
        place.decided,
        place.state,
        place.place,
        place.sequence,
        place.last_sequence,
        place.unseen,
    )


def as_restored(article: ArticleWithFeeds, document: str) -> RestoredArticle:
    """Return an article in the shape in which the store restores it."""
    row = article.article
    return RestoredArticle(
        row.article_id,
        document,
        row.rev,
        row.version,
        row.saves,
        tuple(place.feed for place in article.memberships),
        row.accepted,
        row.fingerprints,
        row.published,
        row.due,
    )


def _text(article: ArticleWithFeeds) -> str:
    """The article as JSON; none when its words were forgotten, and then it stays in the record."""
    return article.article.document or ""


def _by_endpoint(deliveries: Iterable[Delivery]) -> dict[tuple[str, str], dict[str, str]]:
    entries: dict[tuple[str, str], dict[str, str]] = {}
    for delivery in deliveries:
        entries.setdefault((delivery.feed, delivery.endpoint), {})[delivery.article_id] = ledger_entry(delivery)
    return entries
