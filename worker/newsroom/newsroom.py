"""Puts the parts of this room together for one worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from worker.newsroom.apply_to_feeds import FeedApplier
from worker.newsroom.article_events import ArticleEvents
from worker.newsroom.endpoint_backfills import EndpointBackfills
from worker.newsroom.event_consumer import EventConsumer
from worker.newsroom.event_permit import EventPermit
from worker.newsroom.feed_index import FeedIndexer
from worker.newsroom.feed_offers import FeedOffers
from worker.newsroom.feed_orders import OrderedArticles
from worker.newsroom.index_placer import IndexPlacer
from worker.newsroom.list_events import ListEvents
from worker.newsroom.lost_revisions import LostRevisions
from worker.newsroom.placement import ArticlePlacer, EarlyFeeds
from worker.newsroom.publisher import Publisher
from worker.newsroom.recorded_index import RecordedIndex
from worker.newsroom.rejected_events import RejectedEvents
from worker.newsroom.releases import Releases
from worker.newsroom.repeat_events import ArticleEndpoints, RepeatEvents
from worker.newsroom.revisions import EndpointPages, Revisions
from worker.newsroom.trim_terms import TrimTerms
from worker.newsroom.updates import Updates
from worker.retention.recorded import RecordedArticles

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.newsroom.publication import Publication
    from worker.record import Record
    from worker.retention.noting import Noting
    from worker.retention.warm import HotArticles
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.articles import StoredArticle
    from worker.wakeups import Wakeups


class EndpointTerms(ArticleEndpoints, EarlyFeeds, EndpointPages, Protocol):
    """All that has to be known of the partners' endpoints."""


class Newsroom:
    """What one worker does to articles and feeds. Starts nothing by itself.

    `events` carries out events, `releases` what time changes; both only under the `permit`. `indexer` fills feeds that
    are new, `orders` does what a person orders of them, `backfills` are of endpoints that are new. `trim_terms` says
    what trimming needs to know. `try_locally`: see FeedOffers; `on_killed`: see FeedApplier.
    """

    def __init__(
        self,
        store: Store,
        record: Record,
        articles: HotArticles,
        publication: Publication,
        wakeups: Wakeups,
        worker: str,
        endpoints: EndpointTerms,
        alerts: Alerts,
        noting: Noting,
        *,
        try_locally: Callable[[str], bool],
        on_killed: Callable[[str, StoredArticle], None],
    ) -> None:
        recorded = RecordedArticles(record)
        placer = ArticlePlacer(store, publication, endpoints)
        applier = FeedApplier(store, articles, placer, on_killed)
        revisions = Revisions(store, publication, placer, endpoints)
        updates = Updates(store, articles, revisions, applier)
        offers = FeedOffers(wakeups, try_locally)
        lost_revisions = LostRevisions(store, articles, revisions, placer, applier)
        publisher = Publisher(
            ArticleEvents(store, articles, revisions, updates, applier, lost_revisions),
            ListEvents(store, publication, applier, lost_revisions),
            RepeatEvents(store, articles, endpoints),
            offers,
        )
        self.permit = EventPermit(store, record, publication, worker)
        self.events = EventConsumer(store, worker, self.permit, publisher, RejectedEvents(store, alerts), noting)
        self.releases = Releases(store, self.permit, applier, offers)
        self.backfills = EndpointBackfills(store, recorded, wakeups)
        self.orders = OrderedArticles(store, self.permit, articles, offers)
        self.trim_terms = TrimTerms(publication, self.permit, placer)
        index_placer = IndexPlacer(store, placer)
        recorded_index = RecordedIndex(store, record, publication, placer, index_placer, articles.warm)
        self.indexer = FeedIndexer(store, self.permit, placer, index_placer, recorded_index, self.backfills)
