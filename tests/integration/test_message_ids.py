"""A message id stands for one body: partners drop what comes twice under one id.

Random histories of a newsroom (articles, kills, moves, replays, contracts that change) and of its partners (who answer,
refuse, fail, or are cut off by a crash), driven step by step without threads.
"""

from __future__ import annotations

import gzip
import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from records import hot_articles, no_record

from feeds.definition import FeedDefinition, Selector
from feeds.formats.interface import Provider
from feeds.rights import Rights
from worker import clock
from worker.destinations.endpoint import Endpoint
from worker.destinations.http import HttpDestination
from worker.documents.feed_payloads import FeedPayloads
from worker.documents.feed_renderer import FeedRenderer
from worker.documents.quality_gate import QualityGate
from worker.intake.accept import Intake
from worker.newsroom.newsroom import Newsroom
from worker.newsroom.publication import Publication
from worker.outbound.transfer import Answer, Transfer
from worker.receivers.endpoint_directory import EndpointDirectory
from worker.receivers.endpoint_planner import EndpointPlanner
from worker.retention.noting import Noting
from worker.store import Store
from worker.store.alerts import Alerts
from worker.store.receivers import Settlement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFINITION = FeedDefinition(name="world", title="World", select=(Selector(section=("World",)),))
SITE = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", (DEFINITION,))
HTTP = HttpDestination("https://partner.example/", "text/plain")
HTTP_GZIP = HttpDestination("https://partner.example/", "text/plain", gzip=True)
ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint("native", "world", "json", "article", HTTP, concurrency=2),
        Endpoint("headlines", "world", "json", "article", HTTP_GZIP, rights=Rights(text="headline")),
        Endpoint("nitf", "world", "nitf", "article", HTTP, delay=60_000, early=True),
        Endpoint("feed", "world", "atom", "feed", HTTP, delay=60_000),
        Endpoint("feed-at-once", "world", "json", "feed", HTTP_GZIP),
    )
}
ARTICLES = st.sampled_from(["a", "b", "c"])


