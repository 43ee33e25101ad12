"""A destination that has to wait says for how long: the endpoint is tried then, and has not failed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from feeds.article import Article
from feeds.formats.interface import Provider
from worker import clock
from worker.destinations.endpoint import Endpoint
from worker.outbound.errors import RequestPending
from worker.receivers.article_pushes import ArticlePushes
from worker.receivers.message_cache import MessageCache
from worker.receivers.push_plan import PushPlan
from worker.store.articles import StoredArticle
from worker.store.changes import Change
from worker.store.receiver_states import NOT_FAILING
from worker.store.receivers import Claim

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


class Queued:
    """A destination that is asked to wait."""

    gzip = False
    look: ClassVar[None] = None

    def push(self, *_: Any) -> Any:
        raise RequestPending("it queues what it gets", 90.0)


def test_what_a_destination_waits_for_is_no_failure_and_has_its_time() -> None:
    endpoint = Endpoint("a", "f", "json", "article", Queued())
    article = Article(id="a", version=1, headline="A", url="https://e.example/a", published=NOON, updated=NOON)
    plan = PushPlan(endpoint, changes=[Change(1, "a", "in", 0)], end=1)
    claim = Claim("f", "endpoint:a", 1, 0, NOT_FAILING, {"endpoint": "a", "since": 0})
    pushes = ArticlePushes(claim, plan, MessageCache(Provider("e.example,2026", "E")), 5, time.monotonic() + 60)
    pushes.on_answer = lambda *_: None
    before = clock.ms(clock.agreed())

    assert pushes.next_request({"a": StoredArticle(article, 1, frozenset({"f"}), 0)}) is None

    settlement = pushes.settle()
    assert (settlement.verb, settlement.reason, settlement.failing) == ("retry", "it queues what it gets", NOT_FAILING)
    assert 90_000 <= settlement.due - before < 150_000
    assert (settlement.cursor, pushes.attempts) == (0, [])
