"""Whether the record is there, as the threads of one process know it, and commits that they share."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Barrier

import pytest
from postgresql import Cluster
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from waiting import until

from worker.record import Record, group_commit, tables
from worker.record.availability import Absence, RecordAway
from worker.record.events import SentEvent
from worker.record.group_commit import GroupCommit
from worker.record.schema import SCHEMA_TABLE


def sent(event_id: str) -> SentEvent:
    return SentEvent(event_id, "{}", "", None, 5, "post")


def accepted(commits: GroupCommit, event_id: str) -> bool:
    """Whether an event was taken this time; if it was too late for that, it may be there nevertheless."""
    with suppress(RecordAway):
        return bool(commits.accept([sent(event_id)]))
    return False


def kept_events(record: Record) -> int:
    with record.read() as connection:
        return connection.scalar(select(func.count()).select_from(tables.events)) or 0


def test_nobody_asks_while_it_is_away(cluster: Cluster) -> None:
    with closing(Record.connect(cluster.url(cluster.database()))) as record:
        record.upgrade()
        cluster.stop()
        try:
            with pytest.raises(RecordAway), record.availability.write():
                pass
            # Each of them would wait for longer than all of them may take, and a test for two minutes.
            for _ in range(1000):
                with pytest.raises(RecordAway), record.availability.read():
                    pass
            assert record.availability.absence is not None
            assert "is PostgreSQL running" in record.availability.absence.reason
        finally:
            cluster.start()
        until(lambda: record.availability.absence is None)
        with record.availability.write() as connection:
            assert connection.scalar(text("SELECT 1")) == 1


def test_another_schema_is_away_until_it_is_ours(record_url: str) -> None:
    with closing(Record.connect(record_url)) as other, closing(Record.connect(record_url)) as record:
        with other.write() as connection:
            schema = connection.scalar(text(f"SELECT version_num FROM {SCHEMA_TABLE}"))
            connection.execute(text(f"UPDATE {SCHEMA_TABLE} SET version_num = '0000'"))
        absence = record.availability.ask()
        assert absence is not None
        assert "run `dateline record upgrade`" in absence.reason
        with pytest.raises(RecordAway, match="dateline record upgrade"):
            GroupCommit(record).accept([sent("1")])
        with other.write() as connection:
            connection.execute(text(f"UPDATE {SCHEMA_TABLE} SET version_num = '{schema}'"))
        until(lambda: record.availability.absence is None)


def test_a_bug_is_no_absence(record: Record) -> None:
    with pytest.raises(DBAPIError), record.availability.write() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    assert record.availability.absence is None


def test_posts_share_commits(record: Record) -> None:
    commits = GroupCommit(record, wait_seconds=30)
    barrier = Barrier(16)

    def post(number: int) -> str:
        barrier.wait()
        return commits.accept([sent(str(number))])[0].status

    with ThreadPoolExecutor(16) as threads:
        assert ["new"] * 160 == list(threads.map(post, range(160)))
    commits.stop()
    assert kept_events(record) == 160
    assert commits.commits < 80


def test_a_server_that_was_restarted_meanwhile_is_there(cluster: Cluster) -> None:
    with closing(Record.connect(cluster.url(cluster.database()))) as record:
        record.upgrade()
        commits = GroupCommit(record, wait_seconds=30)
        assert ["new"] == [event.status for event in commits.accept([sent("1")])]
        cluster.stop()
        cluster.start()
        assert ["new", "duplicate"] == [event.status for event in commits.accept([sent("2"), sent("1")])]
        commits.stop()


def test_one_bad_event_fails_alone(record: Record) -> None:
    commits = GroupCommit(record, wait_seconds=30)
    barrier = Barrier(9)
    bad = SentEvent("bad", "{}", "", None, 2**70, "post")

    def post(number: int) -> str:
        barrier.wait()
        try:
            return commits.accept([bad if number % 9 == 0 else sent(str(number))])[0].status
        except (DBAPIError, OverflowError):
            return "bad"

    with ThreadPoolExecutor(9) as threads:
        outcomes = list(threads.map(post, range(27)))
    commits.stop()
    assert ["bad" if number % 9 == 0 else "new" for number in range(27)] == outcomes
    assert record.availability.absence is None


def test_who_waits_too_long_goes_on_without(record: Record) -> None:
    commits = GroupCommit(record, wait_seconds=0.1)
    with record.write() as connection:
        connection.execute(text("LOCK TABLE events") if connection.dialect.name == "postgresql" else text("SELECT 1"))
        with pytest.raises(RecordAway, match=r"did not answer within 0.1 s|locked"):
            commits.accept([sent("1")])
    # The thread goes on, although nobody waits for what it had.
    until(lambda: accepted(commits, "2"))
    commits.stop()


def test_who_comes_after_one_that_waited_too_long_does_not_wait(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = GroupCommit(record)
    monkeypatch.setattr(commits, "_begin", lambda: pytest.fail("it waits"))
    monkeypatch.setattr(record.availability, "absence", Absence(0, "the record did not answer within 5 s"))
    with pytest.raises(RecordAway, match="did not answer"):
        commits.accept([sent("1")])
    commits.stop()


def test_a_server_that_stands_still_keeps_no_thread_for_good(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_STUCK_SECONDS", 0.3)
    with closing(Record.connect(cluster.url(cluster.database()))) as record:
        record.upgrade()
        commits = GroupCommit(record, wait_seconds=0.2)
        until(lambda: accepted(commits, "1"))
        thread_connection = commits._thread_connection
        assert thread_connection is not None
        server = thread_connection.connect().connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        os.kill(server, signal.SIGSTOP)
        try:
            until(lambda: accepted(commits, "2"))
        finally:
            os.kill(server, signal.SIGCONT)
        commits.stop()
        for thread in threading.enumerate():
            if thread.name == "record-accept":
                thread.join(60)
        assert kept_events(record) == 2


def test_where_redis_has_them_is_noted_by_the_way(record: Record) -> None:
    commits = GroupCommit(record, wait_seconds=30)
    numbers = [event.number for event in commits.accept([sent("1"), sent("2")])]
    commits.note_appended({numbers[0]: "1-0"})

    def entries() -> list[str | None]:
        with record.read() as connection:
            query = select(tables.events.c.stream_entry).order_by(tables.events.c.number)
            return list(connection.execute(query).scalars())

    until(lambda: entries() == ["1-0", None])
    commits.note_appended({numbers[1]: "2-0"})
    commits.stop()
    assert entries() == ["1-0", "2-0"]
