"""Redis loses what it had just while a worker carries out events, and no event that was accepted is lost with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis.exceptions
from news_desk import article, kill
from redis.exceptions import RedisError
from sqlalchemy import select

from config.settings import load
from worker import clock
from worker.intake.event_feeder import EventFeeder
from worker.record import tables
from worker.record.availability import Absence
from worker.retention import lost_events
from worker.retention.lost_events import LostEvents
from worker.runtime.services import build
from worker.runtime.wiring import WorkerRuntime
from worker.store import keys
from worker.store.events import IncomingEvent

SETTINGS = """
[site]
base_url = "https://herald.example"
[[feeds]]
name = "all"
title = "All"
[[feeds]]
name = "sport"
title = "Sport"
select = [{ section = ["sport"] }]
[[feeds]]
name = "picks"
title = "Picks"
list = "picks"
[[endpoints]]
name = "portal"
feed = "all"
format = "json"
url = "https://portal.example/"
"""


class Worker:
    """A worker process whose duties are done one by one."""

    def __init__(self, folder: Path, redis_url: str, record_url: str) -> None:
        config = folder / "dateline.toml"
        config.write_text(f'data_dir = "{folder}"\n{SETTINGS}')
        self.services = build(load(config, {"DATELINE_RECORD_URL": record_url}), redis_url)
        self.store, self.record = self.services.store, self.services.record
        self.services.commits._wait_seconds = 30
        self.runtime = WorkerRuntime(self.services, queues=())
        self.services.agreement.begin = self.runtime.rebuild.begin
        self.lost_events = LostEvents(self.store, self.record)
        self.feeder = EventFeeder(self.store, self.record, self.services.wakeups)
        self.find()

    def find(self) -> None:
        """Look at Redis, as at a start or when it was lost."""
        self.services.agreement._standing = None
        self.services.agreement.wait(60)
        self.store.events.create_group()
        self.runtime.newsroom.permit.lose()
        assert self.runtime.newsroom.permit.begin()

    def accept(self, *events: dict[str, Any]) -> None:
        receipts = self.services.intake.accept(events, clock.now())
        assert [("accepted", "both")] * len(events) == [(receipt.status, receipt.kept_by) for receipt in receipts]

    def consume(self) -> None:
        self.runtime.newsroom.events.consume()

    def feed(self) -> None:
        """What the record alone has is appended at the second look."""
        for _ in range(3):
            self.feeder.feed()

    def rebuild_all(self) -> None:
        while self.runtime.rebuild.carry_on() is not None:
            self.carry_out()
        self.services.agreement.check()

    def carry_out(self) -> None:
        """Carry out what was accepted, what Redis has lost of it included."""
        # A process may only just have noted that Redis has what it has lost since.
        self.lost_events.look()
        self.feed()
        self.consume()
        self.runtime.newsroom.events.take_over()

    def copy(self) -> Callable[[], None]:
        """Copy all that Redis has; return what puts it back."""
        client = self.store.client
        dumps = {name: client.dump(name) for name in client.keys("*")}

        def put_back() -> None:
            client.flushall()
            for name, dump in dumps.items():
                client.restore(name, 0, dump)

        return put_back

    def pubstatus(self, name: str) -> str:
        return str(json.loads(self.store.client.hget(keys.article(name), "doc") or "{}").get("pubstatus"))

    def versions(self, name: str) -> list[int]:
        """The revisions of an article that the record has."""
        with self.record.read() as connection:
            versions = select(tables.revisions.c.version).where(tables.revisions.c.article_id == name)
            return list(connection.scalars(versions.order_by(tables.revisions.c.version)))

    def unfinished(self) -> list[int]:
        """The events that the record does not have as done."""
        with self.record.read() as connection:
            return list(connection.scalars(select(tables.events.c.number).where(tables.events.c.done.is_(None))))

    def close(self) -> None:
        self.runtime._noting.stop()
        self.services.close()


@pytest.fixture
def worker(
    tmp_path: Path, redis_url: str, store: Any, record_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Worker]:
    monkeypatch.setattr(lost_events, "_SETTLED_MS", 0)
    assert store.client.ping()
    worker = Worker(tmp_path, redis_url, record_url)
    yield worker
    worker.close()


def when(part: object, name: str, do: Callable[[], Any]) -> None:
    """Have something done when this method is called the next time, before it."""
    original = getattr(part, name)

    def call(*arguments: Any, **named: Any) -> Any:
        setattr(part, name, original)
        do()
        return original(*arguments, **named)

    setattr(part, name, call)


def carry_on_after_the_loss(worker: Worker) -> None:
    worker.find()
    worker.rebuild_all()
    deadline = time.monotonic() + 60
    while worker.unfinished():
        assert time.monotonic() < deadline
        worker.carry_out()


def test_a_killed_article_stays_killed_while_an_older_redis_is_rebuilt(worker: Worker) -> None:
    worker.accept(article("a"))
    worker.consume()
    put_back = worker.copy()
    worker.accept(kill("a"))
    worker.consume()
    put_back()
    worker.find()
    assert worker.services.agreement.rebuilding
    worker.accept(article("a", 3))
    worker.consume()
    assert worker.pubstatus("a") == "canceled"
    assert worker.store.changes.members("all") == []


@pytest.mark.parametrize("step", ["note_in_time", "read", "feed_states", "take_off"])
def test_events_whose_articles_are_lost_before_they_are_noted(worker: Worker, step: str) -> None:
    worker.accept(article("before"))
    worker.consume()
    worker.accept(article("a"), article("b"), kill("before"))
    part = worker.runtime.newsroom.events._noting if step == "note_in_time" else worker.store.unnoted
    when(part, step, worker.store.client.flushall)
    with suppress(RedisError):
        worker.consume()
    carry_on_after_the_loss(worker)
    assert [worker.versions(name)[-1:] for name in ("a", "b", "before")] == [[1], [1], [2]]
    assert set(worker.store.changes.members("all")) == {"a", "b"}
    assert worker.pubstatus("before") == "canceled"


def test_no_feed_is_served_before_what_was_accepted_is_carried_out(worker: Worker) -> None:
    """An endpoint may have got the correction before anybody had noted it; then the older text must not follow."""
    worker.accept(article("a"))
    worker.consume()
    worker.accept(article("a", 2))
    worker.store.client.flushall()
    worker.find()
    assert worker.runtime.rebuild.carry_on()
    assert worker.store.receivers.claim("all", 10, 1).claims == []
    assert worker.services.agreement.examiner.agreement.waiting_feeds() > 0
    worker.rebuild_all()
    assert worker.versions("a") == [1, 2]
    assert worker.store.changes.members("all") == ["a"]
    assert worker.store.agreement.progress().finished


def test_a_feed_waits_no_longer_than_a_while_for_events_that_nobody_can_carry_out(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.retention.rebuild._EVENTS_MS", 0)
    worker.accept(article("a"))
    worker.consume()
    worker.accept(article("a", 2))
    worker.store.client.flushall()
    worker.find()
    while worker.runtime.rebuild.carry_on() is not None:
        pass
    assert worker.store.agreement.progress().finished
    assert worker.versions("a") == [1]


def test_a_list_that_is_lost_before_it_is_noted(worker: Worker) -> None:
    worker.accept(article("a"), article("b"))
    worker.consume()
    worker.accept({"id": "list-1", "type": "list.updated", "list": {"name": "picks", "articles": ["b", "a"]}})
    worker.consume()
    worker.store.client.flushall()
    carry_on_after_the_loss(worker)
    assert worker.store.lists.get_many(["picks"]) == {"picks": ("b", "a")}


def test_an_event_that_is_noted_to_be_in_redis_when_that_has_lost_it(worker: Worker) -> None:
    """Redis takes an event, loses it before it is on the disk, and has lost nothing else that was noted."""
    worker.accept(article("before"))
    worker.consume()
    put_back = worker.copy()
    worker.accept(article("a"), kill("before"))
    worker.services.commits.stop()
    put_back()
    worker.find()
    worker.feed()
    worker.lost_events.look()
    worker.feed()
    worker.consume()
    assert worker.versions("a") == [1]
    assert worker.pubstatus("before") == "canceled"
    assert worker.unfinished() == []


def test_an_event_whose_result_waits_is_not_carried_out_again(worker: Worker) -> None:
    worker.accept(article("a"))
    when(
        worker.record.availability, "write", lambda: setattr(worker.record.availability, "absence", Absence(0, "test"))
    )
    worker.services.commits.stop()
    worker.consume()
    worker.record.availability.absence = None
    assert worker.store.unnoted.waiting().results == 1
    worker.lost_events.look()
    worker.feed()
    assert worker.store.events.waiting() == 0


def test_what_was_decided_on_the_emptied_redis_is_found_below_what_came_back(worker: Worker) -> None:
    worker.accept(article("a"), article("b"))
    worker.consume()
    worker.store.client.flushall()
    worker.store.events.create_group()
    # As while a worker has not heard yet that Redis was emptied: one article is corrected, another one only looked at.
    worker.accept(article("a", 2))
    worker.consume()
    worker.services.articles.get("b")
    assert worker.store.changes.seqs("all", ["a", "b"]) == [1, 2]
    carry_on_after_the_loss(worker)
    assert worker.store.changes.seqs("all", ["b", "a"]) == [2, 3]
    while worker.runtime._noting.catch_up() is not None or worker.store.unnoted.waiting().marks:
        pass
    with worker.record.read() as connection:
        sequence = select(tables.memberships.c.sequence).where(tables.memberships.c.article_id == "a")
        assert connection.scalar(sequence) == 3


def test_a_kill_that_waits_for_the_record_is_carried_out_before_what_was_published(worker: Worker) -> None:
    worker.accept(article("before"))
    worker.consume()
    worker.store.client.flushall()
    worker.find()
    worker.accept(article("a"))
    availability, consumer = worker.record.availability, worker.runtime.newsroom.events
    availability.absence = Absence(0, "test")
    (receipt,) = worker.services.intake.accept([kill("a")], clock.now())
    assert (receipt.status, receipt.kept_by) == ("accepted", "redis")
    assert consumer.consume_kills() == 0
    availability.absence = None
    consumer.consume()
    assert worker.store.events.waiting_kills(9) == []
    assert worker.store.changes.states("all", ["a"]).get("a") != "in"
    assert worker.store.client.hget(keys.article("a"), "doc") is None or worker.pubstatus("a") == "canceled"


def lost_after_it_was_pushed(worker: Worker, *events: dict[str, Any]) -> None:
    """Have events carried out, and Redis emptied before they are noted: endpoints may have what they brought."""
    worker.accept(article("before"))
    worker.consume()
    worker.accept(*events)
    when(worker.runtime.newsroom.events._noting, "note_in_time", worker.store.client.flushall)
    with suppress(RedisError):
        worker.consume()
    worker.find()


def picks(event: str, *names: str) -> dict[str, Any]:
    return {"id": event, "type": "list.updated", "list": {"name": "picks", "articles": list(names)}}


def change(worker: Worker, name: str, feed: str = "all") -> tuple[str, bool, int | None]:
    latest = worker.store.changes.latest_of(feed, [name])[name]
    return latest.state, latest.was_in_feed, latest.previous_seq


def test_who_got_what_was_lost_gets_the_notice_of_its_kill(worker: Worker) -> None:
    """Kills go first: on the emptied Redis the article is killed before it is published once more."""
    lost_after_it_was_pushed(worker, article("a"), article("a", 2))
    worker.accept(kill("a"))
    worker.runtime.newsroom.events.consume_kills()
    assert worker.store.changes.states("all", ["a"]) == {}
    carry_on_after_the_loss(worker)
    assert change(worker, "a") == ("killed", True, None)
    stored = worker.services.articles.get("a")
    assert stored is not None
    # Above what was lost: else it would count as older than that.
    assert (stored.article.pubstatus, stored.article.version) == ("canceled", 3)
    seq = worker.store.changes.seqs("all", ["a"])
    for _ in range(2):
        carry_on_after_the_loss(worker)
    assert worker.store.changes.seqs("all", ["a"]) == seq


@pytest.mark.parametrize("later", [{"pubstatus": "withheld"}, {"section": "elsewhere"}])
def test_who_got_what_was_lost_gets_the_notice_that_it_left(worker: Worker, later: dict[str, str]) -> None:
    lost_after_it_was_pushed(worker, article("a", section="sport"))
    worker.accept(article("a", 2, **later))
    worker.consume()
    assert worker.store.changes.states("sport", ["a"]) == {}
    carry_on_after_the_loss(worker)
    assert change(worker, "a", "sport") == ("out", True, None)


def test_who_got_what_was_picked_in_a_list_that_was_lost_gets_the_notice(worker: Worker) -> None:
    worker.accept(article("a"), article("b"))
    worker.consume()
    lost_after_it_was_pushed(worker, picks("1", "a"))
    worker.accept(picks("2", "b"))
    worker.consume()
    carry_on_after_the_loss(worker)
    assert change(worker, "a", "picks") == ("out", True, None)
    assert worker.store.changes.members("picks") == ["b"]


def test_an_endpoint_that_has_just_come_when_redis_is_lost_has_all_since_it_came(worker: Worker) -> None:
    worker.accept(article("before"))
    worker.consume()
    worker.runtime._enrolment.enroll()
    came = worker.store.changes.head("all").seq
    worker.accept(article("a"))
    worker.consume()
    for _ in range(2):
        worker.store.client.flushall()
        carry_on_after_the_loss(worker)
        worker.runtime._enrolment.check()
    assert worker.store.receivers.details("all", "endpoint:portal")["since"] == came
    (claim,) = worker.store.receivers.claim("all", 10, 1).claims
    assert "a" in [change.article_id for change in worker.store.changes.since("all", claim.cursor, 10)]


def test_what_redis_lost_alone_is_ended_too(worker: Worker) -> None:
    """It has lost nothing that was noted, so nothing is rebuilt: only the events are carried out again."""
    worker.accept(article("before"))
    worker.consume()
    put_back = worker.copy()
    worker.accept(article("a"))
    worker.services.commits.stop()
    put_back()
    worker.find()
    assert not worker.services.agreement.rebuilding
    kill_event = kill("a")
    worker.store.events.accept([IncomingEvent(kill_event["id"], json.dumps(kill_event), "kill", "a")])
    worker.runtime.newsroom.events.consume_kills()
    worker.lost_events.look()
    worker.feed()
    worker.consume()
    assert change(worker, "a") == ("killed", True, None)


def test_what_came_while_redis_was_away_and_was_killed_at_once_is_noticed_by_nobody(worker: Worker) -> None:
    """Nothing was lost, so nobody can have it."""
    worker.accept(article("before"))
    worker.consume()

    def away() -> None:
        raise redis.exceptions.ConnectionError

    when(worker.store.hasty_events, "accept", away)
    receipts = worker.services.intake.accept([article("a"), kill("a")], clock.now())
    assert ["record", "record"] == [receipt.kept_by for receipt in receipts]
    worker.feed()
    worker.consume()
    assert worker.pubstatus("a") == "canceled"
    assert worker.store.changes.states("all", ["a"]) == {}
