"""One worker's distributor on a real Redis, with real endpoints; what tells people and wakes others is a stand-in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from unittest import mock

from receiver import Receiver
from records import hot_articles

from feeds.article import Article
from feeds.definition import FeedDefinition
from worker import clock
from worker.destinations.endpoint import Endpoint
from worker.destinations.http import HttpDestination
from worker.documents.feed_payloads import FeedPayloads
from worker.documents.feed_renderer import FeedRenderer
from worker.documents.quality_gate import QualityGate
from worker.newsroom.publication import Publication
from worker.outbound.engine import Engine
from worker.outbound.guard import Guard
from worker.pictures.pictures import Pictures
from worker.receivers.clearance import Clearance
from worker.receivers.distributor import Distributor
from worker.receivers.endpoint_directory import EndpointDirectory
from worker.receivers.endpoint_planner import EndpointPlanner
from worker.receivers.subscribers import Subscribers
from worker.store import Store
from worker.store.alerts import Alerts
from worker.store.articles import NEW
from worker.store.subscription_requests import SubscriptionRequest

SITE = Publication(
    "https://herald.example", "The Herald", "herald.example,2026", "en", (FeedDefinition(name="f", title="F"),)
)
CLAIM_SECONDS, TIMEOUT = 20.0, 10.0
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Worker:
    """A worker's distributor, and what changes in the one feed."""

    def __init__(self, redis_url: str, receiver: Receiver, pictures: Path | None = None, name: str = "worker") -> None:
        self.store = Store.connect(redis_url)
        self.receiver = receiver
        self.engine = Engine(Guard((ip_network("127.0.0.0/8"),)))
        gate = QualityGate(self.store, Alerts(self.store.operations, webhook=False))
        payloads = FeedPayloads(self.store, FeedRenderer(self.store, SITE, gate))
        self.directory = EndpointDirectory()
        self.pictures = Pictures(self.engine, pictures, TIMEOUT) if pictures else None
        planner = EndpointPlanner(
            *(self.store, hot_articles(self.store), payloads, SITE.provider, self.directory),
            timeout=TIMEOUT,
            pictures=self.pictures,
        )
        subscribers = Subscribers(self.store.changes, payloads, SITE, whole=False, timeout=TIMEOUT)
        self.clearance = Clearance(self.store.withdrawals, name)
        self.alerts, self.on_answers, self.wakeups = (mock.Mock() for _ in range(3))
        doubles: Any = (self.alerts, self.wakeups)
        parts = (self.store, SITE, self.engine, subscribers, planner, *doubles, self.clearance)
        self.distributor = Distributor(*parts, claim_seconds=CLAIM_SECONDS, on_answers=self._answered)
        self.clearance.start()
        self.engine.start()
        self.distributor.start()
        self.versions: dict[str, int] = {}

    def _answered(self, *about: Any) -> None:
        self.on_answers(*about)

    def endpoint(self, mode: Any = "article", fmt: str = "json", *, name: str = "e", **more: Any) -> None:
        destination = HttpDestination(f"{self.receiver.url}/{name}", "text/plain")
        self.directory.by_name[name] = Endpoint(name, "f", fmt, mode, destination, **more)
        self.store.receivers.enroll("f", f"endpoint:{name}", {"endpoint": name})

    def subscribe(self) -> None:
        now = clock.ms(clock.now())
        intent = SubscriptionRequest(
            "subscribe", SITE.topic("f", "atom"), f"{self.receiver.url}/s", "atom", "", 600, now, "n", "h", "c"
        )
        self.store.subscription_requests.request("f", "s", intent)
        self.store.subscription_requests.confirm("f", "s", intent, now + 600_000, 10, 10)

    def change(self, article_id: str, state: Any = "in", **more: Any) -> None:
        """Have an article enter, change, leave or be killed."""
        version = self.versions[article_id] = self.versions.get(article_id, 0) + 1
        stored = self.store.articles.get(article_id)
        article = Article(
            id=article_id,
            version=version,
            headline=f"Headline of {article_id}",
            url=f"https://herald.example/{article_id}",
            published=NOON,
            updated=NOON,
            pubstatus="canceled" if state == "killed" else "usable",
            **more,
        )
        self.store.articles.save(article, stored.rev if stored else NEW, {"f"}, 0)
        if state != "in":
            self.store.withdrawals.announce([("f", article_id)])
        self.store.changes.record(article_id, version, clock.ms(clock.now()), {"f": (state, version)})

    def go(self) -> None:
        """Have the receivers get what was changed."""
        self.distributor.serve("f")

    def settled(self) -> bool:
        counts = self.store.receivers.counts("f")
        return counts["claimed"] == counts["behind"] == counts["backoff"] == 0

    def pushes(self, name: str = "e") -> list[str]:
        """What the endpoint was sent, as kind and article."""
        events = [json.loads(request.body) for request in self.receiver.at(f"/{name}")]
        return [f"{event['type'].removeprefix('article.')} {event['article']['id']}" for event in events]

    def stop(self) -> None:
        if self.pictures is not None:
            self.pictures.stop()
        self.distributor.stop(0)
        self.clearance.stop()
        self.store.close()
