"""Events are kept by the record and by Redis, or by one of them while the other is away."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import dying_intake
import pytest
import redis
from sqlalchemy import text
from waiting import until

from worker import clock
from worker.intake.accept import Intake, Receipt
from worker.intake.event_feeder import EventFeeder
from worker.record import Record
from worker.record.events import EventResult, note_results, receipts, to_append
from worker.record.group_commit import GroupCommit
from worker.runtime.embedded_redis import find_server
from worker.store import Store, keys
from worker.store.events import StreamEntry


class RedisServer:
    """A Redis that can be killed, stopped for a while and started again; it keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "s"
        self.url = f"unix://{self._path}"
        self.start()

    def start(self) -> None:
        options = ("--port", "0", "--unixsocket", str(self._path), "--save", "")
        self.process = subprocess.Popen([find_server(), *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        with redis.Redis(unix_socket_path=str(self._path)) as client:
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()


class Desk:
    """What takes events in, in one process."""

    def __init__(self, url: str, record: Record) -> None:
        self.record = record
        self.store = Store.connect(url)
        self.wakeups = Mock()
        self.commits = GroupCommit(record, wait_seconds=30)
        self.intake = Intake(self.store, self.wakeups, self.commits)
        self.feeder = EventFeeder(self.store, record, self.wakeups)

    def accept(self, *events: dict[str, Any]) -> list[Receipt]:
        return self.intake.accept(events, clock.now(), way="post", sender="192.0.2.1")

    def became(self, *events: dict[str, Any]) -> list[str]:
        return [f"{receipt.status} {receipt.kept_by}" for receipt in self.accept(*events)]

    def feed(self) -> None:
        """Look until there is nothing more to append."""
        self.feeder.feed()
        while self.feeder.feed() == 0:
            pass

    def entries(self) -> list[StreamEntry]:
        self.store.events.create_group()
        return self.store.events.read("w", 1000)

    def close(self) -> None:
        self.commits.stop()
        self.store.close()


@pytest.fixture
def desk(server: RedisServer, record: Record) -> Iterator[Desk]:
    with closing(Desk(server.url, record)) as desk:
        yield desk


def repeated(event_id: str, article: str = "a") -> dict[str, Any]:
    return {"id": event_id, "type": "article.repeated", "article": {"id": article}}


def killed(event_id: str, article: str = "a") -> dict[str, Any]:
    return {"id": event_id, "type": "article.killed", "article": {"id": article}}


def reinstated(event_id: str, article: str = "a") -> dict[str, Any]:
    body = {"id": article, "url": "https://herald.example/a", "headline": "Ferry back", "edition": "en", "version": 9}
    times = {"published": "2026-03-01T00:00:00Z", "updated": "2026-03-01T00:00:00Z"}
    return {"id": event_id, "type": "article.reinstated", "article": body | times}


def take_away(record: Record) -> None:
    record.availability.note_away("it is away in this test")
    record.availability.stop()


def bring_back(record: Record) -> None:
    record.availability.absence = None


def left(record: Record) -> int:
    with record.read() as connection:
        return len(to_append(connection, 2**62, 1000))


def test_both_have_an_event_before_it_is_answered(desk: Desk) -> None:
    assert ["accepted both", "duplicate both"] == desk.became(repeated("1"), repeated("1"))
    (entry,) = desk.entries()
    with desk.record.read() as connection:
        (receipt,) = receipts(connection, "1")
    assert (entry.number, "post", "192.0.2.1") == (receipt.number, receipt.way, receipt.sender)
    until(lambda: left(desk.record) == 0)


def test_what_comes_alone_is_heard_and_for_all_else_workers_are_woken(desk: Desk) -> None:
    """An event that is alone in its stream wakes whoever listens. Behind others, all that listen may be busy."""
    desk.accept(repeated("1"))
    desk.accept(repeated("1"))
    desk.wakeups.consume.assert_not_called()
    desk.accept(repeated("2"))
    desk.wakeups.consume.assert_called_once_with(urgent=False)
    desk.wakeups.reset_mock()
    desk.store.events.acknowledge(desk.entries(), "")
    desk.accept(repeated("3"))
    desk.wakeups.consume.assert_not_called()
    desk.accept(killed("4"))
    desk.wakeups.consume.assert_called_once_with(urgent=True)


def test_where_redis_has_an_event_is_noted_however_late_it_is_known(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread of the commits does not wait for it any longer, and is woken."""
    note, entries = desk.commits.note_appended, []
    monkeypatch.setattr(desk.commits, "note_appended", entries.append)
    desk.accept(repeated("1"))
    until(lambda: desk.commits._sleeps)
    note(entries[0])
    until(lambda: left(desk.record) == 0)


def test_redis_alone_accepts_while_the_record_is_away(desk: Desk) -> None:
    take_away(desk.record)
    assert ["accepted redis"] == desk.became(repeated("1"))
    bring_back(desk.record)
    # It is the same event, and is carried out once.
    assert ["duplicate both"] == desk.became(repeated("1"))
    (entry,) = desk.entries()
    assert entry.number is None
    until(lambda: left(desk.record) == 0)
    fields = {"event_id": "1", "body": entry.body, "kind": "", "article_id": "a", "accepted": 1, "way": "xadd"}
    done = {"stream_entry": entry.id, "done": 2, "result": "repeated"}
    with desk.record.write() as connection:
        note_results(connection, [EventResult(number=None, **fields | done)])  # type: ignore[arg-type]
        (receipt,) = receipts(connection, "1")
    assert receipt.result == "repeated"


def test_the_record_alone_accepts_while_redis_is_away(desk: Desk, server: RedisServer) -> None:
    server.kill()
    begun = time.monotonic()
    became = [desk.became(repeated(str(number)))[0] for number in range(20)]
    assert ["accepted record"] * 20 == became
    assert ["accepted record", "duplicate record"] == desk.became(killed("k"), repeated("1"))
    assert time.monotonic() - begun < 30
    with pytest.raises(redis.RedisError):
        desk.feed()
    server.start()
    desk.feed()
    entries = desk.entries()
    assert ["k", *map(str, range(20))] == [json.loads(entry.body)["id"] for entry in entries]
    assert all(entry.accepted < int(entry.id.partition("-")[0]) for entry in entries)
    assert left(desk.record) == 0
    desk.feed()
    assert desk.entries() == []
    until(lambda: desk.became(repeated("later")) != ["accepted record"] or time.sleep(0.2))


def test_a_redis_that_is_full_is_away(desk: Desk) -> None:
    desk.store.client.config_set("maxmemory", 1)
    assert ["accepted record"] == desk.became(repeated("1"))
    desk.store.client.config_set("maxmemory", 0)
    desk.feed()
    assert len(desk.entries()) == 1


def test_a_redis_that_stands_still_holds_nobody_up_for_long(desk: Desk, server: RedisServer) -> None:
    desk.store.client.ping()
    server.process.send_signal(19)
    try:
        begun = time.monotonic()
        assert ["accepted record"] == desk.became(repeated("1"))
        assert ["accepted record"] == desk.became(repeated("2"))
        assert time.monotonic() - begun < 9
    finally:
        server.process.send_signal(18)
    # Redis may have taken the first one after all.
    until(lambda: (desk.feed(), left(desk.record) == 0)[1])
    assert ["1", "2"] == [json.loads(entry.body)["id"] for entry in desk.entries()]


def test_both_away_is_an_error(desk: Desk, server: RedisServer) -> None:
    server.kill()
    take_away(desk.record)
    with pytest.raises(redis.RedisError):
        desk.accept(repeated("1"))
    server.start()


def test_what_died_between_the_record_and_redis_is_appended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Died(BaseException):
        pass

    with monkeypatch.context() as patch:
        patch.setattr(desk.store.hasty_events, "accept", Mock(side_effect=Died))
        with pytest.raises(Died):
            desk.accept(repeated("1"))
    assert left(desk.record) == 1
    assert desk.entries() == []
    # Its sender had no answer, and sends it again.
    assert ["duplicate both"] == desk.became(repeated("1"))
    desk.feed()
    assert ["1"] == [json.loads(entry.body)["id"] for entry in desk.entries()]


def test_what_died_before_it_was_noted_is_not_appended_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.commits, "note_appended", Mock())
    assert ["accepted both"] * 3 == desk.became(repeated("1"), repeated("1", "b"), repeated("1"))
    assert left(desk.record) == 3
    desk.feed()
    assert left(desk.record) == 0
    assert len(desk.entries()) == 3


@pytest.mark.parametrize("moment", ["before Redis", "after Redis"])
def test_a_process_that_is_killed_after_the_commit_loses_nothing(desk: Desk, server: RedisServer, moment: str) -> None:
    record_url = desk.record.url.render_as_string(hide_password=False)
    assert dying_intake.accept(server.url, record_url, moment) == -9
    assert left(desk.record) == 1
    desk.feed()
    (entry,) = desk.entries()
    assert (entry.stream, json.loads(entry.body)["id"]) == (keys.URGENT, "1")
    assert left(desk.record) == 0
    assert ["duplicate both"] == desk.became(killed("1"))


def test_two_processes_accept_the_same_event(desk: Desk, server: RedisServer, record_url: str) -> None:
    with closing(Record.connect(record_url)) as record, closing(Desk(server.url, record)) as other:
        for number in range(30):
            event = repeated(str(number))
            with ThreadPoolExecutor(2) as threads:
                became = [threads.submit(one.became, event) for one in (desk, other)]
            assert ["accepted both", "duplicate both"] == sorted(future.result()[0] for future in became)
        assert len(desk.entries()) == 30


def test_a_kill_is_a_duplicate_only_if_both_say_so(desk: Desk) -> None:
    assert ["accepted both", "duplicate both"] == desk.became(killed("k"), killed("k"))
    take_away(desk.record)
    assert ["accepted redis"] == desk.became(reinstated("r"))
    bring_back(desk.record)
    # The record has not heard of the reinstatement yet.
    assert ["accepted both"] == desk.became(killed("k"))
    assert ["duplicate both"] == desk.became(killed("k"))
    assert 3 == len(desk.entries())


def test_a_kill_after_a_reinstatement_that_redis_has_not_got(desk: Desk, server: RedisServer) -> None:
    assert ["accepted both"] == desk.became(killed("k"))
    until(lambda: left(desk.record) == 0)
    server.kill()
    assert ["accepted record", "accepted record"] == desk.became(reinstated("r"), killed("k"))
    server.start()
    desk.feed()
    assert ["k", "r"] == [json.loads(entry.body)["id"] for entry in desk.entries()]


def test_an_event_that_the_record_can_not_take_is_kept_by_redis(desk: Desk) -> None:
    with desk.record.write() as connection:
        connection.execute(text("ALTER TABLE events RENAME TO elsewhere"))
    assert ["accepted redis"] == desk.became(repeated("1"))