class Histories(RuleBasedStateMachine):
    store: Store

    @initialize()
    def begin(self) -> None:
        self.store.client.flushall()
        self.store.events.create_group()
        self.now = NOON
        self.numbers = itertools.count(1)
        self.bodies: dict[str, bytes] = {}
        gate = QualityGate(self.store, Alerts(self.store.operations, webhook=False))
        payloads = FeedPayloads(self.store, FeedRenderer(self.store, SITE, gate))
        self.directory = EndpointDirectory()
        provider = Provider("herald.example,2026", "The Herald")
        self.planner = EndpointPlanner(
            self.store, hot_articles(self.store), payloads, provider, self.directory, timeout=5
        )
        self.directory.by_name = dict(ENDPOINTS)
        wakeups: Any = mock.Mock()
        self.intake = Intake(self.store, wakeups)
        newsroom = Newsroom(
            self.store,
            no_record(),
            hot_articles(self.store),
            SITE,
            wakeups,
            "w",
            self.directory,
            Alerts(self.store.operations, webhook=False),
            Noting(self.store, no_record()),
            try_locally=lambda _: True,
            on_killed=lambda *_: None,
        )
        newsroom.permit.renew()
        self.consumer, self.releases = newsroom.events, newsroom.releases
        for name in ENDPOINTS:
            self.store.receivers.enroll("world", f"endpoint:{name}", {"endpoint": name})

    @rule(
        article=ARTICLES, section=st.sampled_from(["World", "World", "Sport"]), more=st.sampled_from(["", "withheld"])
    )
    def revise(self, article: str, section: str, more: str) -> None:
        self._submit("article.corrected", article, section, {"pubstatus": more} if more else {})

    @rule(article=ARTICLES)
    def embargo(self, article: str) -> None:
        self._submit(
            "article.corrected", article, "World", {"embargoed": (self.now + timedelta(minutes=2)).isoformat()}
        )

    @rule(article=ARTICLES)
    def reinstate(self, article: str) -> None:
        self._submit("article.reinstated", article, "World", {})

    @rule(article=ARTICLES)
    def kill(self, article: str) -> None:
        self._send({"id": f"e{next(self.numbers)}", "type": "article.killed", "article": {"id": article}})

    @rule(article=ARTICLES, name=st.sampled_from(sorted(ENDPOINTS)), same_ids=st.booleans())
    def replay(self, article: str, name: str, same_ids: bool) -> None:
        if ENDPOINTS[name].mode == "article":
            again = f"replay-{next(self.numbers)}"
            self.store.replays.request("world", name, {article: 1}, again, same_ids=same_ids, rate=50)
            self.store.replays.rewind("world", name)

    @rule(seconds=st.sampled_from([0, 1, 40, 61, 700]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        with self._clock():
            self.releases.release_due(self.now)
            self.store.receivers.sweep(["world"], clock.ms(self.now), 100)

    @rule(name=st.sampled_from(sorted(ENDPOINTS)), words=st.sampled_from([None, 2]), packed=st.booleans())
    def contract(self, name: str, words: int | None, packed: bool) -> None:
        rights = replace(ENDPOINTS[name].rights, words=words)
        self.directory.by_name[name] = replace(
            ENDPOINTS[name], rights=rights, destination=HTTP_GZIP if packed else HTTP
        )

    @rule(
        answers=st.lists(st.sampled_from(["204", "204", "204", "422", "503", "lost", "crash"]), min_size=1, max_size=8)
    )
    def distribute(self, answers: list[str]) -> None:
        with self._clock():
            claims = self.store.receivers.claim("world", 100, clock.ms(self.now) + 30_000)
            plans = self.planner.plan(DEFINITION, claims)
            coming = itertools.cycle(answers)
            for claim in claims.claims:
                plan = plans[claim.receiver]
                if isinstance(plan, Settlement):
                    self.store.receivers.settle("world", clock.ms(self.now), [plan])
                    continue
                session = self.planner.begin(DEFINITION, claim, plan, claims.head, time.monotonic() + 60, 0)
                self._serve(session, coming)

    def _serve(self, session: Any, coming: Iterator[str]) -> None:
        """Serve one claim; a crash leaves it as it is, nothing noted."""
        keys: list[object] = []
        session.on_answer = lambda _session, key, _answer: keys.append(key)
        claim = session.claim
        for _ in range(50):
            articles = self.store.articles.get_many(list(session.needed_articles()))
            articles_now = dict.fromkeys(session.needed_articles()) | articles
            while request := session.next_request(articles_now):
                self._arrived(request)
                answer = next(coming)
                if answer == "crash":
                    return
                request.on_answer(_answer(answer))
                session.take_answer(keys.pop(), _answer(answer), self.now, 0.5)
            if not any(session.needed_articles()):
                break
        if session.attempts:
            self.store.attempts.record({("world", claim.details["endpoint"]): session.attempts})
        settlement = session.settle()
        self.store.replays.remove("world", claim.details["endpoint"], settlement.replayed)
        self.store.receivers.settle("world", clock.ms(self.now), [settlement])

    def _arrived(self, request: Transfer) -> None:
        headers = dict(line.split(": ", 1) for line in request.headers)
        body = gzip.decompress(request.body) if "Content-Encoding" in headers else request.body
        message = headers["webhook-id"]
        assert self.bodies.setdefault(message, body) == body, f"{message} stands for two bodies"

    def _submit(self, kind: str, article: str, section: str, more: dict[str, Any]) -> None:
        number = next(self.numbers)
        document = {
            "id": article,
            "version": number,
            "section": section,
            "headline": f"{article} in version {number}",
            "url": f"https://herald.example/{article}",
            "body_html": f"<p>Version {number} of the text of {article}.</p>",
            **more,
        }
        self._send({"id": f"e{number}", "type": kind, "article": document})

    def _send(self, event: dict[str, Any]) -> None:
        with self._clock():
            [receipt] = self.intake.accept([{"time": self.now.isoformat(), **event}], clock.now())
            assert receipt.status == "accepted"
            self.consumer.consume()

    def _clock(self) -> Any:
        return mock.patch.object(clock, "now", return_value=self.now)


def _answer(outcome: str) -> Answer:
    status = 0 if outcome == "lost" else int(outcome)
    return Answer(status, {}, b"", None if status else "reset", "", 0.1, started=True)  # type: ignore[arg-type]


@pytest.fixture
def histories(store: Store) -> Iterator[type[Histories]]:
    Histories.store = store
    yield Histories
    del Histories.store


def test_an_id_stands_for_one_body_whatever_happens(histories: type[Histories]) -> None:
    run_state_machine_as_test(
        histories,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
