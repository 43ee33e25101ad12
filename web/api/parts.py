"""The parts that the routes of the API use: made where the web process is wired, anew with each reading of settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from worker.management.endpoint_views import EndpointViews

if TYPE_CHECKING:
    from config.settings import Settings
    from web.live_listener import LiveListener
    from worker.alarms.orders import AlarmOrders
    from worker.documents.feed_documents import FeedDocuments
    from worker.intake.article_orders import ArticleOrders
    from worker.management.management import Management
    from worker.newsroom.publication import Publication
    from worker.receivers.endpoint_orders import EndpointOrders
    from worker.receivers.previews import Previews
    from worker.receivers.pull_stream import PullStreams
    from worker.receivers.push_tests import PushTests
    from worker.receivers.sent_feeds import SentFeeds
    from worker.record import Record
    from worker.retention.recorded import RecordedArticles
    from worker.retention.warm import HotArticles
    from worker.store import Store
    from worker.takedown.event_receipts import EventReceipts
    from worker.takedown.running_kills import RunningKills
    from worker.wakeups import Wakeups


@dataclass(frozen=True)
class ApiParts:
    """What the routes use."""

    settings: Settings
    store: Store
    record: Record
    articles: HotArticles
    recorded: RecordedArticles
    publication: Publication
    documents: FeedDocuments
    wakeups: Wakeups
    management: Management
    orders: ArticleOrders
    receipts: EventReceipts
    endpoint_orders: EndpointOrders
    previews: Previews
    sent_feeds: SentFeeds
    pulls: PullStreams
    push_tests: PushTests
    live: LiveListener
    live_summary: LiveListener
    running_kills: RunningKills
    alarms: AlarmOrders

    def endpoints(self) -> EndpointViews:
        """Return the endpoints that there are now."""
        return EndpointViews(self.management.surroundings, self.management.current or self.management.copy())


def _parts(request: Request) -> ApiParts:
    parts: ApiParts = request.app.state.parts
    return parts


Parts = Annotated[ApiParts, Depends(_parts)]
