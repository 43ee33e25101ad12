"""A newsroom with one partner, driven step by step without threads: the test decides what the partner answers."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unittest import mock

from records import no_record

from feeds.definition import FeedDefinition
from feeds.formats.interface import Provider
from worker import clock
from worker.destinations.endpoint import Endpoint
from worker.destinations.http import HttpDestination
from worker.documents.feed_payloads import FeedPayloads
from worker.documents.feed_renderer import FeedRenderer
from worker.documents.quality_gate import QualityGate
from worker.intake.accept import Intake
from worker.newsroom.newsroom import Newsroom
from worker.newsroom.publication import Publication
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer
from worker.receivers.endpoint_directory import EndpointDirectory
from worker.receivers.endpoint_planner import EndpointPlanner
from worker.record import Record
from worker.retention.noting import Noting
from worker.retention.recorded import RecordedArticles
from worker.retention.warm import HotArticles
from worker.store import Store
from worker.store.alerts import Alerts
from worker.store.receivers import Settlement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFINITION = FeedDefinition(name="world", title="World")
SITE = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", (DEFINITION,))


class Push(NamedTuple):
    """One request, as the partner has it. `at`: seconds since noon."""

    at: float
    article: str
    kind: str
    version: int | None
    status: int
    text: str


class Desk:
    """A newsroom with one endpoint, whose answers are `answer(push)`: a status, 0 for none, or with Retry-After."""

    def __init__(
        self, store: Store, *, mode: Any = "article", concurrency: int = 1, record: Record | None = None
    ) -> None:
        record = record or no_record()
        articles = HotArticles(store, RecordedArticles(record))
        store.client.flushall()
        store.events.create_group()
        self.store, self.now = store, NOON
        self.pushes: list[Push] = []
        self.answer: Callable[[Push], int | tuple[int, int]] = lambda _: 204
        self.alerts: list[str] = []
        gate = QualityGate(store, Alerts(store.operations, webhook=False))
        payloads = FeedPayloads(store, FeedRenderer(store, SITE, gate))
        self.directory = EndpointDirectory()
        provider = Provider("herald.example,2026", "The Herald")
        self.planner = EndpointPlanner(store, articles, payloads, provider, self.directory, timeout=5)
        name = "json" if mode == "article" else "atom"
        destination = HttpDestination("https://p.example/", "text/plain")
        endpoint = Endpoint("p", "world", name, mode, destination, concurrency=concurrency)
        self.directory.by_name = {"p": endpoint}
        wakeups: Any = mock.Mock()
        self.intake = Intake(store, wakeups)
        newsroom = Newsroom(
            store,
            record,
            articles,
            SITE,
            wakeups,
            "w",
            self.directory,
            Alerts(store.operations, webhook=False),
            Noting(store, record),
            try_locally=lambda _: True,
            on_killed=lambda *_: None,
        )
        newsroom.permit.renew()
        self.consumer, self.releases = newsroom.events, newsroom.releases
        self._numbers = itertools.count(1)
        store.receivers.enroll("world", "endpoint:p", {"endpoint": "p"})

    @property
    def seconds(self) -> float:
        return (self.now - NOON).total_seconds()

    def publish(self, *articles: str, version: int = 1) -> None:
        for article in articles:
            document = {
                "id": article,
                "version": version,
                "headline": f"{article} in version {version}",
                "url": f"https://herald.example/{article}",
                "body_html": f"<p>Version {version} of {article}.</p>",
            }
            self._send({"type": "article.published" if version == 1 else "article.corrected", "article": document})

    def kill(self, article: str) -> None:
        self._send({"type": "article.killed", "article": {"id": article}})

    def go(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, with a sweep and a claim at each step."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.serve()
            self.now += timedelta(seconds=step)
        self.serve()

    def serve(self) -> None:
        """Serve the endpoint as long as it is behind."""
        with self._clock():
            at = clock.ms(self.now)
            self.store.receivers.sweep(["world"], at, 100)
            for _ in range(20):
                claims = self.store.receivers.claim("world", 100, at + 30_000)
                plans = self.planner.plan(DEFINITION, claims)
                for claim in claims.claims:
                    plan = plans[claim.receiver]
                    assert not isinstance(plan, Settlement)
                    self._converse(self.planner.begin(DEFINITION, claim, plan, claims.head, time.monotonic() + 60, 0))
                if not claims.claims:
                    return

    def parked(self) -> set[str]:
        return set(self.store.attempts.parked("world", "p"))

    def disputed(self) -> set[str]:
        return set(self.store.attempts.standings("world", ["p"])["p"].disputes)

    def has(self) -> dict[str, tuple[str, int | None]]:
        """What the partner has taken last of each article."""
        return {push.article: (push.kind, push.version) for push in self.pushes if 200 <= push.status < 300}

    def tries(self, article: str) -> list[float]:
        return [push.at for push in self.pushes if push.article == article]

    def state(self) -> str:
        [receiver] = self.store.receivers.scan("world")
        return receiver.state

    def _converse(self, session: Any) -> None:
        keys: list[object] = []
        session.on_answer = lambda _session, key, _answer: keys.append(key)
        in_flight: list[tuple[object, Answer]] = []
        while True:
            article_ids = list(session.needed_articles())
            articles = dict.fromkeys(article_ids) | self.store.articles.get_many(article_ids)
            while request := session.next_request(articles):
                answer = self._take(request.body)
                request.on_answer(answer)
                in_flight.append((keys.pop(), answer))
            if in_flight:
                session.take_answer(*in_flight.pop(0), self.now, 0.0)
            elif not any(session.needed_articles()):
                break
        for record in session.attempts:
            self.alerts += [record.alert] if record.alert else []
        if session.attempts:
            self.store.attempts.record({("world", "p"): session.attempts})
        settlement = session.settle()
        self.store.replays.remove("world", "p", settlement.replayed)
        self.store.attempts.forget_disputes("world", "p", settlement.undisputed)
        self.store.receivers.settle("world", clock.ms(self.now), [settlement])

    def _take(self, body: bytes) -> Answer:
        try:
            event = json.loads(body)
            push = Push(self.seconds, event["article"]["id"], event["type"], event["article"].get("version"), 0, "")
        except ValueError:
            push = Push(self.seconds, "", "feed", None, 0, body.decode())
        answer = self.answer(push)
        status, retry_after = answer if isinstance(answer, tuple) else (answer, 0)
        self.pushes.append(push._replace(status=status))
        fault = None if status else Fault.RESET
        return Answer(status, {}, b"", fault, "" if status else "reset", 0.1, started=True, retry_after=retry_after)

    def _send(self, event: dict[str, Any]) -> None:
        with self._clock():
            sent = {"id": f"e{next(self._numbers)}", "time": self.now.isoformat(), **event}
            [receipt] = self.intake.accept([sent], clock.now())
            assert receipt.status == "accepted", receipt
            self.consumer.consume()

    def _clock(self) -> Any:
        now = self.now
        # A plain function: a mock takes longer than what it stands in for, and it is made thousands of times.
        return mock.patch.object(clock, "now", new=lambda: now)  # noqa: PT008
