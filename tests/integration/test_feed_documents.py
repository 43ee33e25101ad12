"""What is made of a feed: documents and pushes, and what the quality gate keeps out of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from news_desk import Desk, article, kill
from records import archives

from feeds.formats import FEED_FORMATS
from worker import clock
from worker.documents.feed_documents import FeedDocuments
from worker.documents.feed_payloads import DelayedArticles, FeedPayloads, PayloadRequest
from worker.documents.quality_gate import FeedRefused


def test_a_document_is_the_same_a_second_later_and_in_another_process(desk: Desk) -> None:
    desk.accept(article("a"), article("b"), kill("b"))
    desk.consumer().consume()
    assert desk.document("all") == desk.document("all")


def test_the_formats_of_a_feed_read_its_articles_once_until_it_changes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.accept(article("a"), article("b", expires=(clock.now() + timedelta(seconds=60)).isoformat()))
    desk.consumer().consume()
    documents, feed = desk.documents(), desk.site.feed("all")
    read = mock.Mock(wraps=desk.store.articles.get_many)
    monkeypatch.setattr(desk.store.articles, "get_many", read)

    def shown(name: str) -> list[bool]:
        body = documents.current(feed, FEED_FORMATS[name]).body.decode()
        return [title in body for title in ("a v1", "a v2", "b v1")]

    assert [[True, False, True]] * 3 == [shown(name) for name in ("rss", "atom", "json")]
    assert 1 == read.call_count
    later = clock.now() + timedelta(seconds=61)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert [True, False, False] == shown("rss")
    desk.accept(article("a", 2))
    desk.consumer().consume()
    assert [[False, True, True]] * 3 == [shown(name) for name in ("rss", "atom", "json")]
    desk.accept(kill("a"))
    desk.consumer().consume()
    assert [[False, False, True]] * 3 == [shown(name) for name in ("rss", "atom", "json")]


def test_the_gate_keeps_an_article_out_of_a_format_and_says_so_once(desk: Desk) -> None:
    text = {"body_html": "<p>Text</p>"}
    desk.accept(article("a", headline="Short", **text), article("b", headline="A headline that is long enough", **text))
    desk.consumer().consume()
    definition = desk.site.feed("all")
    assert definition is not None
    msn = FEED_FORMATS["msn"]
    for documents in (desk.documents(), desk.documents()):
        body = documents.current(definition, msn).body.decode()
        assert "long enough" in body
        assert "Short" not in body
        payload = desk.payload("all", "msn", PayloadRequest(0, 2))
        assert payload is not None
        assert {"b": (1, "published")} == payload.statuses
    assert "Short" in desk.document("all")
    [refusal] = desk.store.refusals.all("msn").values()
    assert (1, True) == (refusal.version, "title" in refusal.reasons[0])
    _, [(_, told)] = desk.store.operations.claim(10, 1000)
    assert ("article.parked", "a", "msn") == (told["type"], told["data"]["article_id"], told["data"]["format"])
    assert list(desk.store.refusals.of("a", ["rss", "msn"])) == ["msn"]

    desk.accept(article("a", 2, headline="A headline that is long enough now", **text))
    desk.consumer().consume()
    assert "long enough now" in desk.documents().current(definition, msn).body.decode()


def test_a_feed_that_breaks_a_formats_rules_is_not_made(desk: Desk) -> None:
    definition = desk.site.feed("all")
    assert definition is not None
    desk.site = replace(desk.site, partner_formats=("smartnews",))
    documents = desk.documents()
    for _ in range(2):
        with pytest.raises(FeedRefused, match="the feed all can't be smartnews: channel must have logo"):
            documents.current(definition, FEED_FORMATS["smartnews"])
    _, [(_, told)] = desk.store.operations.claim(10, 1000)
    assert ("feed.refused", "all", "smartnews") == (told["type"], told["data"]["feed"], told["data"]["format"])


def test_who_only_looks_raises_no_alarm(desk: Desk) -> None:
    desk.accept(article("a", headline="Short", body_html="<p>Text</p>"))
    desk.consumer().consume()
    definition = desk.site.feed("all")
    assert definition is not None
    msn, smartnews = FEED_FORMATS["msn"], FEED_FORMATS["smartnews"]
    renderer = desk.renderer()
    documents = FeedDocuments(desk.store, desk.site, renderer, archives(desk.store))
    # A stranger asks for formats that no partner was promised; somebody runs `dateline validate`.
    for quiet in (False, True):
        document = documents.current(definition, msn, quiet=quiet)
        assert ["a"] == list(document.kept_out)
        assert "title" in document.kept_out["a"][0]
        with pytest.raises(FeedRefused):
            documents.current(definition, smartnews, quiet=quiet)
    assert {} == desk.store.refusals.all("msn")
    assert [] == desk.store.operations.claim(10, 1000)[1]

    # What is pushed, and what a partner was promised, is told, though it was looked at before.
    assert FeedPayloads(desk.store, renderer).build(definition, msn, PayloadRequest(0, 1)) is None
    assert ["a"] == list(desk.store.refusals.all("msn"))
    desk.site = replace(desk.site, partner_formats=("smartnews",))
    documents = desk.documents()
    with pytest.raises(FeedRefused):
        documents.current(definition, smartnews, quiet=True)
    with pytest.raises(FeedRefused):
        documents.current(definition, smartnews)
    _, waiting = desk.store.operations.claim(10, 1000)
    assert ["article.parked", "feed.refused"] == [told["type"] for _, told in waiting]


def test_what_waits_is_in_no_push_however_much_there_is(desk: Desk) -> None:
    desk.accept(article("old"), *(article(f"new{n}") for n in range(230)))
    desk.consumer().consume()
    desk.accept(kill("old"), article("newest"))
    desk.consumer().consume()
    changes = desk.store.changes.since("all", 0, 1000)
    later = frozenset(change.article_id for change in changes if change.state == "in")
    # As it was looked at before the newest came.
    delayed, head = DelayedArticles(later - {"newest"}, changes[-2].seq), changes[-1].seq
    payload = desk.payload("all", "atom", PayloadRequest(0, head, delayed=delayed))
    assert payload is not None
    assert ({"old": (2, "killed")}, changes[-2].seq) == (payload.statuses, payload.cursor)
    delayed = DelayedArticles(later, head)
    assert desk.payload("all", "atom", PayloadRequest(payload.cursor, head, delayed=delayed)) is None
