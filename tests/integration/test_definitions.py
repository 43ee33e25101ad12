"""Feeds that are new or defined anew: who carries out events, how feeds are filled, and who is told nothing of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import redis
from records import archives, hot_articles, no_record

from feeds.definition import FeedDefinition, Selector
from feeds.formats import FEED_FORMATS
from worker import clock
from worker.documents.feed_documents import FeedDocuments
from worker.documents.feed_payloads import FeedPayloads, PayloadRequest, Scope
from worker.documents.feed_renderer import FeedRenderer
from worker.documents.quality_gate import QualityGate
from worker.intake.accept import Intake
from worker.newsroom import feed_index
from worker.newsroom.newsroom import Newsroom
from worker.newsroom.publication import Publication
from worker.retention.noting import Noting
from worker.store import Store, definitions, keys
from worker.store.alerts import Alerts
from worker.store.changes import Change
from worker.store.definitions import PassProgress

OLD = (FeedDefinition(name="all", title="All"),)
WORLD = FeedDefinition(name="world", title="World", select=(Selector(section=("World",)),))
NEW = (*OLD, WORLD)


class Endpoints:
    """No endpoint has any right of its own."""

    def in_article_mode(self, _feed: str) -> list[str]:
        return []

    def feeds_with_early_access(self) -> set[str]:
        return set()

    def any_page_checks(self) -> bool:
        return False


class Wakeups:
    """Nobody is woken: the tests do one step after another."""

    def consume(self, *, urgent: bool) -> None:
        """Nobody waits for it."""

    def distribute(self, feed: str, *, urgent: bool = False) -> None:
        """Nobody waits for it."""


class Worker:
    """A worker with its definitions of feeds, whose steps are made one by one."""

    def __init__(self, store: Store, feeds: tuple[FeedDefinition, ...], name: str) -> None:
        site = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", feeds)
        wakeups: Any = Wakeups()
        self.store = store
        self.name = name
        newsroom = Newsroom(
            store,
            no_record(),
            hot_articles(store),
            site,
            wakeups,
            name,
            Endpoints(),
            Alerts(store.operations, webhook=False),
            Noting(store, no_record()),
            try_locally=lambda _: False,
            on_killed=lambda *_: None,
        )
        self.permit, self.consumer, self.releases = newsroom.permit, newsroom.events, newsroom.releases
        self.backfills, self.indexer = newsroom.backfills, newsroom.indexer
        self.intake = Intake(store, wakeups)
        self.permit.renew()

    def work(self) -> None:
        """Do what it does within a few seconds."""
        self.store.workers.report_alive(self.name, clock.ms(clock.now()))
        self.permit.renew()
        while self.indexer.fill() is not None:
            pass
        self.consumer.consume()
        self.consumer.take_over()

    def publish(self, name: str, version: int = 1, **more: Any) -> None:
        said = {"headline": f"{name} {version}", "url": f"https://herald.example/{name}", "section": "World", **more}
        self.accept({"type": "article.published", "article": {"id": name, "version": version, **said}})

    def kill(self, name: str) -> None:
        self.accept({"type": "article.killed", "article": {"id": name}})

    def accept(self, event: dict[str, Any]) -> None:
        event["id"] = f"evt-{event['type']}-{event['article']}"[:200].replace(" ", "")
        assert ["accepted"] == [receipt.status for receipt in self.intake.accept([event], clock.now())]


@pytest.fixture
def worker(store: Store) -> Worker:
    store.events.create_group()
    return Worker(store, OLD, "old")


def tell_nobody(store: Store, feed: str, cursor: int) -> None:
    assert [] == store.changes.since(feed, cursor, 100)


class TestEventPermit:
    def test_a_kill_is_not_carried_out_by_definitions_that_lack_a_feed(self, worker: Worker) -> None:
        worker.publish("a")
        worker.work()
        newer = Worker(worker.store, NEW, "new")
        newer.work()
        assert ["a"] == worker.store.changes.members("world")
        worker.kill("a")
        worker.work()
        assert worker.store.events.waiting() == 1, "it is left to those that know the feed"
        newer.work()
        assert (0, []) == (worker.store.events.waiting(), worker.store.changes.members("world"))

    def test_what_was_begun_before_newer_definitions_came_is_handed_over(self, worker: Worker) -> None:
        worker.publish("a")
        newer: Worker | None = None
        record = worker.store.changes.record_before

        def meanwhile(*args: Any) -> Any:
            nonlocal newer
            recorded = record(*args)
            # The feed is filled after the article was saved by those who do not know it, and before they are done.
            newer = newer or Worker(Store.connect(_url(worker.store)), NEW, "new")
            newer.indexer.fill()
            return recorded

        worker.publish("b")
        worker.store.changes.record_before = meanwhile  # type: ignore[method-assign]
        worker.work()
        assert newer is not None
        assert worker.store.events.waiting() == 2
        assert not worker.consumer.in_charge
        newer.work()
        assert worker.store.events.waiting() == 0
        assert {"a", "b"} == set(worker.store.changes.members("world"))
        newer.store.close()

    def test_an_embargo_that_ends_is_not_released_by_older_definitions(self, worker: Worker) -> None:
        soon = clock.now() + timedelta(seconds=60)
        worker.publish("a", embargoed=soon.isoformat())
        worker.work()
        newer = Worker(worker.store, NEW, "new")
        newer.work()
        worker.permit.renew()
        assert worker.releases.release_due(soon) == 0
        assert newer.releases.release_due(soon) == 1
        assert ["a"] == worker.store.changes.members("world")

    def test_a_release_that_newer_definitions_overtook_is_done_again(self, worker: Worker) -> None:
        soon = clock.now() + timedelta(seconds=60)
        worker.publish("a", embargoed=soon.isoformat())
        worker.work()
        newer = Worker(worker.store, NEW, "new")
        # The older worker has stood still, and thinks that it is in charge.
        assert worker.releases.release_due(soon) == 1
        assert newer.releases.release_due(soon) == 1
        assert ["a"] == worker.store.changes.members("world")

    def test_older_definitions_take_over_when_the_newer_ones_have_stopped(self, worker: Worker) -> None:
        newer = Worker(worker.store, NEW, "new")
        newer.work()
        newer.publish("a")
        newer.work()
        newer.permit.leave()
        worker.kill("a")
        worker.work()
        assert worker.store.events.waiting() == 0
        assert worker.store.definitions.removed_at("world", clock.ms(clock.now())) is not None
        # Whoever has the feed again repairs what was done without it.
        newer.work()
        newer.work()
        assert worker.store.definitions.removed_at("world", clock.ms(clock.now())) is None
        assert [] == worker.store.changes.members("world")

    def test_what_lost_workers_knew_is_not_ended_at_once(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        newer = Worker(worker.store, NEW, "new")
        newer.work()
        worker.permit.renew()
        assert not worker.consumer.in_charge
        monkeypatch.setattr("worker.store.definitions.ALIVE_MS", 0)
        worker.permit.renew()
        assert worker.consumer.in_charge
        now = clock.ms(clock.now())
        assert worker.store.definitions.removed_at("world", now) is None
        assert worker.store.definitions.removed_at("world", now + definitions.LOST_MS) is not None

    def test_a_clock_that_is_set_back_keeps_no_lost_worker_alive(self, worker: Worker) -> None:
        Worker(worker.store, NEW, "new")
        worker.store.client.zadd(keys.LIVING, {"2 new": 2**52})
        worker.permit.renew()
        assert worker.store.client.zscore(keys.LIVING, "2 new") < 2**52

    def test_a_charge_that_redis_has_lost_is_taken_again(self, worker: Worker) -> None:
        """Evicted, or lost with its shard of a cluster; what was adopted last is remembered elsewhere."""
        newer = Worker(worker.store, NEW, "new")
        newer.permit.leave()
        worker.permit.renew()
        worker.store.client.delete(keys.CHARGE)
        worker.permit.renew()
        worker.permit.renew()
        assert worker.consumer.in_charge
        worker.publish("a")
        worker.work()
        assert worker.store.events.waiting() == 0

    def test_older_workers_are_named(self, worker: Worker) -> None:
        assert worker.store.definitions.outdated_workers() == set()
        Worker(worker.store, NEW, "new")
        assert worker.store.definitions.outdated_workers() == {"old"}
        # The same definitions in another order are no others.
        Worker(worker.store, tuple(reversed(NEW)), "same")
        assert worker.store.definitions.outdated_workers() == {"old"}


class TestFilling:
    def test_the_newest_come_first_and_another_worker_goes_on(
        self, worker: Worker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed_index, "_BATCH", 2)
        for number in range(5):
            worker.publish(f"a{number}", published=f"2026-03-0{number + 1}T00:00:00Z")
        worker.work()
        newer, other = Worker(worker.store, NEW, "new"), Worker(worker.store, NEW, "other")
        seen: list[list[str]] = []
        placer = newer.indexer._index_placer
        place = placer.place

        def twice(names: list[str], feeds: Any) -> set[str]:
            if len(seen) == 2:
                raise redis.ConnectionError
            touched = place(names, feeds)
            seen.append(worker.store.changes.members("world"))
            return touched

        placer.place = twice  # type: ignore[method-assign]
        with pytest.raises(redis.ConnectionError):
            newer.indexer.fill()
        assert [["a4", "a3"], ["a4", "a3", "a2", "a1"]] == seen
        progress = worker.store.definitions.progress()
        assert ({"world"}, 4, 5) == (progress.feeds.keys(), progress.done, progress.articles)
        other.indexer.fill()
        assert ["a4", "a3", "a2", "a1", "a0"] == worker.store.changes.members("world")
        assert worker.store.definitions.progress().feeds == {}

    def test_many_of_one_moment_are_all_gone_through(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed_index, "_BATCH", 3)
        for number in range(10):
            worker.publish(f"a{number}", published="2026-03-01T00:00:00Z")
        worker.work()
        # And one that was gone through last and is published anew while it goes on.
        worker.store.definitions.adopt("9 9", {"x": "{}"}, 0)
        worker.store.definitions.note_progress(
            "9 9", "hot", PassProgress(3, 10, ("a7", str(worker.store.articles.published(["a7"])[0])))
        )
        worker.store.client.zadd(keys.ARTICLES, {"a7": 1})
        position = worker.store.definitions.progress().passes["hot"].position
        assert position is not None
        assert len(worker.store.articles.newest_after((position[0], float(position[1])), 99)) == 10
        worker.store.client.delete(keys.INDEX)
        Worker(worker.store, NEW, "new").work()
        assert len(worker.store.changes.members("world")) == 10

    def test_a_worker_that_fills_shows_that_it_moves(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feed_index, "_BATCH", 1)
        monkeypatch.setattr(feed_index, "_SLICE_SECONDS", 0.001)
        for number in range(4):
            worker.publish(f"a{number}")
        worker.work()
        newer = Worker(worker.store, NEW, "new")
        slices = 0
        while newer.indexer.fill() is not None:
            slices += 1
        assert slices > 1
        assert len(worker.store.changes.members("world")) == 4

    def test_only_one_worker_fills(self, worker: Worker) -> None:
        worker.publish("a")
        worker.work()
        newer = Worker(worker.store, NEW, "new")
        token = worker.store.definitions.indexing.acquire(10_000)
        assert token is not None
        newer.indexer.fill()
        assert worker.store.changes.members("world") == []
        assert not worker.store.definitions.indexing.release("another's")
        assert worker.store.definitions.indexing.release(token)
        newer.indexer.fill()
        assert worker.store.changes.members("world") == ["a"]

    def test_receivers_are_told_nothing_of_what_was_there(self, worker: Worker) -> None:
        worker.publish("a")
        worker.publish("b", section="Sport")
        worker.publish("k")
        worker.kill("k")
        worker.work()
        worker.store.receivers.enroll("world", "endpoint:e", {"endpoint": "e", "enrolled": 1})
        newer = Worker(worker.store, NEW, "new")
        newer.work()
        head = worker.store.changes.head("world")
        assert (1, 1) == (head.seq, head.placed), "documents are made anew"
        tell_nobody(worker.store, "world", 0)
        # Nor of what a wider definition takes in, or a narrower one leaves out.
        wide = (*OLD, WORLD.model_copy(update={"select": (Selector(section=("World",)), Selector(section=("Sport",)))}))
        Worker(worker.store, wide, "wide").work()
        assert {"a", "b"} == set(worker.store.changes.members("world"))
        narrow = Worker(worker.store, (*OLD, WORLD.model_copy(update={"edition": "ar"})), "narrow")
        narrow.work()
        assert [] == worker.store.changes.members("world")
        tell_nobody(worker.store, "world", 0)
        # A kill is told all the same: who had it has to know.
        narrow.kill("a")
        narrow.work()
        [change] = worker.store.changes.since("world", 0, 10)
        assert Change(change.seq, "a", "killed", change.asof, was_in_feed=True, previous_seq=0, version=2) == change

    def test_what_is_wrong_with_one_article_keeps_no_other_out(self, worker: Worker) -> None:
        for name in ("a", "b", "c"):
            worker.publish(name)
        worker.work()
        worker.store.client.hset(keys.article("b"), "feeds", "broken")
        newer = Worker(Store(worker.store.client), NEW, "new")
        newer.work()
        assert {"a", "c"} == set(worker.store.changes.members("world"))
        assert worker.store.definitions.progress().feeds == {}

    def test_a_push_says_nothing_of_it_but_what_was_arranged_or_changed(self, worker: Worker) -> None:
        worker.publish("a")
        worker.work()
        newer = Worker(worker.store, NEW, "new")
        newer.work()
        store, atom = worker.store, FEED_FORMATS["atom"]
        gate = QualityGate(store, Alerts(store.operations, webhook=False))
        publication = Publication("https://h.example", "H", "h.example,2026", "en", NEW)
        renderer = FeedRenderer(store, publication, gate)
        documents, payloads = (
            FeedDocuments(store, publication, renderer, archives(store)),
            FeedPayloads(store, renderer),
        )
        assert b"a 1" in documents.current(WORLD, atom).body
        assert payloads.build(WORLD, atom, PayloadRequest(0, 1)) is None
        # A new subscription begins with the feed as it stands.
        assert payloads.build(WORLD, atom, PayloadRequest(0, 1, "document")) is not None
        newer.publish("b")
        newer.publish("c", section="Sport")
        newer.consumer.consume()
        assert store.changes.head("world").seq == 2
        wide = WORLD.model_copy(update={"select": ()})
        Worker(store, (*OLD, wide), "wide").work()
        assert b"c 1" in documents.current(wide, atom).body
        scopes: tuple[Scope, ...] = ("changes", "document")
        for scope in scopes:
            assert payloads.build(wide, atom, PayloadRequest(2, 3, scope)) is None
        payload = payloads.build(wide, atom, PayloadRequest(1, 3))
        assert payload is not None
        assert (3, {"b": (1, "published")}) == (payload.cursor, payload.statuses)

    def test_an_event_that_comes_while_a_feed_is_filled_is_not_undone(self, worker: Worker) -> None:
        worker.publish("a")
        worker.publish("b")
        worker.work()
        newer = Worker(worker.store, NEW, "new")
        note_feeds = worker.store.articles.note_feeds

        def meanwhile(entering: Any) -> list[str]:
            worker.store.articles.note_feeds = note_feeds  # type: ignore[method-assign]
            newer.kill("a")
            newer.publish("b", 2, section="Sport")
            newer.consumer.consume()
            return note_feeds(entering)

        worker.store.articles.note_feeds = meanwhile  # type: ignore[method-assign]
        newer.indexer.fill()
        assert [] == worker.store.changes.members("world")

    def test_a_pattern_that_is_new_is_filled_and_its_documents_are_made_anew(self, worker: Worker) -> None:
        worker.publish("a", authors=["Mira Okonjo", "Lea Marsh"])
        worker.work()
        Worker(worker.store, (*OLD, FeedDefinition(name="author/*", title="By *")), "new").work()
        for name in ("author/mira-okonjo", "author/lea-marsh"):
            assert (["a"], 1) == (worker.store.changes.members(name), worker.store.changes.head(name).seq)


def test_what_a_worker_hears_when_it_is_not_in_charge_any_more_is_handed_over(store: Store) -> None:
    """It had begun to wait for events while it was in charge."""
    older, read = Worker(store, OLD, "old"), store.events.read

    def passes_meanwhile(*asked: Any) -> Any:
        Worker(store, NEW, "new").publish("a")
        older.permit.renew()
        return read(*asked)

    with mock.patch.object(store.events, "read", passes_meanwhile):
        assert older.consumer.consume(60, listens=True) == 0
    assert store.articles.get("a") is None
    Worker(store, NEW, "new").work()
    assert ["a"] == store.changes.members("world")


class TestBackfill:
    @pytest.mark.parametrize(
        ("wanted", "expected"), [("2 articles", ["a2", "a3"]), ("2d", ["a1", "a2", "a3"]), ("", [])]
    )
    def test_it_counts_from_when_articles_were_published(
        self, worker: Worker, wanted: str, expected: list[str]
    ) -> None:
        now = clock.now()
        for number, hours in ((3, 1), (0, 90), (2, 3), (1, 30)):
            worker.publish(f"a{number}", published=(now - timedelta(hours=hours)).isoformat())
        worker.work()
        store = worker.store
        store.receivers.enroll(
            "world",
            "endpoint:e",
            {"endpoint": "e", "enrolled": clock.ms(now), **({"backfill": wanted} if wanted else {})},
        )
        newer = Worker(store, NEW, "new")
        newer.backfills.expect("world", "e")
        newer.backfills.carry_out()
        assert store.replays.next_articles("world", {"e": 10}) == {}, "the feed has still to be filled"
        newer.work()
        newer.work()
        replay = store.replays.next_articles("world", {"e": 10}).get("e")
        assert expected == (list(replay.articles) if replay else [])
        assert "backfill" not in store.receivers.details("world", "endpoint:e")
        assert len(store.receivers.claim("world", 10, clock.ms(now) + 60_000).claims) == 1


def _url(store: Store) -> str:
    return f"unix://{store.client.connection_pool.connection_kwargs['path']}"
