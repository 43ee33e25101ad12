"""An article that the gate keeps from an endpoint: it is not sent, the next one is."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from feeds.article import Article
from feeds.formats.interface import Provider
from feeds.validation.finding import Finding
from worker.destinations.endpoint import Endpoint
from worker.destinations.http import HttpDestination
from worker.receivers import message_cache
from worker.receivers.article_pushes import ArticlePushes
from worker.receivers.ledger import LedgerEntry
from worker.receivers.message_cache import MessageCache
from worker.receivers.push_plan import PushPlan
from worker.store.articles import StoredArticle
from worker.store.changes import Change
from worker.store.receiver_states import Failing
from worker.store.receivers import Claim

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ENDPOINT = Endpoint("a", "f", "json", "article", HttpDestination("https://partner.example/", "text/plain"))


def stored(article_id: str) -> StoredArticle:
    article = Article(
        id=article_id,
        version=1,
        headline=f"Headline of {article_id}",
        url="https://e.example/a",
        published=NOON,
        updated=NOON,
    )
    return StoredArticle(article, 1, frozenset({"f"}), 0)


def test_an_article_that_fails_its_format_is_parked_and_the_next_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(_: str, document: bytes, *, ours: bool) -> list[Finding]:
        assert ours
        return [Finding(None, "native.headline", "headline is wrong")] if b"of bad" in document else []

    monkeypatch.setattr(message_cache, "check_article", check)
    plan = PushPlan(ENDPOINT, changes=[Change(1, "bad", "in", 0), Change(2, "good", "in", 0)], end=2)
    claim = Claim("f", "endpoint:a", 1, 0, Failing(), {"endpoint": "a", "since": 0})
    pushes = ArticlePushes(claim, plan, MessageCache(Provider("e.example,2026", "E")), 5, time.monotonic() + 60)
    pushes.on_answer = lambda *_: None

    assert pushes.next_request({"bad": stored("bad")}) is None
    assert list(pushes.needed_articles()) == ["good"]
    request = pushes.next_request({"good": stored("good")})
    assert request is not None
    assert b"of good" in request.body
    [(attempt, ledger, *_)] = pushes.attempts
    assert ("bad", "parked", 0) == (attempt.article, attempt.outcome, attempt.status)
    assert attempt.error == "kept back by the gate: headline is wrong (native.headline)"
    entry = LedgerEntry.parse(ledger["bad"])
    assert (1, "refused-published") == (entry.version, entry.label)


def test_a_kill_passes_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_cache, "check_article", lambda *_, **__: [Finding(None, "native.headline", "is wrong")])
    canceled = replace(stored("a"), article=stored("a").article.model_copy(update={"pubstatus": "canceled"}))
    message = MessageCache(Provider("e.example,2026", "E")).message(
        ENDPOINT,
        "killed",
        canceled,
        "m",
    )
    assert message.refused == ""
