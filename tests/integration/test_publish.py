"""From the stream to the change logs, with a worker that dies between any two steps."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest import mock

import pytest
import redis
import structlog
from records import archives, no_record

from feeds.article import Article
from feeds.definition import FeedDefinition, Selector
from feeds.fingerprint import fingerprints
from feeds.formats import FEED_FORMATS
from worker import clock
from worker.documents.feed_documents import FeedDocuments
from worker.documents.feed_payloads import DelayedArticles, FeedPayload, FeedPayloads, PayloadRequest
from worker.documents.feed_renderer import FeedRenderer
from worker.documents.quality_gate import FeedRefused, QualityGate
from worker.intake.accept import Intake
from worker.newsroom.event_consumer import EventConsumer
from worker.newsroom.newsroom import Newsroom
from worker.newsroom.publication import Publication
from worker.record import Record
from worker.retention.noting import Noting
from worker.retention.recorded import RecordedArticles
from worker.retention.warm import HotArticles
from worker.store import Store, keys, redis_errors
from worker.store.alerts import Alerts
from worker.store.articles import StoredArticle

PUBLISHED = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Wakeups:
    """Notes the calls that would go through Celery."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bool]] = []

    def consume(self, *, urgent: bool) -> None:
        self.calls.append(("consume", urgent))

    def distribute(self, feed: str, *, urgent: bool = False) -> None:
        self.calls.append((feed, urgent))

    def verify(self, feed: str) -> None:
        self.calls.append((feed, False))


class Contracts:
    """No endpoint gets single articles; those of the feeds in `early` get them under embargo."""

    def __init__(self, early: set[str]) -> None:
        self._early = early

    def in_article_mode(self, _feed: str) -> list[str]:
        return []

    def feeds_with_early_access(self) -> set[str]:
        return self._early

    def any_page_checks(self) -> bool:
        return True


def site(*more: FeedDefinition) -> Publication:
    feeds = (
        FeedDefinition(name="all", title="All"),
        FeedDefinition(name="world", title="World", select=(Selector(section=("World",)),)),
        FeedDefinition(name="picks", title="Picks", list="picks"),
        *more,
    )
    return Publication("https://herald.example", "The Herald", "herald.example,2026", "en", feeds)


class Desk:
    """A newsroom without workers: its steps are made one by one."""

    def __init__(self, store: Store, record: Record | None = None) -> None:
        self.store = store
        self.record = record or no_record()
        self.noting = Noting(store, self.record)
        self.wakeups = Wakeups()
        self.site = site()
        self.early: set[str] = set()
        self.killed: list[tuple[str, int]] = []
        store.events.create_group()

    def newsroom(self, worker: str = "w1") -> Newsroom:
        """What one worker does, with the permit to carry out events."""

        def on_killed(feed: str, stored: StoredArticle) -> None:
            self.killed.append((feed, stored.article.version))

        wakeups: Any = self.wakeups
        newsroom = Newsroom(
            self.store,
            self.record,
            HotArticles(self.store, RecordedArticles(self.record)),
            self.site,
            wakeups,
            worker,
            Contracts(self.early),
            Alerts(self.store.operations, webhook=True),
            self.noting,
            try_locally=lambda _: False,
            on_killed=on_killed,
        )
        newsroom.permit.renew()
        return newsroom

    def consumer(self, worker: str = "w1") -> EventConsumer:
        return self.newsroom(worker).events

    def release_due(self, now: datetime) -> int:
        return self.newsroom().releases.release_due(now)

    def index(self, worker: str = "w1") -> None:
        """Fill the feeds that are new or defined anew, as a worker does in the background."""
        self.newsroom(worker).indexer.fill()

    def accept(self, *events: dict[str, Any]) -> None:
        intake = Intake(self.store, self.wakeups)  # type: ignore[arg-type]
        receipts = intake.accept(events, clock.now())
        assert ["accepted"] * len(events) == [receipt.status for receipt in receipts]

    def members(self, feed: str) -> list[str]:
        return self.store.changes.members(feed)

    def renderer(self) -> FeedRenderer:
        gate = QualityGate(self.store, Alerts(self.store.operations, webhook=True))
        return FeedRenderer(self.store, self.site, gate)

    def documents(self) -> FeedDocuments:
        return FeedDocuments(self.store, self.site, self.renderer(), archives(self.store))

    def payload(self, feed: str, format_name: str, request: PayloadRequest) -> FeedPayload | None:
        definition = self.site.feed(feed)
        assert definition is not None
        return FeedPayloads(self.store, self.renderer()).build(definition, FEED_FORMATS[format_name], request)

    def document(self, feed: str) -> str:
        return self.documents().current(self.site.feed(feed), FEED_FORMATS["atom"]).body.decode()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


