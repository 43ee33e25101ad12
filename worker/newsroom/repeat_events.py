"""Carries out events by which a person has an article sent again to the endpoints that get single articles."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import structlog

from worker.newsroom.event_outcomes import EventOutcome

if TYPE_CHECKING:
    from feeds.event import RepeatEvent
    from worker.newsroom.article_reader import ArticleReader
    from worker.store import Store

log = structlog.get_logger()

_REPEATED_PER_SECOND = 50.0
"""How many articles a second are sent again to one endpoint at the most."""
_REWINDS, _REWIND_SECONDS = 20, 0.05
"""How often, and how long apart, an endpoint that is being served is looked at before an article is sent again."""


class ArticleEndpoints(Protocol):
    """What has to be known of the partners' endpoints."""

    def in_article_mode(self, feed: str) -> list[str]:
        """Return the names of the feed's endpoints that get one request per article: to them one can be repeated."""


class RepeatEvents:
    """Asks for replays of one article."""

    def __init__(self, store: Store, articles: ArticleReader, endpoints: ArticleEndpoints) -> None:
        self._store = store
        self._articles = articles
        self._endpoints = endpoints

    def carry_out(self, event: RepeatEvent) -> EventOutcome:
        """Have an article sent again to the endpoints of the feeds that it is in, which count as changed."""
        article_id = self._store.lineage.original(event.article.id)
        stored = self._articles.get(article_id)
        repeated_feeds = set()
        for feed in sorted(stored.feeds) if stored else ():
            change = self._store.changes.latest_of(feed, [article_id]).get(article_id)
            if change is None or change.state != "in":
                continue
            for endpoint in self._endpoints.in_article_mode(feed):
                self._store.replays.request(
                    feed,
                    endpoint,
                    {article_id: change.seq},
                    f"repeat-{event.id}",
                    same_ids=False,
                    rate=_REPEATED_PER_SECOND,
                )
                if not self._rewound(feed, endpoint):
                    log.warning("repeat_waits", endpoint=endpoint, feed=feed, next_step="it goes with its next change")
                repeated_feeds.add(feed)
        log.info("article_repeated", event_id=event.id, article_id=article_id, feeds=sorted(repeated_feeds))
        result = "repeated" if repeated_feeds else "unknown"
        self._store.counters.add("dateline_events", result=result)
        return EventOutcome(result, repeated_feeds, article_id)

    def _rewound(self, feed: str, endpoint: str) -> bool:
        """Have an endpoint claimed that is up to date; wait a little for one that is just being served."""
        for _ in range(_REWINDS):
            if self._store.replays.rewind(feed, endpoint):
                return True
            time.sleep(_REWIND_SECONDS)
        return False
