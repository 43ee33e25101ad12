"""What events change is noted in the record, on both databases: whatever dies, is away, or comes twice."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from news_desk import Desk, article, kill
from records import no_record
from sqlalchemy import select, text
from test_round_trips import counted
from test_updates import document

from worker import clock
from worker.record import Record, tables
from worker.record import articles as recorded
from worker.record.availability import Absence
from worker.record.positions import NOTED, read_positions
from worker.retention.noting import Noting
from worker.store import keys


class Died(BaseException):
    """As a SIGKILL: nothing below catches it."""


@pytest.fixture
def desk(store: Any, record: Record) -> Iterator[Desk]:
    desk = Desk(store, record)
    with (
        mock.patch("worker.newsroom.event_consumer._AGAIN_MS", 0),
        mock.patch("worker.retention.noting._FRESH_MS", 0),
        mock.patch("worker.retention.noting._MOMENT_SECONDS", 30.0),
    ):
        yield desk
    desk.noting.stop()


def take(desk: Desk, *events: dict[str, Any]) -> None:
    for event in events:
        desk.accept(event)
        desk.consumer().consume()


def versions(desk: Desk, name: str) -> list[int]:
    with desk.record.read() as connection:
        return [row.version for row in recorded.history(connection, name)]


def states(desk: Desk, name: str) -> dict[str, str]:
    """What the record says that an article is in its feeds."""
    with desk.record.read() as connection:
        article_with_feeds = recorded.read_article(connection, name)
    return {row.feed: row.state for row in article_with_feeds.memberships} if article_with_feeds else {}


def results(desk: Desk) -> list[tuple[str, str | None, str | None, int | None]]:
    events = tables.events.c
    with desk.record.read() as connection:
        rows = connection.execute(
            select(events.event_id, events.result, events.article_id, events.version).order_by(events.number)
        )
        return [tuple(row) for row in rows]


def unnoted(desk: Desk) -> set[str]:
    return set(desk.store.client.hgetall(keys.UNNOTED))


def away(record: Record) -> None:
    record.availability.absence = Absence(0, "it is not there")


def back(record: Record) -> None:
    record.availability.absence = None


def test_a_batch_is_noted_before_it_is_acknowledged(desk: Desk) -> None:
    acknowledge = desk.store.events.acknowledge
    seen = []

    def look(*args: Any) -> bool:
        seen.append((versions(desk, "a"), [row[1] for row in results(desk)], unnoted(desk)))
        return acknowledge(*args)

    with mock.patch.object(desk.store.events, "acknowledge", look):
        desk.accept(
            article("a"),
            article("a", 2, section="sport"),
            {"id": "nonsense", "type": "article.repeated"} | {"article": {"id": "a"}},
        )
        desk.consumer().consume()
    assert seen == [([1, 2], ["published", "corrected", "unknown"], set())]
    with desk.record.read() as connection:
        [now] = recorded.read_articles(connection, ["a"]).values()
        assert read_positions(connection) == {NOTED: int(desk.store.client.get(keys.NOTED))}
    stored = desk.store.articles.get("a")
    assert stored is not None
    assert (now.article.rev, now.article.headline, now.article.saves) == (stored.rev, "a v2", 2)
    assert (now.article.document, stored.event) == (stored.article.model_dump_json(), results(desk)[1][0])
    assert states(desk, "a") == {"all": "in", "world": "out"}
    [member] = [row for row in now.memberships if row.feed == "all"]
    assert member.sequence == desk.store.changes.head("all").seq
    assert member.place == desk.store.changes.places("all", ["a"])["a"]


def test_each_kind_of_event_has_its_result(desk: Desk) -> None:
    later = (clock.now() + timedelta(hours=1)).isoformat()
    held = article("b", embargoed=later)
    order = {"id": "l1", "type": "list.updated", "list": {"name": "picks", "articles": ["a"]}}
    take(desk, article("a", 2), held, order, article("a", 2), article("a", 1), article("a", 2, headline="Else"))
    take(desk, kill("a"), article("a", 9), {"id": "r", "type": "article.repeated", "article": {"id": "x"}})
    desk.store.client.xadd(keys.EVENTS, {"event": "no event"})
    desk.consumer().consume()
    assert [row[1:] for row in results(desk)] == [
        ("published", "a", 2),
        ("held", "b", 1),
        ("listed", None, None),
        ("duplicate", "a", None),
        ("stale", "a", None),
        ("conflict", "a", None),
        ("killed", "a", 3),
        ("killed", "a", None),
        ("unknown", "x", None),
        ("rejected", None, None),
    ]
    desk.noting.catch_up()
    with desk.record.read() as connection:
        [picks] = recorded.read_lists(connection)
    assert (picks.name, picks.articles) == ("picks", ("a",))
    assert unnoted(desk) == set()


@pytest.mark.parametrize("step", range(9))
def test_a_worker_that_dies_at_a_step_leaves_nothing_out_and_nothing_twice(desk: Desk, step: int) -> None:
    take(desk, article("a"))
    desk.accept(article("a", 2), kill("b"))
    calls = itertools.count()
    run, write = desk.store.client.execute_command, desk.record.availability.write

    def dying(*parts: Any, **options: Any) -> Any:
        if parts[0] == "EVALSHA" and next(calls) == step:
            raise Died
        return run(*parts, **options)

    @contextlib.contextmanager
    def dying_write(*sync: Any) -> Iterator[Any]:
        if next(calls) == step:
            raise Died
        with write(*sync) as connection:
            yield connection
        if next(calls) == step:
            raise Died

    with (
        mock.patch.object(desk.store.client, "execute_command", dying),
        mock.patch.object(desk.record.availability, "write", dying_write),
        contextlib.suppress(Died),
    ):
        desk.consumer("dead").consume()
    desk.store.client.delete("dateline:worker:dead")
    desk.consumer("w2").take_over()
    desk.consumer("w2").consume()
    desk.noting.catch_up()
    assert versions(desk, "a") == [1, 2]
    assert (versions(desk, "b"), states(desk, "a")["all"]) == ([1], "in")
    assert sorted(row[1:] for row in results(desk)) == [
        ("corrected", "a", 2),
        ("killed", "b", 1),
        ("published", "a", 1),
    ]
    assert (desk.store.events.waiting(), unnoted(desk)) == (0, set())
    assert desk.store.client.xlen(keys.UNNOTED_RESULTS) == 0


def test_while_the_record_is_away_the_news_goes_on_and_nothing_is_missing_later(desk: Desk) -> None:
    away(desk.record)
    events = [article("a", version) for version in range(1, 6)] + [article("b", version) for version in range(1, 30)]
    desk.accept(*events)
    desk.consumer().consume()
    desk.accept(kill("b"))
    desk.consumer().consume()
    assert (desk.members("all"), desk.store.events.waiting(), results(desk)) == (["a"], 0, [])
    waiting = desk.store.unnoted.waiting()
    assert (waiting.marks, waiting.results) == (2, 35)
    assert waiting.since is not None
    assert clock.ms(clock.agreed()) - waiting.since < 60_000
    assert desk.noting.catch_up() is None
    back(desk.record)
    desk.noting.catch_up()
    assert (versions(desk, "a"), versions(desk, "b")) == ([*range(1, 6)], [*range(1, 31)])
    assert [row[1] for row in results(desk)].count("corrected") == 32
    assert (unnoted(desk), desk.store.unnoted.waiting().since) == (set(), None)
    assert not desk.store.client.hexists(keys.article("a"), "earlier")


def test_a_record_that_fails_while_it_is_written_loses_nothing(desk: Desk) -> None:
    with mock.patch("worker.retention.noter.note_position", side_effect=ZeroDivisionError):
        take(desk, article("a"))
        assert (versions(desk, "a"), unnoted(desk), desk.members("all")) == ([], {"a"}, ["a"])
    desk.noting.catch_up()
    assert (versions(desk, "a"), unnoted(desk)) == ([1], set())


def test_a_record_that_hangs_holds_nobody_up(desk: Desk) -> None:
    with mock.patch("worker.retention.noting._MOMENT_SECONDS", 0.05), contextlib.ExitStack() as stack:
        connection = stack.enter_context(desk.record.write())
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE articles"))
        take(desk, article("a"), article("b"))
        assert (sorted(desk.members("all")), desk.store.client.xlen(keys.UNNOTED_RESULTS)) == (["a", "b"], 2)
    desk.noting._thread.shutdown(wait=True)
    back(desk.record)
    desk.noting.catch_up()
    assert (versions(desk, "a"), versions(desk, "b"), unnoted(desk)) == ([1], [1], set())


def test_two_workers_on_one_article(desk: Desk) -> None:
    events = [article("a", version) for version in range(1, 41)]
    desk.accept(*events)
    consumers = [desk.consumer(f"w{number}") for number in range(2)]
    with mock.patch("worker.newsroom.event_consumer._BATCH", 3), ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda consumer: consumer.consume(), consumers))
    desk.noting.catch_up()
    stored = desk.store.articles.get("a")
    assert stored is not None
    with desk.record.read() as connection:
        now = recorded.read_article(connection, "a")
        made = [row.version for row in recorded.history(connection, "a")]
    assert now is not None
    assert (now.article.version, now.article.rev) == (40, stored.rev)
    # What came after a newer one was stale: each accepted revision is there, once.
    accepted = [row[3] for row in results(desk) if row[1] in {"published", "corrected"}]
    assert sorted(accepted) == made
    assert unnoted(desk) == set()


def test_a_mark_that_is_set_while_it_is_noted_stays(desk: Desk) -> None:
    away(desk.record)
    take(desk, article("a"))
    back(desk.record)
    read = desk.store.unnoted.feed_states

    def meanwhile(*args: Any) -> Any:
        answer = read(*args)
        away(desk.record)
        take(desk, article("a", 2))
        back(desk.record)
        return answer

    other = Noting(desk.store, desk.record)
    with mock.patch.object(desk.store.unnoted, "feed_states", meanwhile):
        assert other._noter.note(["a"]) is None
    assert (versions(desk, "a"), unnoted(desk)) == ([1], {"a"})
    assert desk.store.client.hexists(keys.article("a"), "earlier")
    other.catch_up()
    assert (versions(desk, "a"), unnoted(desk)) == ([1, 2], set())


def test_what_can_not_be_noted_by_its_own_fault_holds_up_no_other(desk: Desk) -> None:
    away(desk.record)
    take(desk, *(article(name) for name in "abcd"))
    back(desk.record)
    note = recorded.note_articles

    def failing(connection: Any, rows: Any) -> None:
        if any(row.article_id == "b" for row in rows):
            raise ZeroDivisionError
        note(connection, rows)

    with mock.patch.object(recorded, "note_articles", failing):
        for _ in range(3):
            desk.noting.catch_up()
        assert (unnoted(desk), versions(desk, "d")) == ({"b"}, [1])
    assert len(results(desk)) == 3
    desk.noting._backoffs.clear()
    desk.noting.catch_up()
    assert (unnoted(desk), len(results(desk))) == (set(), 4)


def test_a_killed_text_is_nowhere(desk: Desk, store: Any) -> None:
    away(desk.record)
    take(desk, article("a", body_html="<p>libel</p>", summary="libel in short"))
    back(desk.record)
    take(desk, article("a", 2, body_html="<p>libel again and again, with words enough</p>"), kill("a"))
    take(desk, article("a", 2, body_html="<p>libel again and again, with words enough</p>"))
    desk.noting.catch_up()
    assert "libel" not in json.dumps(store.client.hgetall(keys.article("a")))
    assert store.client.xlen(keys.UNNOTED_RESULTS) == 0
    with desk.record.read() as connection:
        revisions = recorded.history(connection, "a")
        bodies = list(connection.scalars(select(tables.events.c.body)))
    assert [row.document is None for row in revisions] == [True, True, False]
    assert revisions[1].fingerprints
    assert len(revisions[1].sha256) == 64
    assert bodies == [None] * 4
    take(desk, article("a", 5, body_html="<p>it was not libel</p>") | {"type": "article.reinstated"})
    with desk.record.read() as connection:
        assert "it was not libel" in (recorded.history(connection, "a")[-1].document or "")


def test_an_archive_keeps_what_was_killed(desk: Desk) -> None:
    desk.noting = Noting(desk.store, desk.record, keep_killed=True)
    take(desk, article("a", body_html="<p>libel</p>"), kill("a"))
    with desk.record.read() as connection:
        assert "libel" in (recorded.history(connection, "a")[0].document or "")


def test_what_time_changes_and_what_is_filled_is_noted_a_moment_later(desk: Desk) -> None:
    soon = clock.now() + timedelta(seconds=30)
    take(desk, article("a", embargoed=soon.isoformat()))
    assert states(desk, "a") == {}
    later = soon + timedelta(seconds=1)
    with mock.patch.object(clock, "now", return_value=later):
        assert desk.release_due(later) == 1
        desk.noting.catch_up()
    assert states(desk, "a") == {"all": "in", "world": "in"}


def test_updates_and_the_articles_that_they_were_are_noted(desk: Desk) -> None:
    take(desk, document("b", "a"), document("a"), document("c", "b"))
    desk.noting.catch_up()
    with desk.record.read() as connection:
        assert recorded.read_updates(connection) == {"b": "a", "c": "b"}
        headlines = {row.article.headline for row in recorded.read_articles(connection, ["a"]).values()}
    assert headlines == {"c v1"}
    assert unnoted(desk) == set()


def test_redis_is_asked_twice_for_a_batch_and_has_the_marks_taken_off_and_the_news_once(desk: Desk) -> None:
    take(desk, article("warm"))
    consumer = desk.consumer()
    counts = {}
    for name, noting in {"noted": desk.noting, "not noted": Noting(desk.store, no_record())}.items():
        consumer._noting = noting
        desk.accept(*(article(f"{name}-{number}".replace(" ", "-")) for number in range(20)))
        with counted() as requests:
            assert consumer.consume() == 20
        counts[name] = len(requests)
    assert counts["noted"] == counts["not noted"] + 4


def test_what_comes_one_by_one_is_pushed_before_it_is_noted(desk: Desk) -> None:
    waited: list[tuple[float, list[int]]] = []
    desk.noting = Noting(
        desk.store, desk.record, give_way=lambda seconds: waited.append((seconds, versions(desk, "a")))
    )
    take(desk, article("a"))
    assert [noted for _, noted in waited] == [[]]
    assert versions(desk, "a") == [1]
    # Of many none waits: the next batch would be late.
    desk.accept(*(article(f"b{number}") for number in range(20)))
    desk.consumer().consume()
    assert len(waited) == 1