_count = iter(range(10_000))


def article(article_id: str, version: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"evt-{next(_count)}",
        "type": "article.published",
        "article": {
            "id": article_id,
            "version": version,
            "headline": f"{article_id} v{version}",
            "url": f"https://herald.example/{article_id}",
            "section": "world",
            "published": PUBLISHED.isoformat(),
            **more,
        },
    }


def kill(article_id: str) -> dict[str, Any]:
    return {"id": f"evt-{next(_count)}", "type": "article.killed", "article": {"id": article_id}}


def test_an_article_enters_stays_and_leaves(desk: Desk) -> None:
    desk.accept(article("a"), article("b"))
    desk.consumer().consume()
    assert ["b", "a"] == desk.members("world")
    desk.accept(article("a", 2), article("b", 2, section="sport"))
    desk.consumer().consume()
    assert (["a"], ["b", "a"]) == (desk.members("world"), desk.members("all"))
    assert desk.store.events.waiting() == 0


def test_a_kill_jumps_the_queue_and_wakes_urgently(desk: Desk) -> None:
    desk.store.receivers.enroll("all", "endpoint:one", {"endpoint": "one"})
    desk.accept(article("a"))
    desk.consumer().consume()
    desk.wakeups.calls.clear()
    desk.accept(*(article(f"n{n}") for n in range(5)))
    desk.accept(kill("a"))
    assert ("consume", True) in desk.wakeups.calls
    desk.consumer().consume()
    changes = desk.store.changes.since("all", 1, 100)
    assert ("a", "killed") == (changes[0].article_id, changes[0].state)
    assert ("all", True) in desk.wakeups.calls


def saying(version: int, text: str) -> dict[str, Any]:
    return article("a", version, headline="Ferries return", body_html=f"<p>{text}</p>")


def marks(event: dict[str, Any]) -> set[str]:
    told = {name: value for name, value in event["article"].items() if name != "published"}
    return set(fingerprints(Article(**told, published=PUBLISHED, updated=PUBLISHED)))


def test_of_a_killed_text_its_fingerprints_are_kept_until_it_comes_back(desk: Desk) -> None:
    first, second = (
        saying(1, "Boats leave the old quay every hour"),
        saying(2, "The last boat leaves the new quay at ten"),
    )
    fourth = saying(4, "Boats leave from the bridge until the storm is over")
    for event in (first, second, kill("a"), kill("a")):
        desk.accept(event)
        desk.consumer().consume()
    held = desk.store.articles.get("a")
    assert held is not None
    assert (3, "", marks(first) | marks(second)) == (
        held.article.version,
        held.article.body_html,
        set(held.fingerprints),
    )
    # Told again when the event came again: who was told first may have died of it.
    assert {("all", 3), ("world", 3)} == set(desk.killed)
    assert len(desk.killed) == 4

    for event, expected in ((fourth | {"type": "article.reinstated"}, set()), (kill("a"), marks(fourth))):
        desk.accept(event)
        desk.consumer().consume()
        held = desk.store.articles.get("a")
        assert held is not None
        assert expected == set(held.fingerprints)


