"""Keys and the audit: in the record, on every process, and while one of the two is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError
from sqlalchemy import delete, insert, select, text, update
from waiting import until

from feeds.errors import InvalidInput
from worker import clock
from worker.management import copies
from worker.management.callers import FILTERED, Bounds, Caller, Forbidden, shell
from worker.management.changes import Conflict, NotFound, Outdated
from worker.management.copies import ManagementCopy
from worker.management.listener import ManagementListener
from worker.management.management import Management
from worker.management.scopes import ALL, AUDIT_READ, EVENTS_WRITE, KEYS_READ, KEYS_WRITE, LISTS_READ
from worker.management.sealing import Sealer
from worker.management.surroundings import Surroundings
from worker.record import Record, tables
from worker.record.audit import Filter
from worker.record.availability import RecordAway
from worker.record.schema import SCHEMA
from worker.store import Store, keys

ADMIN = shell("mira")
ALONE = Surroundings(Sealer(), ("world",), {})


def now() -> int:
    return clock.ms(clock.agreed())


@pytest.fixture
def management(store: Store, record: Record) -> Management:
    return Management(store, record, ALONE)


@pytest.fixture
def other_process(redis_url: str, record_url: str, management: Management) -> Iterator[Management]:
    """A web process on the same Redis and record, that listens."""
    store, record = Store.connect(redis_url), Record.connect(record_url, wait_seconds=0.2)
    other = Management(store, record, ALONE)
    listener = other.listener(tends=False)
    listener.start()
    yield other
    listener.stop()
    listener.join()
    store.close()
    record.close()


def lose(record: Record) -> None:
    """Have the record away for this process until `record.availability.absence` is None again."""
    with record.write() as connection:
        connection.execute(text("UPDATE dateline_schema SET version_num = '9999'"))
    record._fits = False
    with pytest.raises(RecordAway), record.availability.read():
        pass


def bring_back(record: Record) -> None:
    with record.any_schema() as connection:
        connection.execute(text("UPDATE dateline_schema SET version_num = :ours"), {"ours": SCHEMA})
    until(lambda: record.availability.absence is None)


class TestKeys:
    def test_a_key_is_shown_once_and_stands_for_its_caller(self, management: Management) -> None:
        key, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE], Bounds(feeds=("world", "city/*")))
        management.listener(tends=True).look()
        caller = management.ring.caller(token, now(), "192.0.2.1")
        assert caller == Caller(
            name="key:cms",
            scopes=frozenset({EVENTS_WRITE}),
            bounds=Bounds(feeds=("world", "city/*")),
            key_id=key.id,
            address="192.0.2.1",
        )
        assert token.startswith(f"dl_{key.id}_")
        assert [key] == management.keys.list(ADMIN)
        assert management.ring.caller(token[:-1], now()) is None
        assert management.ring.caller("", now()) is None

    def test_a_token_of_the_file_may_do_everything(self, management: Management) -> None:
        management.ring.use_tokens(["t0ken"])
        caller = management.ring.caller("t0ken", now(), "192.0.2.1")
        assert caller == Caller(name="file", scopes=ALL, address="192.0.2.1")

    def test_the_key_itself_is_nowhere(self, management: Management, store: Store, record: Record) -> None:
        _, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        # An underscore may be one of its letters, too.
        secret = token.split("_", 2)[2]
        with record.read() as connection:
            rows = [str(list(connection.execute(select(table)))) for table in tables.metadata.tables.values()]
        assert not any(secret in row for row in rows)
        assert secret not in str(store.client.hgetall(keys.MANAGEMENT))

    @pytest.mark.parametrize("tends", [False, True])
    def test_what_was_read_before_a_change_of_this_process_does_not_take_it_back(
        self, management: Management, monkeypatch: pytest.MonkeyPatch, tends: bool
    ) -> None:
        listener = management.listener(tends=tends)
        listener.look()
        revoked, ended = management.keys.create(ADMIN, "old", [EVENTS_WRITE])
        Management(management._store, management._record, ALONE).keys.create(ADMIN, "other", [EVENTS_WRITE])
        parse, read, made = copies.parse, copies.read, list[str]()

        def change_in_between() -> None:
            with monkeypatch.context() as whole:
                whole.setattr(copies, "parse", parse)
                whole.setattr(copies, "read", read)
                made.append(management.keys.create(ADMIN, "new", [EVENTS_WRITE])[1])
                management.keys.revoke(ADMIN, revoked.id)

        def late(reading: Callable[..., ManagementCopy]) -> Callable[..., ManagementCopy]:
            def then_change(*arguments: Any) -> ManagementCopy:
                copy = reading(*arguments)
                change_in_between()
                return copy

            return then_change

        with monkeypatch.context() as patched:
            patched.setattr(copies, "parse", late(parse))
            patched.setattr(copies, "read", late(read))
            listener._next_tending = 0.0
            listener.look()
        assert len(made) == 1
        for _ in range(2):
            assert management.ring.caller(made[0], now()) is not None
            assert management.ring.caller(ended, now()) is None
            listener.look()

    def test_revoked_on_another_process_within_a_second(
        self, management: Management, other_process: Management
    ) -> None:
        key, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        until(lambda: other_process.ring.caller(token, now()))
        management.keys.revoke(ADMIN, key.id)
        until(lambda: other_process.ring.caller(token, now()) is None)
        assert management.keys.get(ADMIN, key.id).revoked is not None

    def test_heard_of_without_a_message(self, management: Management, other_process: Management, store: Store) -> None:
        _, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        until(lambda: other_process.ring.caller(token, now()))
        copy = store.client.hgetall(keys.MANAGEMENT)
        management.keys.create(ADMIN, "second", [EVENTS_WRITE])
        later = store.client.hgetall(keys.MANAGEMENT)
        store.client.hset(keys.MANAGEMENT, mapping=copy)
        until(lambda: len(other_process.ring._by_digest) == 1)
        store.client.hset(keys.MANAGEMENT, mapping=later)
        until(lambda: len(other_process.ring._by_digest) == 2)

    def test_revoked_while_redis_is_away(self, management: Management, record: Record) -> None:
        key, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        away = Store.connect("unix:///nowhere/redis.sock")
        other = Management(away, record, ALONE)
        listener = other.listener(tends=False)
        listener.start()
        until(lambda: other.ring.caller(token, now()))
        Management(away, record, ALONE).keys.revoke(ADMIN, key.id)
        until(lambda: other.ring.caller(token, now()) is None)
        listener.stop()
        listener.join()

    def test_two_of_one_name_and_no_third(self, management: Management) -> None:
        first, _ = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        with pytest.raises(Conflict, match="there are two keys cms already"):
            management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        management.keys.revoke(ADMIN, first.id)
        management.keys.create(ADMIN, "cms", [EVENTS_WRITE])

    def test_an_expired_key_is_none(self, management: Management) -> None:
        key, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE], expires=now() + 50_000)
        management.listener(tends=True).look()
        assert key.expires is not None
        assert management.ring.caller(token, key.expires - 1)
        assert management.ring.caller(token, key.expires) is None

    def test_every_wrong_field_is_named(self, management: Management) -> None:
        with pytest.raises(InvalidInput) as refused:
            management.keys.create(ADMIN, "C M S", ["events:fly"], Bounds(feeds=()), expires=5)
        assert ["name", "scopes", "bounds.feeds", "expires"] == [error.field for error in refused.value.errors]
        assert management.keys.list(ADMIN) == []

    def test_nobody_gives_more_than_they_have(self, management: Management) -> None:
        limited = Caller(name="key:a", scopes=frozenset({KEYS_WRITE, EVENTS_WRITE}), bounds=Bounds(feeds=("world",)))
        with pytest.raises(Forbidden, match="can't give what it lacks: audit:read"):
            management.keys.create(limited, "b", [AUDIT_READ], Bounds(feeds=("world",)))
        with pytest.raises(Forbidden, match="wider bounds"):
            management.keys.create(limited, "b", [EVENTS_WRITE])
        with pytest.raises(Forbidden, match="wider bounds"):
            management.keys.create(limited, "b", [EVENTS_WRITE], Bounds(feeds=("world", "city")))
        with pytest.raises(Forbidden, match="lacks the scope keys:read"):
            management.keys.list(limited)
        management.keys.create(limited, "b", [EVENTS_WRITE], Bounds(feeds=("world",), partners=("herald",)))

    def test_changed_meanwhile(self, management: Management) -> None:
        key, _ = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        with pytest.raises(Outdated) as refused:
            management.keys.revoke(ADMIN, key.id, key.revision - 1)
        assert refused.value.revision == key.revision
        management.keys.revoke(ADMIN, key.id, key.revision)
        with pytest.raises(NotFound, match="there is no key nobody"):
            management.keys.revoke(ADMIN, "nobody")

    def test_last_use_is_noted(self, management: Management) -> None:
        key, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        listener = management.listener(tends=True)
        listener.look()
        management.ring.caller(token, 5_000_000)
        listener._next_uses = 0.0
        listener.look()
        assert management.keys.get(ADMIN, key.id).last_used == 5_000_000
        management.ring.caller(token, 5_030_000)
        assert management.ring.uses() == {}
        management.ring.caller(token, 5_060_000)
        assert management.ring.uses() == {key.id: 5_060_000}


class TestBounds:
    def test_a_bound_key_may_only_do_what_names_its_own(self) -> None:
        caller = Caller(name="key:a", scopes=frozenset({LISTS_READ}), bounds=Bounds(partners=("herald",)))
        caller.require(LISTS_READ, partner="herald")
        caller.require(LISTS_READ, partner=FILTERED)
        assert not caller.may(LISTS_READ)
        assert not caller.may(LISTS_READ, partner="*")
        assert not caller.may(LISTS_READ, partner="other", feed="world")
        assert not caller.may(KEYS_READ, partner="herald")
        assert caller.sees(partner="herald")
        assert caller.sees(feed="world")
        assert not caller.sees(partner=None)

    def test_a_pattern_is_for_all_its_feeds(self) -> None:
        caller = Caller(name="key:a", scopes=frozenset({LISTS_READ}), bounds=Bounds(feeds=("city/*",)))
        assert caller.may(LISTS_READ, feed="city/cairo")
        assert not caller.may(LISTS_READ, feed="cities/cairo")
        assert Bounds(feeds=("city/cairo",)).within(caller.bounds)
        assert not Bounds(feeds=("city/cairo", "world")).within(caller.bounds)


class TestTheCopy:
    def test_a_process_begins_by_it_while_the_record_is_away(
        self, management: Management, store: Store, tmp_path: Path
    ) -> None:
        _, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        missing = Record.embedded(tmp_path / "gone")
        for tends in (True, False):
            other = Management(store, missing, ALONE)
            other.listener(tends=tends).look()
            assert other.ring.caller(token, now())
        missing.close()

    def test_who_can_ask_neither_knows_nothing(self, tmp_path: Path) -> None:
        missing = Record.embedded(tmp_path / "gone")
        listener = Management(Store.connect("unix:///nowhere/redis.sock"), missing, ALONE).listener(tends=True)
        with suppress(RedisError):
            listener.look()
        assert listener.current is None
        missing.close()

    def test_an_emptied_redis_gets_it_again(self, management: Management, store: Store) -> None:
        _, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        listener = management.listener(tends=True)
        listener.start()
        until(lambda: management.ring.caller(token, now()))
        store.client.flushall()
        until(store.management.stamp)
        other = Management(store, Record.connect("sqlite:////nowhere/record.db"), ALONE)
        other.listener(tends=False).look()
        assert other.ring.caller(token, now())
        listener.stop()
        listener.join()

    def test_a_record_that_was_restored_counts(self, management: Management, store: Store, record: Record) -> None:
        _, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        listener = management.listener(tends=True)
        listener.look()
        with record.write() as connection:
            connection.execute(delete(tables.keys))
            connection.execute(update(tables.management).values(revision=0, token=""))
        other = Management(store, record, ALONE)
        other.listener(tends=False).look()
        listener._next_tending = 0.0
        listener.look()
        assert management.ring.caller(token, now()) is None
        other.listener(tends=False).look()
        assert other.ring.caller(token, now()) is None

    def test_an_earlier_copy_does_not_replace_a_later_one(self, store: Store) -> None:
        assert store.management.put("5 a", 5, "{}")
        assert not store.management.put("4 b", 4, "{}", "3 c")
        assert store.management.put("4 b", 4, "{}", "5 a")

    def test_nothing_is_changed_while_the_record_is_away(self, management: Management, record: Record) -> None:
        lose(record)
        with pytest.raises(RecordAway):
            management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        bring_back(record)
        assert management.keys.list(ADMIN) == []


class TestTheAudit:
    def test_who_did_what_when_from_where(self, management: Management) -> None:
        key, token = management.keys.create(ADMIN.model_copy(update={"address": "192.0.2.1"}), "cms", [EVENTS_WRITE])
        management.audit.note(ADMIN, "article.killed", "hh-1")
        management.keys.revoke(ADMIN, key.id)
        entries = management.audit.entries(ADMIN, Filter(), 10)
        assert [("key.revoked", key.id), ("article.killed", "hh-1"), ("key.created", key.id)] == [
            (entry.action, entry.target) for entry in entries
        ]
        assert (entries[-1].actor, entries[-1].address) == ("shell:mira", "192.0.2.1")
        assert '"scopes": ["events:write"]' in entries[-1].new
        assert token not in str(entries)
        assert management.audit.verify(ADMIN) == (3, [])

    def test_filters_and_pages(self, management: Management) -> None:
        for number in range(5):
            management.audit.note(shell(f"p{number % 2}"), f"a{number}.b", f"x{number}")
        audit = management.audit
        assert [5, 4] == [entry.number for entry in audit.entries(ADMIN, Filter(), 2)]
        assert [3, 2] == [entry.number for entry in audit.entries(ADMIN, Filter(), 2, before=4)]
        assert [4, 2] == [entry.number for entry in audit.entries(ADMIN, Filter(actor="shell:p1"), 9)]
        assert 5 == len(audit.entries(ADMIN, Filter(actor="shell"), 9))
        assert [3] == [entry.number for entry in audit.entries(ADMIN, Filter(action="a2"), 9)]
        assert [1] == [entry.number for entry in audit.entries(ADMIN, Filter(target="x0"), 9)]
        assert audit.entries(ADMIN, Filter(since=now() + 60_000), 9) == []
        with pytest.raises(Forbidden):
            audit.entries(Caller(name="key:a", scopes=frozenset()), Filter(), 9)

    @pytest.mark.parametrize(
        ("harm", "faults"),
        [
            (update(tables.audit).where(tables.audit.c.number == 2).values(target="y"), ["entry 2 was changed"]),
            (delete(tables.audit).where(tables.audit.c.number == 2), ["entry 2 is missing"]),
            (delete(tables.audit).where(tables.audit.c.number >= 3), ["entries 3 to 4 are missing"]),
            (delete(tables.audit), ["entries 1 to 4 are missing"]),
        ],
    )
    def test_a_changed_or_missing_entry(
        self, management: Management, record: Record, harm: object, faults: list[str]
    ) -> None:
        for number in range(4):
            management.audit.note(ADMIN, "article.killed", f"x{number}")
        assert management.audit.verify(ADMIN) == (4, [])
        with record.write() as connection:
            connection.execute(harm)  # type: ignore[call-overload]
        verdict = management.audit.verify(ADMIN)
        assert len(faults) == len(verdict.faults)
        assert all(fault.startswith(words) for fault, words in zip(verdict.faults, faults, strict=True))

    def test_a_replaced_entry(self, management: Management, record: Record) -> None:
        for number in range(3):
            management.audit.note(ADMIN, "article.killed", f"x{number}")
        (entry,) = management.audit.entries(ADMIN, Filter(target="x1"), 1)
        other = entry._replace(target="y")
        other = other._replace(hash=other.expected_hash())
        with record.write() as connection:
            connection.execute(delete(tables.audit).where(tables.audit.c.number == entry.number))
            connection.execute(insert(tables.audit).values(other._asdict()))
        (fault,) = management.audit.verify(ADMIN).faults
        assert fault.startswith("entry 3 does not follow on entry 2")

    def test_what_is_noted_while_the_record_is_away_comes_later(
        self, management: Management, store: Store, record: Record
    ) -> None:
        lose(record)
        management.audit.note(ADMIN, "article.killed", "hh-1")
        left = store.management.left(5)
        assert len(left) == 1
        bring_back(record)
        listener: ManagementListener = management.listener(tends=True)
        listener.look()
        # A worker that died before it said so: the next one takes it again.
        store.management.leave(left)
        listener._next_tending = 0.0
        listener.look()
        assert store.management.left(5) == []
        assert ["hh-1"] == [entry.target for entry in management.audit.entries(ADMIN, Filter(), 10)]
        assert management.audit.verify(ADMIN) == (1, [])

    def test_what_cannot_be_taken_over_keeps_no_process_from_starting_nor_from_hearing_of_keys(
        self, management: Management
    ) -> None:
        _, token = management.keys.create(ADMIN, "cms", [EVENTS_WRITE])
        failures = []

        def use(copy: ManagementCopy) -> None:
            failures.append(copy.revision)
            raise RuntimeError("a fault of ours")

        listener = management.listener(use, tends=True)
        listener.look_first()
        assert len(failures) == 1
        assert management.ring.caller(token, clock.ms(clock.agreed())) is not None
