"""Redis loses time: a failover to a replica that lagged, a restored file, an empty server. Numbers are given again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from records import archives, no_record

from feeds.article import Article
from feeds.definition import FeedDefinition
from feeds.formats import FEED_FORMATS
from worker.documents import feed_payloads as module
from worker.documents.feed_documents import FeedDocuments
from worker.documents.feed_payloads import FeedPayloads, PayloadRequest
from worker.documents.feed_renderer import FeedRenderer
from worker.documents.quality_gate import QualityGate
from worker.newsroom.event_permit import EventPermit
from worker.newsroom.publication import Publication
from worker.receivers.distributor import Distributor
from worker.receivers.feed_queue import FeedHistories
from worker.store import Store, keys
from worker.store.alerts import Alerts
from worker.store.articles import NEW

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
FEED = FeedDefinition(name="world", title="World")
SITE = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", (FEED,))
ATOM = FEED_FORMATS["atom"]


def publish(store: Store, name: str, headline: str, rev: str = NEW) -> None:
    article = Article(id=name, version=1, headline=headline, url="https://e.example/", published=NOON, updated=NOON)
    assert store.articles.save(article, rev, {"world"}, 1)
    store.changes.record(name, 1, 1, {"world": ("in", 1)})


@pytest.fixture
def renderer(store: Store) -> FeedRenderer:
    return FeedRenderer(store, SITE, QualityGate(store, Alerts(store.operations, webhook=False)))


@pytest.fixture
def documents(store: Store, renderer: FeedRenderer) -> FeedDocuments:
    return FeedDocuments(store, SITE, renderer, archives(store))


def test_what_is_published_anew_is_not_taken_for_what_was_known(store: Store, documents: FeedDocuments) -> None:
    publish(store, "a", "Before")
    assert b"Before" in documents.current(FEED, ATOM).body
    store.client.flushall()
    # Another worker: the same numbers of another history.
    other = Store.connect(f"unix://{store.client.connection_pool.connection_kwargs['path']}")
    publish(other, "a", "After")
    other.close()
    assert store.changes.head("world").seq == 1
    held = store.articles.get("a")
    assert held is not None
    assert held.article.headline == "After"
    assert b"After" in documents.current(FEED, ATOM).body
    assert b"Before" not in documents.current(FEED, ATOM).body


def test_a_head_that_was_passed_by_another_history_is_read_whole(store: Store, documents: FeedDocuments) -> None:
    publish(store, "a", "One")
    publish(store, "b", "Two")
    assert b"One" in documents.current(FEED, ATOM).body
    held = store.articles.get("a")
    assert held is not None
    # The second change is lost; others come in its place.
    store.client.hset(keys.feed("world").meta, mapping={"head": 1, "trail": "1111111111111111"})
    store.articles.save(
        held.article.model_copy(update={"headline": "One, corrected", "version": 2}), held.rev, {"world"}, 1
    )
    store.changes.record("a", 2, 2, {"world": ("in", 1)})
    publish(store, "c", "Three")
    body = documents.current(FEED, ATOM).body
    assert b"One, corrected" in body
    assert b"Three" in body


def test_of_a_window_only_what_has_changed_is_read_again(
    store: Store, documents: FeedDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        publish(store, name, name.upper())
    documents.current(FEED, ATOM)
    publish(store, "d", "D")
    read: list[str] = []
    get_many = store.articles.get_many

    def noted(names: Any) -> Any:
        read.extend(names)
        return get_many(names)

    monkeypatch.setattr(store.articles, "get_many", noted)
    documents.current(FEED, ATOM)
    assert read == ["d"]


def test_the_history_of_a_feed_is_another_one_after_redis_has_lost_time(store: Store) -> None:
    histories = FeedHistories()
    for name in ("a", "b"):
        publish(store, name, name)
        assert not histories.has_changed("world", store.receivers.claim("world", 10, 1).trail)
    store.client.flushall()
    for name in ("x", "y", "z"):
        publish(store, name, name)
    assert histories.has_changed("world", store.receivers.claim("world", 10, 1).trail)
    assert not histories.has_changed("world", store.receivers.claim("world", 10, 1).trail)


def test_a_distributor_forgets_what_it_has_read_of_another_history(store: Store) -> None:
    forgotten: list[str] = []
    cache, unused = mock.Mock(forget=forgotten.append), mock.Mock()
    parts: Any = (store, unused, unused, cache, cache, unused, unused, unused)
    distributor = Distributor(*parts, claim_seconds=20, on_answers=unused)
    for name in ("a", "b"):
        publish(store, name, name)
        distributor._check_history("world", store.receivers.claim("world", 10, 1))
    assert forgotten == []
    store.client.flushall()
    for name in ("x", "y", "z"):
        publish(store, name, name)
    distributor._check_history("world", store.receivers.claim("world", 10, 1))
    assert ["world", "world"] == forgotten


def test_a_worker_adopts_its_definitions_anew_and_asks_for_feeds_of_patterns(store: Store) -> None:
    store.events.create_group()
    permit = EventPermit(store, no_record(), SITE, "w")
    assert permit.renew() == "1 1"
    store.definitions.note_filled("1 1")
    assert {"a"} == store.patterns.create("author/*", {"a": "A"}, 1)
    assert permit.renew() == "1 1"
    store.client.flushall()
    assert {"a"} == store.patterns.create("author/*", {"a": "A"}, 1), "it is taken to be there"
    assert permit.renew() == "1 1"
    assert store.definitions.progress().feeds.keys() == {"world"}
    store.patterns.create("author/*", {"a": "A"}, 1)
    assert store.patterns.count("author/*") == 1


def test_a_long_stretch_of_which_nothing_may_be_told_is_passed_over(
    store: Store, renderer: FeedRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHANGES_PER_PAYLOAD", 1)
    payloads = FeedPayloads(store, renderer)
    for number in range(1_200):
        store.changes.record(f"e{number}", 1, 1, {"world": ("early", 0)})
    assert payloads.build(FEED, ATOM, PayloadRequest(0, 1_200)) is None
    publish(store, "a", "At last")
    payload = payloads.build(FEED, ATOM, PayloadRequest(0, 1_201))
    assert payload is not None
    assert (1_201, {"a": (1, "published")}) == (payload.cursor, payload.statuses)


def test_a_lock_that_has_ended_is_left_to_who_has_it(store: Store) -> None:
    for name in ("one", "two"):
        store.operations.add({"id": name})
    slow, taken = store.operations.claim(1, 60_000)
    assert len(taken) == 1
    assert ("", []) == store.operations.claim(1, 60_000)
    store.client.delete(keys.SENDING)  # as if its time were over
    quick, _ = store.operations.claim(1, 60_000)
    assert quick
    store.operations.finish(slow, [taken[0][0]])
    assert ("", []) == store.operations.claim(1, 60_000), "the second still sends"
    store.operations.finish(quick, [])
    assert [{"id": "two"}] == [event for _, event in store.operations.claim(9, 60_000)[1]]
