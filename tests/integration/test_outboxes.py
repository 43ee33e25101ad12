"""The way from Redis into the record: what the scripts append, and what becomes of it, on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ledgers import ledger_of, noted_ledger
from redis.exceptions import ConnectionError as RedisGone
from sqlalchemy import text
from structlog.testing import capture_logs

from worker.receivers.ledger import LedgerEntry
from worker.record import (
    Record,
    attempts,
    cursors,
    deliveries,
    endpoint_standings,
    page_checks,
    subscriptions,
)
from worker.record.endpoint_standings import EndpointStanding
from worker.record.outbox_positions import Overtaken
from worker.record.positions import read_positions
from worker.retention import outbox_drain
from worker.retention.attempt_history import last_attempts
from worker.retention.outbox_drain import OutboxDrain
from worker.store import Store, keys
from worker.store.attempts import RECALL, Attempt, AttemptRecord
from worker.store.page_checks import PageSighting
from worker.store.receivers import Settlement
from worker.store.subscription_requests import SubscriptionRequest

NOW = 1_772_352_000_000
HOUR = 3_600_000
SHA = "ab" * 32
DETAILS = '{"callback":"https://r.example/s","format":"atom","secret":"","expires":%d,"host":"r.example","client":"c"}'


@pytest.fixture
def drain(store: Store, record: Record) -> OutboxDrain:
    return OutboxDrain(store, record)


def attempt(number: int, article: str = "ferry", outcome: str = "delivered", **more: Any) -> Attempt:
    texts = {"sha256": SHA, "message_id": f"msg_{number}", "error": "", "answer": ""}
    numbers = {"status": 204, "milliseconds": 5, "bytes": 100, "version": 1}
    return Attempt(NOW + number, article, action="published", outcome=outcome, **(texts | numbers | more))


def entry(sent: int, outcome: Any = "taken", version: int = 1, status: str = "published") -> str:
    return str(LedgerEntry(version, status, NOW + sent, SHA, outcome))


def push(store: Store, number: int, article: str = "ferry", endpoint: str = "p", feed: str = "f") -> None:
    """An attempt that the endpoint took."""
    note = AttemptRecord(attempt(number, article), {article: entry(number)})
    store.attempts.record({(feed, endpoint): [note]})


def note_all(store: Store, drain: OutboxDrain) -> None:
    """Have noted what there is, as after a sweep."""
    store.outboxes.report(store.receivers.feeds() or ["f"])
    while drain.drain() == 0.0:
        pass
    assert store.outboxes.waiting(store.receivers.feeds() or ["f"]).entries == 0


def subscribe(
    store: Store, name: str = "s", requested: int = 1, lease_ends: int = NOW + HOUR, mode: Any = "subscribe"
) -> None:
    topic = "https://herald.example/feeds/f.atom"
    request = SubscriptionRequest(mode, topic, "https://r.example/s", "atom", "", 600, requested, "n", "r.example", "c")
    store.subscription_requests.request("f", name, request)
    store.subscription_requests.confirm("f", name, request, lease_ends, 9, 9)


def redis_ms(store: Store) -> int:
    seconds, microseconds = store.client.time()
    return int(seconds * 1000 + microseconds // 1000)


class TestWhatIsAppended:
    def test_attempts_and_the_ledger(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        tries = [
            AttemptRecord(attempt(1, outcome="retry", status=0, answer="\0 ثم"), {"ferry": entry(1, "unknown")}),
            AttemptRecord(attempt(2), {"ferry": entry(2)}),
            AttemptRecord(attempt(3, version=2), {"ferry": entry(3, version=2, status="corrected")}),
            # From a worker that lost its claim: it changes nothing of what the endpoint holds.
            AttemptRecord(attempt(4, outcome="retry"), {"ferry": entry(4, "unknown")}),
            AttemptRecord(attempt(5, ""), {"tram": entry(5), "train": entry(5)}),
        ]
        store.attempts.record({("f", "p"): tries})
        note_all(store, drain)
        with record.read() as connection:
            noted = attempts.newest(connection, "endpoint:p", 9)
            ferry = deliveries.of_article(connection, "ferry")
        assert [NOW + n for n in (5, 4, 3, 2, 1)] == [row.time for row in noted]
        assert (noted[4].answer, noted[4].status, noted[4].outcome, noted[4].feed) == ("\ufffd ثم", 0, "retry", "f")
        assert ledger_of(store, "f", "p") == noted_ledger(record, "f", "p")
        assert [("trying", 1, NOW + 4, NOW + 2), ("taken", 2, NOW + 3, NOW + 3)] == sorted(
            (row.state, row.version, row.sent, row.first_taken) for row in ferry
        )[::-1]

    def test_what_is_parked(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        def parked() -> dict[str, int]:
            note_all(store, drain)
            with record.read() as connection:
                rows = endpoint_standings.parked_of_feed(connection, "f")
            assert {row.article_id for row in rows} == set(store.attempts.parked("f", "p"))
            return {row.article_id: row.since for row in rows}

        refused = [AttemptRecord(attempt(n, name, "refused"), {}) for n, name in enumerate(("a", "b"))]
        store.attempts.record({("f", "p"): refused})
        assert parked() == {"a": NOW, "b": NOW + 1}
        push(store, 5, "a")
        push(store, 6, "c")
        assert parked() == {"b": NOW + 1}
        alone = [AttemptRecord(attempt(7, "d", "refused"), {}, "parked_alone")]
        store.attempts.record({("f", "p"): [*alone, AttemptRecord(attempt(8, "e", "retry"), {}, RECALL)]})
        assert parked() == {"b": NOW + 1}

    def test_subscriptions(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        def alive(time: int | None = None) -> list[subscriptions.Subscription]:
            note_all(store, drain)
            with record.read() as connection:
                return subscriptions.alive(connection, "f", time or redis_ms(store), 9)

        ends = 2 * NOW
        subscribe(store, lease_ends=ends)
        (begun,) = alive()
        assert (begun.receiver, begun.details, begun.lease_ends) == ("s", DETAILS % ends, ends)
        subscribe(store, requested=2, lease_ends=ends + 5)
        assert alive() == [begun._replace(lease_ends=ends + 5, details=DETAILS % (ends + 5))]
        subscribe(store, requested=3, mode="unsubscribe")
        assert alive() == []
        (past,) = alive(begun.began)
        assert past.reason == "unsubscribed"

        subscribe(store, "t", 4, ends)
        subscribe(store, "u", 5, 1000)
        subscribe(store, "v", 6, ends)
        store.receivers.sweep(["f"], NOW, 9, ended=NOW)
        store.client.hset(keys.feed("f").meta, "head", 3)
        claim = next(claim for claim in store.receivers.claim("f", 9, NOW).claims if claim.receiver == "t")
        store.receivers.settle("f", NOW, [Settlement(claim, "end", 0, reason="answered 410 Gone")])
        store.receivers.remove("f", "v", "the feed is no more")
        assert alive() == []
        with record.read() as connection:
            rows = connection.execute(text("SELECT receiver, reason FROM subscriptions"))
            reasons = {receiver: reason for receiver, reason in rows}  # noqa: C416
        assert reasons == {
            "s": "unsubscribed",
            "t": "answered 410 Gone",
            "u": "the lease has ended",
            "v": "the feed is no more",
        }

    def test_how_endpoints_stand(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        def standing() -> EndpointStanding:
            note_all(store, drain)
            with record.read() as connection:
                (row,) = endpoint_standings.of_feed(connection, "f")
            return row

        store.client.hset(keys.feed("f").meta, "head", 7)
        enrolled = EndpointStanding("f", "p", 7, since=7)
        store.receivers.enroll("f", "endpoint:p", {"endpoint": "p"})
        assert standing() == enrolled
        store.receivers.pause("f", "endpoint:p", NOW, "removed")
        assert standing() == enrolled._replace(paused=NOW, reason="removed")
        store.receivers.enroll("f", "endpoint:p", {"endpoint": "p"})
        assert standing() == enrolled
        assert store.replays.rewind("f", "p")
        assert standing() == enrolled._replace(cursor=6)
        (claim,) = store.receivers.claim("f", 9, NOW).claims
        store.receivers.settle("f", NOW, [Settlement(claim, "pause", 7, reason="suspended: why")])
        assert standing() == enrolled._replace(paused=NOW, reason="suspended: why")
        store.replays.rewind("f", "p")
        assert standing() == enrolled._replace(cursor=6, paused=NOW, reason="suspended: why")
        store.endpoints.retry("f", "p", NOW)
        assert standing() == enrolled._replace(cursor=6)
        store.receivers.pause("f", "endpoint:p", NOW, "asked")
        store.receivers.resume("f", "endpoint:p")
        assert standing() == enrolled._replace(cursor=6)

    def test_pages(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        def page() -> tuple[Any, ...]:
            note_all(store, drain)
            with record.read() as connection:
                (row,) = page_checks.of_feed(connection, "f")
            return row.version, row.looks, row.verdict, row.due

        store.page_checks.schedule("f", ["p"], "ferry", PageSighting(3, NOW), NOW + 60)
        store.page_checks.schedule("f", ["p"], "ferry", PageSighting(3, NOW), NOW + 90)
        assert page() == (3, 0, "", NOW + 60)
        (check,) = store.page_checks.claim_due("f", NOW + 60, 9, NOW + 600)
        store.page_checks.note(check, PageSighting(3, NOW, 1, NOW + 60, "there"), NOW + 900)
        assert page() == (3, 1, "there", NOW + 900)
        store.page_checks.bring_forward("f", "p", ["ferry", "nothing"], NOW + 700)
        store.page_checks.bring_forward("f", "p", ["ferry"], NOW + 800)
        assert page() == (3, 1, "there", NOW + 700)
        (check,) = store.page_checks.claim_due("f", NOW + 700, 9, NOW + 999)
        store.page_checks.note(check, PageSighting(3, NOW, 2, NOW + 700, "gone"), None)
        assert page() == (3, 2, "gone", None)
        store.page_checks.bring_forward("f", "p", ["ferry"], NOW + 2000)
        (check,) = store.page_checks.claim_due("f", NOW + 2000, 9, NOW + 3000)
        store.page_checks.forget(check)
        note_all(store, drain)
        with record.read() as connection:
            assert page_checks.of_feed(connection, "f") == []


class TestCursors:
    def test_who_is_behind_is_named(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        for n in range(5):
            subscribe(store, f"s{n}", n + 1)
        space = keys.feed("f")
        store.client.hset(space.meta, "head", 9)
        store.client.zadd(space.settled, {"s0": 9, "s1": 9, "s2": 4, "s3": 2, "s4": 9})
        first, second = store.receivers.claim("f", 2, NOW).claims
        store.receivers.settle("f", NOW, [Settlement(second, "retry", 4, due=NOW)])
        assert (first.receiver, second.receiver) == ("s3", "s2")
        note_all(store, drain)
        with record.read() as connection:
            standing = cursors.of_feed(connection, "f")
        assert (standing.head, standing.behind) == (9, {"s2": 4, "s3": 2})

    def test_only_when_the_feed_has_moved_and_not_at_once(self, store: Store, drain: OutboxDrain) -> None:
        subscribe(store)
        store.client.hset(keys.feed("f").meta, "head", 9)
        note_all(store, drain)
        with mock.patch.object(store.outboxes, "standings", wraps=store.outboxes.standings) as asked:
            note_all(store, drain)
            assert not asked.called
            drain._cursors_due = 0.0
            note_all(store, drain)
            assert [mock.call({"f": 9}, cursors.MOST_BEHIND)] == asked.mock_calls

    def test_too_many_are_behind(self, store: Store) -> None:
        store.client.hset(keys.feed("f").meta, "head", 9)
        store.client.zadd(keys.feed("f").settled, {f"s{n}": n for n in range(9)})
        assert store.outboxes.standings({"f": -1}, 8) == {}
        assert len(store.outboxes.standings({"f": -1}, 9)["f"].behind) == 9
        assert store.outboxes.standings({"f": 9}, 9) == {}


class TestDraining:
    def test_many_entries_of_many_feeds(
        self, store: Store, record: Record, drain: OutboxDrain, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, number in (("_ENTRIES", 40), ("_LEAST_ENTRIES", 10), ("_FEEDS", 3)):
            monkeypatch.setattr(outbox_drain, name, number)
        feeds = [f"f{n}" for n in range(7)]
        for feed in feeds:
            for number in range(37):
                push(store, number, f"a{number}", feed, feed)
        store.outboxes.report(feeds)
        assert drain.drain() is None
        assert store.outboxes.waiting(feeds).entries == 0
        assert store.outboxes.reported() == []
        for feed in feeds:
            assert ledger_of(store, feed, feed) == noted_ledger(record, feed, feed)
            assert len(last_attempts(store, record, feed, feed, 99)) == 37
        with record.read() as connection:
            assert read_positions(connection)["noted"] == int(store.client.get(keys.NOTED))

    def test_attempts_are_seen_before_they_are_noted(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        push(store, 1)
        note_all(store, drain)
        push(store, 2)
        push(store, 3, endpoint="other")
        assert [NOW + 2, NOW + 1] == [one.time for one in last_attempts(store, record, "f", "p", 9)]

    @pytest.mark.parametrize("step", ["read", "count_noting", "remove", "forget"])
    def test_whoever_fails_on_the_way_loses_nothing(
        self, store: Store, record: Record, drain: OutboxDrain, step: str
    ) -> None:
        for number in range(5):
            push(store, number, f"a{number % 2}")
        store.outboxes.report(["f"])
        with mock.patch.object(store.outboxes, step, side_effect=RedisGone), pytest.raises(RedisGone):
            drain.drain()
        push(store, 9, "a1")
        note_all(store, drain)
        assert len(last_attempts(store, record, "f", "p", 99)) == 6
        assert ledger_of(store, "f", "p") == noted_ledger(record, "f", "p")

    def test_one_that_was_slow_undoes_nothing(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        store.receivers.enroll("f", "endpoint:p", {"endpoint": "p"})
        other = OutboxDrain(store, record)
        note = drain._note

        def slow(*arguments: Any) -> None:
            # Its lease is over: another worker notes the same, and what came after it.
            monkeypatched.stop()
            store.client.delete(keys.DRAINING)
            store.receivers.pause("f", "endpoint:p", NOW, "asked")
            note_all(store, other)
            with pytest.raises(Overtaken):
                note(*arguments)
            raise Overtaken

        store.outboxes.report(["f"])
        monkeypatched = mock.patch.object(drain, "_note", slow)
        monkeypatched.start()
        assert drain.drain() is None
        with record.read() as connection:
            assert [EndpointStanding("f", "p", 0, NOW, "asked", since=0)] == endpoint_standings.of_feed(connection, "f")

    def test_two_at_a_time(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        push(store, 1)
        store.outboxes.report(["f"])
        token = store.outboxes.lease.acquire(60_000)
        assert token
        assert drain.drain() is None
        assert store.outboxes.waiting(["f"]).entries == 1
        store.outboxes.lease.release(token)
        assert drain.drain() is None
        assert store.outboxes.waiting(["f"]).entries == 0
        assert len(last_attempts(store, record, "f", "p", 9)) == 1

    def test_who_pushes_leaves_it_to_others_but_not_for_long(
        self, store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pushing = [True]
        drain = OutboxDrain(store, record, is_pushing=lambda: pushing[0])
        push(store, 1)
        store.outboxes.report(["f"])
        assert drain.drain() is None
        assert store.outboxes.waiting(["f"]).entries == 1
        pushing[0] = False
        note_all(store, drain)
        pushing[0] = True
        push(store, 2)
        # Nobody else has the time.
        monkeypatch.setattr(outbox_drain, "_LEFT_SECONDS", 0)
        note_all(store, drain)
        assert 2 == len(last_attempts(store, record, "f", "p", 9))

    def test_what_can_not_be_noted_keeps_nothing_waiting(
        self, store: Store, record: Record, drain: OutboxDrain
    ) -> None:
        reports: list[str] = []
        store.damaged_records.alert = lambda **about: reports.append(about["record"])
        push(store, 1)
        box = keys.feed("f").outbox
        for kind, value in (
            ("attempt", "no JSON"),
            ("attempt", "[1,2]"),
            ("nonsense", "[]"),
            ("endpoint", f'["p",{2**70},null,"",null]'),
            ("endpoint", '["q",3,null,"",null]'),
        ):
            store.client.xadd(box, {kind: value})
        push(store, 2)
        note_all(store, drain)
        assert len(last_attempts(store, record, "f", "p", 9)) == 2
        with record.read() as connection:
            assert [EndpointStanding("f", "q", 3)] == endpoint_standings.of_feed(connection, "f")
        assert len(reports) == 4

    def test_a_record_that_is_away(self, store: Store, record: Record, drain: OutboxDrain) -> None:
        for number in range(3):
            push(store, number)
        store.outboxes.report(["f"])
        away = OutboxDrain(store, _Nowhere(record))
        with capture_logs() as logs:
            assert [None, None] == [away.drain(), away.drain()]
        assert ["record_away"] == [line["event"] for line in logs]
        waiting = store.outboxes.waiting(["f", "nothing"])
        assert waiting.entries == 3
        assert waiting.oldest > NOW
        note_all(store, drain)
        assert len(last_attempts(store, record, "f", "p", 9)) == 3

    def test_a_record_without_tables_loses_nothing(self, store: Store, tmp_path: Path) -> None:
        record = Record.embedded(tmp_path)
        record.file.touch() if record.file else None
        push(store, 1)
        store.outboxes.report(["f"])
        assert OutboxDrain(store, record).drain() is None
        assert store.outboxes.waiting(["f"]).entries == 1
        record.close()


class _Nowhere(Record):
    """A record on a server that does not answer."""

    def __init__(self, record: Record) -> None:
        nowhere = Record.connect(
            f"sqlite:///{'/nowhere/record.db'}" if record.file else "postgresql+psycopg://x@/x?host=/nowhere"
        )
        super().__init__(nowhere._engine, nowhere.url, "full")