def test_an_original_that_comes_after_its_kill_stays_out(desk: Desk) -> None:
    desk.accept(kill("a"))
    desk.consumer().consume()
    desk.accept(article("a"))
    desk.consumer().consume()
    assert desk.members("all") == []
    held = desk.store.articles.get("a")
    assert held is not None
    assert held.article.pubstatus == "canceled"


@pytest.mark.parametrize("broken", ["save", "record_before", "acknowledge"])
def test_a_worker_that_dies_between_two_steps_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    class Died(BaseException):
        """As a SIGKILL: nothing below catches it."""

    def die(*_: object, **__: object) -> None:
        raise Died

    desk.accept(article("a"))
    desk.consumer().consume()
    desk.accept(article("a", 2), kill("b"))
    noun = {"save": desk.store.articles, "record_before": desk.store.changes, "acknowledge": desk.store.events}[broken]
    with monkeypatch.context() as patched:
        patched.setattr(noun, broken, die)
        with pytest.raises(Died):
            desk.consumer("dead").consume()
    # Another worker takes over what the dead one was reading.
    monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
    other = desk.consumer("alive")
    other.take_over()
    other.consume()
    assert "a v2" in desk.document("world")
    held = desk.store.articles.get("b")
    assert held is not None
    assert held.article.pubstatus == "canceled"
    assert desk.store.events.waiting() == 0


def picks(*article_ids: str) -> dict[str, Any]:
    number = next(_count)
    time = (PUBLISHED + timedelta(minutes=number)).isoformat()
    return {
        "id": f"evt-{number}",
        "type": "list.updated",
        "time": time,
        "list": {"name": "picks", "articles": list(article_ids)},
    }


@pytest.mark.parametrize(("noun", "step"), [("articles", "save"), ("changes", "record_before"), ("changes", "leaving")])
@pytest.mark.parametrize("picked", [True, False])
def test_a_list_that_another_worker_sets_meanwhile_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, noun: str, step: str, picked: bool
) -> None:
    """An article is placed once: here by the list as it was, and saved or recorded when that is carried out."""
    before, after = ([], ["a"]) if picked else (["a"], [])
    for event in (picks("a"), article("a"), picks(*before)):
        desk.accept(event)
        desk.consumer().consume()
    desk.accept(article("a", 2))
    consumer = desk.consumer()
    carry_on = getattr(getattr(desk.store, noun), step)

    def meanwhile(*args: Any, **due: Any) -> Any:
        monkeypatch.setattr(getattr(desk.store, noun), step, carry_on)
        desk.accept(picks(*after))
        desk.consumer("other").consume()
        return carry_on(*args, **due)

    monkeypatch.setattr(getattr(desk.store, noun), step, meanwhile)
    consumer.consume()
    assert after == desk.members("picks")
    [version] = {stored.article.version for stored in desk.store.articles.get_many(["a"]).values()}
    assert version == 2


def test_what_can_not_be_used_is_kept_with_its_reason(desk: Desk) -> None:
    for body in ("{", "[]", '{"type": "article.sung"}', '{"id": "x", "type": "article.published"}', "[" * 50_000):
        desk.store.client.xadd(keys.EVENTS, {"event": body})
    desk.accept(article("good"))
    desk.consumer().consume()
    rejected = [fields["reason"] for _, fields in desk.store.client.xrange(keys.REJECTED)]
    assert len(rejected) == 5
    assert all(rejected)
    assert ["good"] == desk.members("all")
    assert desk.store.events.waiting() == 0


def rejected(desk: Desk) -> list[str]:
    """The reasons of what was set aside."""
    return [fields["reason"] for _, fields in desk.store.client.xrange(keys.REJECTED)]


