"""A newsroom whose workers are played by the test: their steps are made one by one; and events for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from records import archives, no_record

from feeds.definition import FeedDefinition, Selector
from feeds.formats import FEED_FORMATS
from worker import clock
from worker.documents.feed_documents import FeedDocuments
from worker.documents.feed_payloads import FeedPayload, FeedPayloads, PayloadRequest
from worker.documents.feed_renderer import FeedRenderer
from worker.documents.quality_gate import QualityGate
from worker.intake.accept import Intake
from worker.newsroom.event_consumer import EventConsumer
from worker.newsroom.newsroom import Newsroom
from worker.newsroom.publication import Publication
from worker.record import Record
from worker.retention.noting import Noting
from worker.retention.recorded import RecordedArticles
from worker.retention.warm import HotArticles
from worker.store import Store
from worker.store.alerts import Alerts
from worker.store.articles import StoredArticle

PUBLISHED = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Wakeups:
    """Notes the calls that would go through Celery."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []

    def consume(self, *, urgent: bool) -> None:
        self.calls.append(("consume", urgent))

    def distribute(self, feed: str, *, urgent: bool = False) -> None:
        self.calls.append((feed, urgent))

    def verify(self, feed: str) -> None:
        self.calls.append((feed, False))


class Contracts:
    """No endpoint gets single articles; those of the feeds in `early` get them under embargo."""

    def __init__(self, early: set[str]) -> None:
        self._early = early

    def in_article_mode(self, _feed: str) -> list[str]:
        return []

    def feeds_with_early_access(self) -> set[str]:
        return self._early

    def any_page_checks(self) -> bool:
        return True


def site(*more: FeedDefinition) -> Publication:
    feeds = (
        FeedDefinition(name="all", title="All"),
        FeedDefinition(name="world", title="World", select=(Selector(section=("World",)),)),
        FeedDefinition(name="picks", title="Picks", list="picks"),
        *more,
    )
    return Publication("https://herald.example", "The Herald", "herald.example,2026", "en", feeds)


class Desk:
    """A newsroom without workers: its steps are made one by one."""

    def __init__(self, store: Store, record: Record | None = None) -> None:
        self.store = store
        self.record = record or no_record()
        self.noting = Noting(store, self.record)
        self.wakeups = Wakeups()
        self.site = site()
        self.early: set[str] = set()
        self.killed: list[tuple[str, int]] = []
        store.events.create_group()

    def newsroom(self, worker: str = "w1") -> Newsroom:
        """What one worker does, with the permit to carry out events."""

        def on_killed(feed: str, stored: StoredArticle) -> None:
            self.killed.append((feed, stored.article.version))

        wakeups: Any = self.wakeups
        newsroom = Newsroom(
            self.store,
            self.record,
            HotArticles(self.store, RecordedArticles(self.record)),
            self.site,
            wakeups,
            worker,
            Contracts(self.early),
            Alerts(self.store.operations, webhook=True),
            self.noting,
            try_locally=lambda _: False,
            on_killed=on_killed,
        )
        newsroom.permit.renew()
        return newsroom

    def consumer(self, worker: str = "w1") -> EventConsumer:
        return self.newsroom(worker).events

    def release_due(self, now: datetime) -> int:
        return self.newsroom().releases.release_due(now)

    def index(self, worker: str = "w1") -> None:
        """Fill the feeds that are new or defined anew, as a worker does in the background."""
        self.newsroom(worker).indexer.fill()

    def accept(self, *events: dict[str, Any]) -> None:
        intake = Intake(self.store, self.wakeups)  # type: ignore[arg-type]
        receipts = intake.accept(events, clock.now())
        assert ["accepted"] * len(events) == [receipt.status for receipt in receipts]

    def members(self, feed: str) -> list[str]:
        return self.store.changes.members(feed)

    def renderer(self) -> FeedRenderer:
        gate = QualityGate(self.store, Alerts(self.store.operations, webhook=True))
        return FeedRenderer(self.store, self.site, gate)

    def documents(self) -> FeedDocuments:
        return FeedDocuments(self.store, self.site, self.renderer(), archives(self.store))

    def payload(self, feed: str, format_name: str, request: PayloadRequest) -> FeedPayload | None:
        definition = self.site.feed(feed)
        assert definition is not None
        return FeedPayloads(self.store, self.renderer()).build(definition, FEED_FORMATS[format_name], request)

    def document(self, feed: str) -> str:
        return self.documents().current(self.site.feed(feed), FEED_FORMATS["atom"]).body.decode()


_count = iter(range(10_000))


def take_number() -> int:
    """A number that no other event has."""
    return next(_count)


def article(article_id: str, version: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"evt-{next(_count)}",
        "type": "article.published",
        "article": {
            "id": article_id,
            "version": version,
            "headline": f"{article_id} v{version}",
            "url": f"https://herald.example/{article_id}",
            "section": "world",
            "published": PUBLISHED.isoformat(),
            **more,
        },
    }


def kill(article_id: str) -> dict[str, Any]:
    return {"id": f"evt-{next(_count)}", "type": "article.killed", "article": {"id": article_id}}
