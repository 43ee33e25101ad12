"""Redis has lost all or the last of what it had, and is rebuilt from the record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from news_desk import Desk, article, kill
from noted import contents, epoch_of, note_all
from records import no_record
from sqlalchemy import insert, select, update

from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.record import Record, cursors, endpoint_standings, positions, subscriptions, tables
from worker.record.agreement import RecordStanding, note_restored
from worker.record.endpoint_standings import EndpointStanding
from worker.retention.agreement import Agreement, Strangers, judge
from worker.retention.noting import Noting
from worker.retention.noting_all import NotingAll
from worker.retention.rebuild import Rebuild
from worker.store import Store, keys
from worker.store.agreement import RedisStanding
from worker.store.server_fence import UnexaminedRedis
from worker.store.subscription_requests import SubscriptionRequest

FEEDS = ["all", "world", "picks"]


class Process:
    """What a process has that works with a Redis and a record."""

    def __init__(self, redis_url: str, record: Record, *, rebuilds: bool = True) -> None:
        self.store = Store.connect(redis_url)
        self.offered: list[str] = []
        self.agreement = Agreement(self.store, Store.connect(redis_url), record)
        self.rebuild = Rebuild(self.store, self.agreement.examiner, record, lambda _: 50, self.offered.append)
        if rebuilds:
            self.agreement.begin = self.rebuild.begin

    def restart(self) -> None:
        """As a process that begins, or one whose Redis was started anew: it looks anew."""
        self.agreement._standing = None

    def rebuild_all(self) -> None:
        while self.rebuild.carry_on() is not None:
            pass

    def close(self) -> None:
        self.store.close()
        self.agreement.close()


@pytest.fixture
def process(redis_url: str, store: Store, record: Record) -> Iterator[Process]:
    assert store.client.ping()
    process = Process(redis_url, record)
    yield process
    process.close()


def subscribe(store: Store, feed: str, name: str) -> None:
    now = store.agreement.now()
    intent = SubscriptionRequest(
        "subscribe", "t", f"https://{name}.example/", "atom", "secret", 600, now, "n", f"{name}.example", "10.0.0.1"
    )
    store.subscription_requests.request(feed, name, intent)
    assert store.subscription_requests.confirm(feed, name, intent, now + 600_000, 10, 10) == "new"
    client = store.client
    client.zadd(keys.feed(feed).settled, {name: store.changes.head(feed).seq})


def busy(desk: Desk) -> None:
    """A newsroom with articles in all states, and receivers of which one is behind."""
    store = desk.store
    store.receivers.enroll("world", "endpoint:up", {"endpoint": "up"})
    store.receivers.enroll("world", "endpoint:down", {"endpoint": "down"})
    later = (clock.now() + timedelta(hours=1)).isoformat()
    desk.accept(article("a"), article("b"), article("c"), article("d"), article("e", embargoed=later))
    desk.consumer().consume()
    desk.accept(article("b", 2), article("c", 2, section="sport"), kill("d"))
    desk.accept({"id": "list-1", "type": "list.updated", "list": {"name": "picks", "articles": ["b", "a"]}})
    desk.consumer().consume()
    subscribe(store, "all", "reader")
    for name, version, status in (("a", 1, "published"), ("b", 1, "published")):
        entry = LedgerEntry(version, status, store.agreement.now(), "ab" * 32)
        store.client.hset(keys.feed("world").ledger("up"), name, str(entry))
    head = store.changes.head("world").seq
    store.client.zadd(keys.feed("world").settled, {"endpoint:up": head, "endpoint:down": 1})


class TestJudgement:
    @pytest.mark.parametrize(
        ("redis", "record", "holds", "verdict"),
        [
            (("", 0), ("E", 0, False), False, "new"),
            (("", 0), ("E", 0, False), True, "record_empty"),
            (("", 0), ("E", 7, True), False, "redis_empty"),
            (("", 0), ("E", 7, True), True, "redis_empty"),
            (("E", 7), ("E", 7, True), True, "agree"),
            (("E", 0), ("E", 0, False), True, "agree"),
            (("E", 9), ("E", 7, True), True, "agree"),
            (("E", 6), ("E", 7, True), True, "redis_older"),
            (("E", 900), ("E", 7, True), True, "record_older"),
            (("F", 7), ("E", 7, True), True, "strangers"),
            (("F", 7), ("E", 0, False), True, "record_empty"),
        ],
    )
    def test_what_the_two_say(self, redis: Any, record: Any, holds: bool, verdict: str) -> None:
        standing = RedisStanding(*redis, "run", "")
        kept, noted, holds_anything = record
        assert verdict == judge(standing, RecordStanding(kept, noted, 1, holds_anything), redis_holds_anything=holds)

    def test_a_backup_that_was_restored(self) -> None:
        record = RecordStanding("E", 7, 1, holds_anything=True, restored=True)
        assert judge(RedisStanding("E", 7, "run", ""), record, redis_holds_anything=True) == "record_older"


class TestAgreement:
    def test_a_new_redis_joins_a_new_record(self, process: Process, record: Record) -> None:
        process.agreement.look()
        assert process.store.client.get(keys.EPOCH) == epoch_of(record)
        assert process.store.client.ping()

    def test_what_is_noted_while_it_looks_is_no_loss(
        self, process: Process, desk: Desk, record: Record, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process.agreement.look()
        note_all(desk.store, record, FEEDS)
        read_record = process.agreement._read_record

        def slowly() -> RecordStanding:
            desk.accept(article("a"))
            desk.consumer().consume()
            note_all(desk.store, record, FEEDS)
            return read_record()

        monkeypatch.setattr(process.agreement, "_read_record", slowly)
        monkeypatch.setattr(process.agreement, "begin", lambda verdict, *_: pytest.fail(verdict))
        process.agreement._certain = False
        process.agreement.look()
        assert not process.store.fence.is_closed
        assert process.store.client.ping()

    def test_a_record_that_is_gone_changes_nothing(self, redis_url: str, process: Process) -> None:
        process.agreement.look()
        epoch = process.store.client.get(keys.EPOCH)
        other = Process(redis_url, no_record())
        other.agreement.look()
        assert other.store.client.get(keys.EPOCH) == epoch
        other.store.client.flushall()
        other.agreement.look()
        with pytest.raises(UnexaminedRedis):
            other.store.client.ping()
        other.close()

    def test_strangers_are_kept_apart(self, process: Process, record: Record, desk: Desk) -> None:
        busy(desk)
        note_all(desk.store, record, FEEDS)
        desk.store.client.set(keys.EPOCH, "another")
        with pytest.raises(Strangers, match="set record_url or redis_url right"):
            process.agreement.look()
        with pytest.raises(UnexaminedRedis):
            process.store.client.ping()

    def test_a_redis_that_was_emptied_is_not_worked_with(
        self, redis_url: str, store: Store, record: Record, desk: Desk
    ) -> None:
        web = Process(redis_url, record, rebuilds=False)
        busy(desk)
        note_all(store, record, FEEDS)
        store.agreement.join(epoch_of(record), 1)
        web.agreement.look()
        assert web.store.client.ping()
        store.client.flushall()
        web.agreement.look()
        with pytest.raises(UnexaminedRedis):
            web.store.client.ping()
        worker = Process(redis_url, record)
        worker.agreement.look()
        assert worker.store.client.ping()
        web.agreement.look()
        assert web.store.client.ping()
        assert web.agreement.rebuilding
        for process in (web, worker):
            process.close()

    def test_a_redis_that_was_started_anew_is_not_worked_with(self, process: Process) -> None:
        process.agreement.look()
        process.store.fence.open_to("the one before")
        process.store.client.connection_pool.disconnect()
        with pytest.raises(UnexaminedRedis):
            process.store.client.ping()
        process.agreement._standing = process.agreement._standing._replace(run_id="the one before")  # type: ignore[union-attr]
        process.agreement.look()
        assert process.store.client.ping()

    def test_a_restored_backup_is_noticed_once(self, process: Process, record: Record, desk: Desk) -> None:
        busy(desk)
        note_all(desk.store, record, FEEDS)
        process.store.agreement.join(epoch_of(record), 1)
        with record.write() as connection:
            note_restored(connection)
        process.agreement.look()
        assert process.store.agreement.read().work == "note"
        with record.read() as connection:
            assert connection.scalar(select(tables.meta.c.value).where(tables.meta.c.name == "restored")) is None


class TestRebuild:
    def test_an_emptied_redis_is_as_before(self, process: Process, record: Record, desk: Desk) -> None:
        process.agreement.look()
        busy(desk)
        note_all(desk.store, record, FEEDS)
        before, documents = contents(desk.store, FEEDS), [desk.document(feed) for feed in FEEDS]
        desk.store.client.flushall()
        process.agreement.look()
        process.rebuild_all()
        after = contents(desk.store, FEEDS)
        for part, value in before.items():
            assert value == after[part], part
        assert documents == [desk.document(feed) for feed in FEEDS]
        assert process.store.agreement.progress().finished
        assert {"all", "world", "picks"} == set(process.offered)

    def test_nobody_is_claimed_and_nothing_is_shown_before_a_feed_is_there(
        self, process: Process, record: Record, desk: Desk
    ) -> None:
        process.agreement.look()
        busy(desk)
        note_all(desk.store, record, FEEDS)
        desk.store.client.flushall()
        process.agreement.look()
        with pytest.raises(Exception, match="is being rebuilt"):
            desk.document("world")
        assert desk.store.receivers.claim("world", 10, 1).claims == []
        process.rebuild_all()
        claims = desk.store.receivers.claim("world", 10, 1).claims
        assert [("endpoint:down", 1)] == [(claim.receiver, claim.cursor) for claim in claims]
        assert "a v1" in desk.document("world")

    def test_an_older_redis_gets_what_it_lacks(self, process: Process, record: Record, desk: Desk) -> None:
        process.agreement.look()
        busy(desk)
        note_all(desk.store, record, FEEDS)
        client = desk.store.client
        copy = {name: client.dump(name) for name in _data(client)}
        desk.accept(article("a", 2), kill("b"), article("f"))
        desk.consumer().consume()
        note_all(desk.store, record, FEEDS)
        before, documents = contents(desk.store, FEEDS), [desk.document(feed) for feed in FEEDS]
        heads = {feed: desk.store.changes.head(feed) for feed in FEEDS}
        client.flushall()
        for name, dump in copy.items():
            client.restore(name, 0, dump)
        process.restart()
        process.agreement.look()
        process.rebuild_all()
        after = contents(desk.store, FEEDS)
        for part, value in before.items():
            assert value == after[part], part
        assert documents == [desk.document(feed) for feed in FEEDS]
        for feed, head in heads.items():
            now = desk.store.changes.head(feed)
            assert (now.seq, now.kill) == (head.seq, head.kill)

    def test_events_that_were_not_carried_out_are_appended_again(
        self, process: Process, record: Record, desk: Desk
    ) -> None:
        process.agreement.look()
        busy(desk)
        note_all(desk.store, record, FEEDS)
        entry = desk.store.client.xadd(keys.EVENTS, {"event": "{}"})
        rows = [
            {"event_id": "waits", "stream_entry": entry, "done": None},
            {"event_id": "lost", "stream_entry": "1-1", "done": None},
            {"event_id": "carried out", "stream_entry": "1-2", "done": 5},
        ]
        event = {"digest": "d", "kind": "", "body": "{}", "accepted": 1, "way": "post"}
        with record.write() as connection:
            for row in rows:
                connection.execute(insert(tables.events).values(**event, **row))
            connection.execute(update(tables.positions).values(position="5").where(tables.positions.c.name == "noted"))
        process.restart()
        process.agreement.look()
        with record.read() as connection:
            events = tables.events.c
            kept = connection.execute(select(events.event_id, events.stream_entry).order_by(events.number)).all()
        assert [("waits", entry), ("lost", None), ("carried out", "1-2")] == [tuple(row) for row in kept]

    def test_another_worker_goes_on_where_one_has_died(
        self, redis_url: str, process: Process, record: Record, desk: Desk
    ) -> None:
        process.agreement.look()
        busy(desk)
        note_all(desk.store, record, FEEDS)
        before = contents(desk.store, FEEDS)
        desk.store.client.flushall()
        process.agreement.look()
        parts = process.rebuild._parts()
        for _ in range(4):
            next(parts)
        other = Process(redis_url, record)
        other.agreement.look()
        other.rebuild_all()
        assert before == contents(desk.store, FEEDS)
        progress = other.store.agreement.progress()
        assert (progress.done, bool(progress.finished)) == (progress.all, True)
        other.close()

    def test_what_was_said_of_cursors_by_a_clock_ahead_holds_for_no_new_subscription(
        self, process: Process, record: Record, desk: Desk
    ) -> None:
        process.agreement.look()
        busy(desk)
        note_all(desk.store, record, FEEDS)
        head = desk.store.changes.head("all").seq
        with record.write() as connection:
            cursors.note(connection, [cursors.Standing("all", head, {}, desk.store.agreement.now() + 60_000)])
        desk.store.client.flushall()
        process.agreement.look()
        now, details = desk.store.agreement.now(), '{"callback": "https://new.example/"}'
        with record.write() as connection:
            subscriptions.note(connection, [subscriptions.Subscription("all", "new", details, now, now + 600_000)])
        process.rebuild_all()
        standing = {row.id: row.cursor for row in desk.store.receivers.scan("all")}
        assert standing == {"reader": head, "new": 0}
        with record.read() as connection:
            statement = cursors.of_feed(connection, "all")
        assert (statement.head, statement.behind) == (head, {"new": 0})
        assert statement.time <= desk.store.agreement.now()

    def test_a_young_endpoint_gets_nothing_of_what_was_before_it(
        self, process: Process, record: Record, desk: Desk
    ) -> None:
        process.agreement.look()
        busy(desk)
        desk.store.receivers.enroll("world", "endpoint:young", {"endpoint": "young"})
        note_all(desk.store, record, FEEDS)
        head = desk.store.changes.head("world").seq
        desk.store.client.flushall()
        process.agreement.look()
        assert desk.store.receivers.details("world", "endpoint:young")["since"] == head
        process.rebuild_all()
        assert desk.store.receivers.details("world", "endpoint:young")["since"] == head
        with record.write() as connection:
            endpoint_standings.note(connection, [EndpointStanding("world", "young", 0, since=0)])
            (young,) = [row for row in endpoint_standings.of_feed(connection, "world") if row.endpoint == "young"]
        assert young.since == head

    @pytest.mark.parametrize("ahead", [None, 900])
    def test_what_was_decided_on_the_emptied_redis_gets_numbers_after_all_others(
        self, process: Process, record: Record, desk: Desk, ahead: int | None
    ) -> None:
        """A worker that had an event in hand when Redis was emptied has recorded it before anybody noticed.

        `ahead` (ms): by so much later another one, by its clock, has noted what it had read before.
        """
        process.agreement.look()
        busy(desk)
        note_all(desk.store, record, FEEDS)
        head = desk.store.changes.head("world").seq
        desk.store.client.flushall()
        desk.store.events.create_group()
        decided = clock.ms(clock.agreed())
        desk.accept(article("stray"))
        desk.consumer().consume()
        assert desk.store.changes.head("world").seq == 1
        if ahead is not None:
            with record.write() as connection:
                noted = positions.read_positions(connection)[positions.NOTED]
                positions.note_position(connection, positions.NOTED, noted + 1, decided + ahead)
        process.agreement.look()
        process.rebuild_all()
        assert desk.store.changes.seqs("world", ["stray"]) == [head + 1]
        assert "stray" in desk.members("world")
        assert process.store.unnoted.read(["stray"]).marks
        claims = desk.store.receivers.claim("world", 10, 1).claims
        assert {"endpoint:up", "endpoint:down"} == {claim.receiver for claim in claims}


def _data(client: Any) -> list[str]:
    return list(client.keys("*"))


def test_the_counter_never_goes_back(record: Record) -> None:
    with record.write() as connection:
        for count, time in ((5, 50), (3, 60)):
            positions.note_position(connection, positions.NOTED, count, time)
    with record.read() as connection:
        assert positions.read_positions(connection) == {"noted": 5}


class TestNotingAll:
    def test_a_record_that_was_lost_learns_all_that_redis_has(
        self, process: Process, record: Record, desk: Desk
    ) -> None:
        busy(desk)
        process.agreement.look()
        assert process.store.agreement.read().work == "note"
        NotingAll(process.store, record).carry_on()
        noting = Noting(process.store, record)
        while process.store.unnoted.waiting().marks:
            noting.catch_up()
            time.sleep(0.05)
        noting.stop()
        before = contents(desk.store, FEEDS)
        desk.store.client.flushall()
        process.agreement.look()
        process.rebuild_all()
        after = contents(desk.store, FEEDS)
        for feed in FEEDS:
            for part in ("members", "log", "receivers", "ledger up", "leases", "counts"):
                assert before[feed].get(part) == after[feed].get(part), (feed, part)
        assert before["articles"] == after["articles"]