def test_an_entry_that_fails_again_and_again_is_set_aside(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
    monkeypatch.setattr(desk.store.articles, "look_up", fail)
    desk.accept(article("a"))
    consumer = desk.consumer()
    consumer.consume()
    for _ in range(3):
        consumer.take_over()
    assert rejected(desk) == []
    consumer.take_over()
    assert ["failed 5 times, at last: ValueError: a bug"] == rejected(desk)
    assert "a" == set_aside(desk)["article_id"]
    assert desk.store.events.waiting() == 0


@pytest.mark.parametrize(
    "error", [redis.ConnectionError("gone"), redis.exceptions.OutOfMemoryError("not allowed", status_code="OOM")]
)
def test_an_outage_is_no_fault_of_an_event_however_long_it_lasts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
    desk.accept(*(article(f"a{n}") for n in range(3)))
    consumer = desk.consumer()
    with monkeypatch.context() as away:
        away.setattr(desk.store.articles, "save", mock.Mock(side_effect=error))
        for step in (consumer.consume, *(consumer.take_over for _ in range(20))):
            with structlog.testing.capture_logs() as logged, pytest.raises(type(error)):
                step()
            assert logged == [], "whoever asked for it says it, once"
    assert consumer.take_over() == 3
    assert (["a2", "a1", "a0"], [], 0) == (desk.members("all"), rejected(desk), desk.store.events.waiting())


def test_what_a_worker_is_at_is_carried_out_once_however_long_it_takes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
    desk.accept(article("a"))
    slow, other = desk.consumer("slow"), desk.consumer("other")
    desk.store.workers.report_alive("slow", 0)
    taken: list[int] = []
    record = desk.store.changes.record_before

    def meanwhile(*args: Any) -> Any:
        taken.extend(consumer.take_over() for consumer in (slow, other) for _ in range(10))
        return record(*args)

    monkeypatch.setattr(desk.store.changes, "record_before", meanwhile)
    assert slow.consume() == 1
    assert [0] * 20 == taken
    assert (["a"], 0) == (desk.members("all"), desk.store.events.waiting())


@pytest.mark.parametrize("kind", ["kill", "other"])
def test_an_event_that_workers_die_of_is_set_aside_and_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    class Died(BaseException):
        """As a SIGKILL: nothing below catches it."""

    monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
    deadly = kill("deadly") if kind == "kill" else article("deadly")
    desk.accept(article("good"), deadly, article("better"))
    finished, record = desk.store.events.acknowledge, desk.store.changes.record_before

    def worker(name: str) -> EventConsumer:
        def die(*_: object) -> None:
            raise Died

        def carry_out(article_id: str, *args: Any) -> Any:
            if article_id == "deadly":
                # Nor is it said any more that others of its batch are done.
                monkeypatch.setattr(desk.store.events, "acknowledge", die)
                raise Died
            return record(article_id, *args)

        monkeypatch.setattr(desk.store.events, "acknowledge", finished)
        monkeypatch.setattr(desk.store.changes, "record_before", carry_out)
        return desk.consumer(name)

    for number in range(20):
        with contextlib.suppress(Died):
            consumer = worker(f"w{number}")
            consumer.consume()
            consumer.take_over()
    [reason] = rejected(desk)
    assert "workers died while they had it" in reason
    assert (["better", "good"], 0) == (sorted(desk.members("all")), desk.store.events.waiting())
    told = set_aside(desk)
    assert (deadly["id"], deadly["type"], "deadly") == (told["event_id"], told["event_type"], told["article_id"])
    assert ("dateline kill deadly" in told["next_step"]) == (kind == "kill")
    desk.store.counters.flush()
    assert desk.store.counters.read()["dateline_events_set_aside", (("kind", kind),)] == 1
    # Its sender may send it again as it is.
    monkeypatch.undo()
    assert ["accepted"] == [
        receipt.status
        for receipt in Intake(desk.store, desk.wakeups).accept([deadly], clock.now())  # type: ignore[arg-type]
    ]
    desk.consumer().consume()
    assert (kind == "other") == ("deadly" in desk.members("all"))
    held = desk.store.articles.get("deadly")
    assert held is not None
    assert (held.article.pubstatus == "canceled") == (kind == "kill")


def set_aside(desk: Desk) -> dict[str, Any]:
    """The one event that operators were told of."""
    _, waiting = desk.store.operations.claim(10, 1000)
    [told] = [event["data"] for _, event in waiting if event["type"] == "event.set_aside"]
    return cast(dict[str, Any], told)


def test_an_event_id_that_is_used_again_drops_nothing(desk: Desk) -> None:
    """Some systems send the id of the article as the id of each of its events."""
    intake = Intake(desk.store, desk.wakeups)  # type: ignore[arg-type]
    for event in (article("a"), article("a", 2), article("b"), kill("a")):
        same = {**event, "id": "story"}
        again = {name: same[name] for name in sorted(same, reverse=True)}
        for value, expected in ((same, "accepted"), (again, "duplicate")):
            assert [expected] == [receipt.status for receipt in intake.accept([value], clock.now())]
        desk.consumer().consume()
    held = desk.store.articles.get_many(["a", "b"])
    assert ("canceled", 3) == (held["a"].article.pubstatus, held["a"].article.version)
    assert ["b"] == desk.members("all")


def test_a_kill_by_the_state_of_the_article_goes_first_too(desk: Desk) -> None:
    desk.accept(article("a"))
    desk.consumer().consume()
    desk.accept(*(article(f"n{n}") for n in range(3)), article("a", 2, pubstatus="canceled"))
    assert desk.consumer().consume_kills() == 1
    assert ["a"] == [change.article_id for change in desk.store.changes.since("all", 1, 9) if change.state == "killed"]
    assert ("consume", True) in desk.wakeups.calls


def test_a_kill_that_nobody_was_woken_for_is_carried_out_as_it_comes(desk: Desk) -> None:
    desk.accept(article("a"))
    consumer = desk.consumer()
    consumer.consume()
    timer = threading.Timer(0.2, desk.accept, [kill("a")])
    timer.start()
    assert consumer.consume_kills() == 1
    timer.join()
    assert desk.members("all") == []


def test_an_article_that_can_not_be_released_keeps_no_other_under_embargo(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.newsroom.releases._AT_ONCE", 2)
    now = clock.now()
    moment = now + timedelta(hours=1)
    for number in range(5):
        desk.accept(article(f"a{number}", embargoed=(moment + timedelta(seconds=number)).isoformat()))
    consumer = desk.consumer()
    consumer.consume()
    for number in range(3):
        desk.store.client.hset(keys.article(f"a{number}"), mapping={"doc": "{", "rev": 99})
    later = moment + timedelta(seconds=10)
    while desk.release_due(later):
        pass
    assert ["a3", "a4"] == sorted(desk.members("all"))


def test_an_entry_with_an_id_from_the_future_does_no_harm_to_those_after_it(desk: Desk) -> None:
    for number, entry_id in enumerate(("9999999999999-0", "99999999999999999-7", "*")):
        desk.store.client.xadd(keys.EVENTS, {"event": json.dumps(article(f"a{number}"))}, id=entry_id)
    desk.consumer().consume()
    assert (["a0", "a1", "a2"], []) == (sorted(desk.members("all")), rejected(desk))
    held = desk.store.articles.get_many(["a0", "a1", "a2"])
    assert all(one.article.updated < clock.now() for one in held.values())


@pytest.mark.parametrize("damage", [{"doc": "{"}, {"feeds": "x"}, {"doc": "{}", "feeds": "null"}])
def test_an_article_that_is_damaged_can_be_corrected_and_killed(desk: Desk, damage: dict[str, str]) -> None:
    desk.accept(article("a"), article("b"), article("c"))
    desk.consumer().consume()
    for name in ("a", "b"):
        desk.store.client.hset(keys.article(name), mapping={**damage, "rev": 9})
    # What is whole is shown meanwhile.
    assert "c v1" in desk.document("all")
    desk.accept(article("a", 2), kill("b"))
    desk.consumer().consume()
    assert ["a", "c"] == sorted(desk.members("all"))
    assert ["a", "c"] == sorted(desk.members("world"))
    assert "a v2" in desk.document("world")
    assert rejected(desk) == []


def test_a_feed_that_is_damaged_keeps_an_event_from_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
    desk.store.client.set(keys.feed("world").meta, "a string")
    desk.accept(article("a"))
    consumer = desk.consumer()
    consumer.consume()
    assert ["a"] == desk.members("all")
    for _ in range(4):
        consumer.take_over()
    [reason] = rejected(desk)
    assert "record of dateline:{feed:world}:meta" in reason


def test_a_redis_that_is_full_is_no_event_s_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
    desk.accept(article("a"), article("b"))
    consumer = desk.consumer()
    desk.store.client.config_set("maxmemory", "1mb")
    try:
        for work in (consumer.consume, *[consumer.take_over] * 12):
            with pytest.raises(redis.RedisError) as raised:
                work()
            assert "full" == redis_errors.kind(raised.value)
    finally:
        desk.store.client.config_set("maxmemory", 0)
    consumer.take_over()
    assert ["b", "a"] == desk.members("world")
    assert 0 == desk.store.events.waiting()
    assert 0 == desk.store.client.xlen(keys.REJECTED)


def test_an_embargo_is_held_and_released_and_expiry_withdraws(desk: Desk) -> None:
    now = clock.now()
    moment, end = now + timedelta(hours=1), now + timedelta(hours=2)
    desk.accept(article("a", embargoed=moment.isoformat(), expires=end.isoformat()))
    consumer = desk.consumer()
    consumer.consume()
    assert desk.members("all") == []
    assert desk.release_due(now) == 0
    assert desk.release_due(moment + timedelta(milliseconds=1)) == 1
    assert ["a"] == desk.members("all")
    assert desk.release_due(end + timedelta(milliseconds=1)) == 1
    assert desk.members("all") == []
    assert desk.release_due(end + timedelta(days=1)) == 0


def test_a_curated_list_brings_articles_in_and_out(desk: Desk) -> None:
    consumer = desk.consumer()

    def pick(*ids: str) -> list[str]:
        desk.accept(
            {"id": f"evt-{next(_count)}", "type": "list.updated", "list": {"name": "picks", "articles": list(ids)}}
        )
        consumer.consume()
        return desk.members("picks")

    desk.accept(article("a"), article("b"), article("c"))
    consumer.consume()
    assert ["b", "a"] == pick("b", "unknown", "a")
    head = desk.store.changes.head("picks").seq
    assert ["b", "a"] == pick("b", "unknown", "a")
    assert head == desk.store.changes.head("picks").seq, "nothing has changed, nobody is told"
    assert ["a", "b"] == pick("a", "b")
    assert desk.store.changes.head("picks").seq > head
    assert ["c", "a"] == pick("c", "a")


def test_a_feed_that_is_new_or_defined_anew_gets_the_articles_that_are_there(desk: Desk) -> None:
    desk.accept(article("a", section="sport"))
    desk.index()
    desk.consumer().consume()
    desk.site = site(FeedDefinition(name="sport", title="Sport", select=(Selector(section=("Sport",)),)))
    desk.index()
    assert ["a"] == desk.members("sport")
    head = desk.store.changes.head("sport")
    desk.index()
    assert head == desk.store.changes.head("sport")


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


def with_patterns(desk: Desk, **fields: Any) -> None:
    desk.site = site(
        FeedDefinition(name="author/*", title="By *", **fields),
        FeedDefinition(name="en/subject/*", title="On *", edition="en"),
    )


def test_a_feed_of_a_pattern_is_made_when_an_article_matches(desk: Desk) -> None:
    with_patterns(desk)
    desk.accept(article("a", authors=["Mira OKONJO"], subjects=["Old Town"]), article("b", authors=["Mira Okonjo"]))
    desk.consumer().consume()
    assert ["b", "a"] == desk.members("author/mira-okonjo")
    assert ["a"] == desk.members("en/subject/old-town")
    assert "<title>By Mira OKONJO</title>" in desk.document("author/mira-okonjo")
    desk.accept(article("c", edition="ar", subjects=["بحر"]))
    desk.consumer().consume()
    assert (1, 1) == tuple(desk.store.patterns.count(name) for name in ("author/*", "en/subject/*"))


def test_an_article_leaves_the_feed_of_a_pattern(desk: Desk) -> None:
    with_patterns(desk)
    desk.accept(article("a", authors=["Mira Okonjo", "Tal Ben"]))
    desk.consumer().consume()
    desk.accept(article("a", 2, authors=["Tal Ben"]))
    desk.consumer().consume()
    assert [[], ["a"]] == [desk.members(f"author/{name}") for name in ("mira-okonjo", "tal-ben")]
    desk.accept(kill("a"))
    desk.consumer().consume()
    states = [desk.store.changes.latest_of(f"author/{name}", ["a"])["a"].state for name in ("mira-okonjo", "tal-ben")]
    assert ["killed", "killed"] == states


def test_a_feed_of_a_pattern_that_nobody_wrote_for_is_empty_and_leaves_nothing_behind(desk: Desk) -> None:
    with_patterns(desk)
    before = set(desk.store.client.scan_iter("*"))
    assert "<title>By nobody here</title>" in desk.document("author/nobody-here")
    assert before == set(desk.store.client.scan_iter("*"))


def test_a_pattern_makes_no_more_feeds_than_it_may(desk: Desk) -> None:
    with_patterns(desk, most=2)
    desk.accept(*(article(f"a{n}", authors=[f"Author {n}"]) for n in range(4)), article("b", authors=["Author 1"]))
    desk.consumer().consume()
    assert [["a0"], ["b", "a1"], [], []] == [desk.members(f"author/author-{n}") for n in range(4)]
    assert 2 == desk.store.patterns.count("author/*")


def test_a_new_pattern_finds_the_articles_that_are_there(desk: Desk) -> None:
    desk.accept(article("a", authors=["Mira Okonjo"]))
    desk.consumer().consume()
    with_patterns(desk)
    desk.index()
    assert ["a"] == desk.members("author/mira-okonjo")


def test_an_embargo_shows_no_feed_of_a_pattern(desk: Desk) -> None:
    with_patterns(desk)
    tomorrow = clock.now() + timedelta(days=1)
    desk.accept(article("a", authors=["Secret Source"], embargoed=tomorrow.isoformat()))
    desk.consumer().consume()
    assert 0 == desk.store.patterns.count("author/*")
    desk.release_due(tomorrow)
    assert ["a"] == desk.members("author/secret-source")


def test_only_feeds_with_receivers_wake_a_worker(desk: Desk) -> None:
    desk.store.receivers.enroll("world", "endpoint:one", {"endpoint": "one"})
    desk.accept(article("a"))
    desk.consumer().consume()
    assert [("world", False)] == [call for call in desk.wakeups.calls if call[0] != "consume"]


def test_an_embargoed_article_is_recorded_only_where_somebody_may_have_it_early(desk: Desk) -> None:
    desk.early = {"world"}
    tomorrow = clock.now() + timedelta(days=1)
    before = desk.document("world")
    desk.accept(article("a", embargoed=tomorrow.isoformat()))
    desk.consumer().consume()
    assert ("early", False) == (
        desk.store.changes.latest_of("world", ["a"])["a"].state,
        desk.store.changes.latest_of("world", ["a"])["a"].was_in_feed,
    )
    assert {} == desk.store.changes.latest_of("all", ["a"])
    assert before == desk.document("world")
    assert desk.store.changes.head("world").changed == 0
    desk.release_due(tomorrow)
    assert ("in", True) == (
        desk.store.changes.latest_of("world", ["a"])["a"].state,
        desk.store.changes.latest_of("world", ["a"])["a"].was_in_feed,
    )
    assert (["a"], ["a"]) == (desk.members("world"), desk.members("all"))


@pytest.mark.parametrize("then", ["kill", "withheld", "elsewhere"])
def test_what_only_some_were_told_of_leaves_no_trace_in_the_feed(desk: Desk, then: str) -> None:
    desk.early = {"world"}
    soon = (clock.now() + timedelta(days=1)).isoformat()
    desk.accept(article("a", embargoed=soon))
    desk.consumer().consume()
    before = desk.document("world")
    later = {
        "kill": kill("a"),
        "withheld": article("a", 2, embargoed=soon, pubstatus="withheld"),
        "elsewhere": article("a", 2, embargoed=soon, section="sport"),
    }
    desk.accept(later[then])
    desk.consumer().consume()
    change = desk.store.changes.latest_of("world", ["a"])["a"]
    assert ("killed" if then == "kill" else "out", False, 2) == (change.state, change.was_in_feed, change.seq)
    assert before == desk.document("world")
    assert desk.payload("world", "atom", PayloadRequest(0, 2)) is None


def test_an_article_that_comes_under_embargo_leaves_the_feed(desk: Desk) -> None:
    desk.early = {"world"}
    desk.accept(article("a"))
    desk.consumer().consume()
    soon = (clock.now() + timedelta(days=1)).isoformat()
    desk.accept(article("a", 2, embargoed=soon))
    desk.consumer().consume()
    assert "deleted-entry" in desk.document("world")
    assert [] == desk.members("world")
    gone = desk.document("world")
    desk.accept(article("a", 3, embargoed=soon))
    desk.consumer().consume()
    assert ("early", True, 3) == (
        desk.store.changes.latest_of("world", ["a"])["a"].state,
        desk.store.changes.latest_of("world", ["a"])["a"].was_in_feed,
        desk.store.changes.latest_of("world", ["a"])["a"].seq,
    )
    assert gone == desk.document("world")


def test_a_hundred_changes_that_a_feed_does_not_tell_hide_none_that_it_tells(desk: Desk) -> None:
    desk.early = {"world"}
    soon = (clock.now() + timedelta(days=1)).isoformat()
    desk.accept(*(article(f"a{n}", embargoed=soon) for n in range(205)), article("b"))
    desk.consumer().consume()
    payload = desk.payload("world", "atom", PayloadRequest(0, 206))
    assert payload is not None
    assert ({"b": (1, "published")}, 206) == (payload.statuses, payload.cursor)


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


def test_what_says_no_time_is_in_the_order_in_which_redis_had_it(desk: Desk) -> None:
    unsaid = [article("a", headline=headline) for headline in ("First", "Second")]
    lists = [
        {"id": f"evt-list-{name}", "type": "list.updated", "list": {"name": "picks", "articles": [name]}}
        for name in ("a", "b")
    ]
    for event in (*unsaid, *lists):
        event.get("article", {}).pop("version", None)
        desk.store.client.xadd(keys.EVENTS, {"event": json.dumps(event)})
    slow, quick = desk.consumer("slow"), desk.consumer("quick")
    # One worker has read the first of each, and another carries out what came after before it.
    entries = desk.store.events.read("slow", 10)
    quick._carry_out([entries[1], entries[3]])
    slow._carry_out([entries[0], entries[2]])
    held = desk.store.articles.get("a")
    assert held is not None
    assert held.article.headline == "Second"
    assert {"picks": ("b",)} == desk.store.lists.get_many(["picks"])
