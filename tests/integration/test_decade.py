"""The record that the benchmark makes is one that Dateline could have written."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlalchemy import func, inspect, select

from bench.decade import ENDPOINTS, OLDEST, fill, subscription
from config.settings import EXAMPLE, load
from feeds.article import Article
from feeds.patterns import pattern_of
from worker.record import Record, tables

END = datetime(2026, 11, 1, tzinfo=UTC)
ARTICLES = 500
EXPIRES = 1_800_000_000_000


def indexes(record: Record) -> set[str]:
    with record.read() as connection:
        looked_at = inspect(connection)
        return {str(index["name"]) for name in looked_at.get_table_names() for index in looked_at.get_indexes(name)}


def test_ten_years(record: Record) -> None:
    before = indexes(record)
    told: list[int] = []
    details = subscription("http://reader.example/1", "secret", "reader.example", EXPIRES)
    made = fill(record, ARTICLES, END, subscriptions=[details], progress=told.append)
    assert told == [ARTICLES]
    assert before == indexes(record)
    known = {feed.name for feed in load(EXAMPLE, {}).feeds}
    with record.read() as connection:
        for table, rows in made.rows.items():
            assert rows == connection.scalar(select(func.count()).select_from(tables.metadata.tables[table]))
        for row in connection.execute(select(tables.revisions)):
            article = Article.model_validate_json(row.document)
            assert article.model_dump_json() == row.document
            assert sha256(row.document.encode()).hexdigest() == row.sha256
            assert (article.id, article.version) == (row.article_id, row.version)
        newest, oldest = func.max(tables.articles.c.published), func.min(tables.articles.c.published)
        (span,) = connection.execute(select(newest - oldest)).scalars()
        assert span / 86_400_000 == pytest.approx(3652.5, rel=0.01)
        feeds = connection.execute(
            select(tables.memberships.c.feed, func.count(), func.max(tables.memberships.c.sequence)).group_by(
                tables.memberships.c.feed
            )
        ).all()
        assert all(count == head == made.heads[feed] for feed, count, head in feeds)
        assert all(feed in known or pattern_of(feed) in known for feed, _, _ in feeds)
        assert dict(connection.execute(select(tables.memberships.c.feed, func.count()).group_by("feed")).all())
        held = tables.deliveries.c
        holders = select(func.count()).where(held.article_id == made.oldest)
        assert connection.scalar(holders) == ENDPOINTS
        complete = select(held.article_id).group_by(held.article_id).having(func.count() == ENDPOINTS)
        assert len(connection.execute(complete).all()) >= OLDEST / 2  # those in English
        assert connection.scalar(select(func.min(tables.endpoints.c.cursor))) == made.heads["en"]
    with pytest.raises(ValueError, match="has articles already"):
        fill(record, ARTICLES, END)
