"""An event, its worker, its article or Redis is at fault: no event is lost, and none holds up another."""

from __future__ import annotations

import contextlib
import json
from typing import Any, cast
from unittest import mock

import pytest
import redis
import structlog
from news_desk import Desk, article, kill

from worker import clock
from worker.intake.accept import Intake
from worker.newsroom.article_events import ArticleEvents
from worker.newsroom.event_consumer import EventConsumer
from worker.newsroom.feed_offers import FeedOffers
from worker.store import keys, redis_errors


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


def test_what_an_outage_has_cut_short_is_logged_and_counted_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise redis.ConnectionError("away")

    desk.accept(article("a"))
    with structlog.testing.capture_logs() as logs:
        with monkeypatch.context() as patched:
            patched.setattr(desk.store.changes, "record_before", away)
            with pytest.raises(redis.ConnectionError):
                desk.consumer().consume()
        monkeypatch.setattr("worker.newsroom.event_consumer._AGAIN_MS", 0)
        desk.consumer().take_over()
    assert desk.members("all") == ["a"]
    done = [(line["article_id"], line["result"]) for line in logs if line["event"] == "event_done"]
    assert done == [("a", "published")]
    desk.store.counters.flush()
    assert desk.store.counters.read()["dateline_events", (("result", "published"),)] == 1


def test_pushes_do_not_wait_for_the_log(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.accept(article("a"))
    steps: list[str] = []
    monkeypatch.setattr(FeedOffers, "offer", lambda *_, **__: steps.append("offered"))
    report = ArticleEvents.report
    monkeypatch.setattr(ArticleEvents, "report", lambda *about: (steps.append("logged"), report(*about)))
    desk.consumer().consume()
    assert steps == ["offered", "logged"]


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
    monkeypatch.setattr(desk.store.articles, "look_up_original", fail)
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
    assert "10 workers died while they had it" in reason
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
