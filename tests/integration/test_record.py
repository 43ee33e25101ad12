"""The record on both databases: its schema, its transactions, and what it says when it can't."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgresql import STRANGER, Cluster
from sqlalchemy import Connection, func, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError

from worker.record import Record, indexes, tables
from worker.record.availability import RecordAway
from worker.record.connections import sqlite_transaction
from worker.record.database_errors import kind, sentence
from worker.record.overview import overview
from worker.record.schema import SCHEMA, SCHEMA_TABLE, UnfitRecord

NOBODY = 65534
OLDER = f"the record has schema 0000, this Dateline works on {SCHEMA}: run `dateline record upgrade`"
NEWER = (
    f"the record has schema 9999, and this is an older Dateline, which knows up to {SCHEMA}: "
    "start the release that upgraded the record, or a later one"
)


def revision(article_id: str, document: str | None, version: int = 1) -> dict[str, object]:
    return {
        "article_id": article_id,
        "version": version,
        "sha256": "0" * 64,
        "pubstatus": "usable",
        "document": document,
        "accepted": 1,
    }


def note(connection: Connection, name: str, value: str) -> None:
    connection.execute(insert(tables.meta).values(name=name, value=value))


def set_schema(record: Record, schema: str) -> None:
    with record.write() as connection:
        connection.execute(text(f"UPDATE {SCHEMA_TABLE} SET version_num = '{schema}'"))


class TestSchema:
    @pytest.fixture
    def migrated(self, new_record_url: str) -> Iterator[Record]:
        """Made by the migrations themselves; `record` is a copy."""
        with closing(Record.connect(new_record_url, wait_seconds=0.2)) as record:
            record.upgrade()
            yield record

    def test_the_migrations_lead_to_the_tables(self, migrated: Record) -> None:
        assert migrated.schema() == SCHEMA
        migrated.see_that_it_fits()
        with migrated.read() as connection:
            # The words are in a virtual table of FTS5's on SQLite, in an index on PostgreSQL.
            theirs = ("article_index", "ix_article_words_words")[: 2 if connection.dialect.name == "sqlite" else 1]
            ours = {"include_object": lambda _, name, *__: not (name or "").startswith(theirs)}
            context = MigrationContext.configure(connection, opts={"version_table": SCHEMA_TABLE, **ours})
            assert compare_metadata(context, indexes.metadata) == []

    def test_once_more_changes_nothing(self, migrated: Record) -> None:
        before = overview(migrated)
        migrated.upgrade()
        assert overview(migrated) == before
        assert before.epoch.startswith("1-")
        assert before.size > 0
        assert set(before.rows) == {*tables.metadata.tables} - {"meta"}

    def test_each_record_has_an_epoch_of_its_own(self, migrated: Record, tmp_path: Path) -> None:
        with closing(Record.embedded(tmp_path / "other")) as other:
            other.upgrade()
            assert overview(other).epoch != overview(migrated).epoch

    def test_several_at_a_time(self, new_record_url: str) -> None:
        records = [Record.connect(new_record_url, wait_seconds=30) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            assert [None] * 4 == list(threads.map(Record.upgrade, records))
        with records[0].read() as connection:
            assert connection.scalar(select(func.count()).select_from(tables.meta)) == 1
        for record in records:
            record.close()

    def test_a_connection_that_is_used_when_it_is_closed_is_closed_after(self, migrated: Record) -> None:
        with migrated.read() as connection:
            pooled = connection.connection
            driver = pooled.driver_connection
            migrated.close()
            assert connection.scalar(select(func.count()).select_from(tables.meta)) == 1
        with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
            driver.cursor().execute("SELECT 1")

    def test_half_an_upgrade_is_none(self, new_record_url: str) -> None:
        with closing(Record.connect(new_record_url)) as record:
            if record.file is not None:
                record.file.touch()
            with record.any_schema() as connection:
                connection.execute(text("CREATE TABLE subscriptions (theirs INTEGER)"))
            with pytest.raises(DBAPIError):
                record.upgrade()
            with record.any_schema() as connection:
                assert inspect(connection).get_table_names() == ["subscriptions"]

    def test_another_schema_is_refused(self, record: Record) -> None:
        for schema, message in (("0000", OLDER), ("9999", NEWER)):
            set_schema(record, schema)
            with pytest.raises(UnfitRecord) as refused:
                record.see_that_it_fits()
            assert str(refused.value) == message
        with pytest.raises(UnfitRecord, match="older Dateline"):
            record.upgrade()

    def test_without_tables(self, new_record_url: str) -> None:
        with closing(Record.connect(new_record_url)) as record:
            assert record.schema() is None
            with pytest.raises(UnfitRecord, match="has no tables yet: run `dateline record upgrade`, if"):
                record.see_that_it_fits()
            assert record.file is None or not record.file.exists()

    def test_another_encoding_is_refused(self, cluster: Cluster) -> None:
        name = cluster.database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        with (
            closing(Record.connect(cluster.url(name))) as record,
            pytest.raises(UnfitRecord, match="has encoding LATIN1: make one with `createdb --encoding=UTF8"),
        ):
            record.upgrade()

    def test_an_old_server_is_refused(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        with closing(Record.connect(cluster.url(cluster.database()))) as record:
            with record.any_schema() as connection:
                monkeypatch.setattr(connection.dialect, "server_version_info", (14, 9))
            with pytest.raises(UnfitRecord, match="Dateline needs 15 or newer"):
                record.schema()


class TestWhatIsKept:
    @pytest.mark.parametrize("document", ["", "قطار الميناء", "\0 and \ud800", "x" * 1_000_000])
    def test_a_document_comes_back_as_it_was(self, record: Record, document: str) -> None:
        with record.write() as connection:
            connection.execute(insert(tables.revisions), [revision("a", document), revision("gone", None)])
        with record.read() as connection:
            kept = connection.execute(select(tables.revisions.c.document).order_by(tables.revisions.c.article_id))
            assert kept.scalars().all() == [document, None]

    def test_a_long_document_takes_less(self, record: Record) -> None:
        with record.write() as connection:
            connection.execute(insert(tables.revisions), [revision("a", "the harbour wall " * 1000)])
            assert (connection.scalar(text("SELECT length(document) FROM revisions")) or 0) < 200

    def test_words_that_no_database_keeps(self, record: Record) -> None:
        with record.write() as connection:
            note(connection, "words", "a\0b\ud83dc")
            value = select(tables.meta.c.value).where(tables.meta.c.name == "words")
            assert connection.scalar(value) == "a\ufffdb\ufffdc"

    def test_events_are_counted_in_their_order(self, record: Record) -> None:
        event = {"digest": "d", "kind": "", "body": "{}", "accepted": 1, "way": "post"}
        with record.write() as connection:
            for name in ("b", "a"):
                connection.execute(insert(tables.events).values(event_id=name, **event))
            events = connection.execute(select(tables.events.c.event_id).order_by(tables.events.c.number))
            assert events.scalars().all() == ["b", "a"]
        with pytest.raises(DBAPIError), record.write() as connection:
            connection.execute(insert(tables.events).values(event_id="a", **event))

    def test_a_transaction_is_there_as_a_whole_or_not(self, record: Record) -> None:
        def note_twice() -> None:
            with record.write() as connection:
                note(connection, "half", "1")
                note(connection, "half", "1")

        with pytest.raises(DBAPIError):
            note_twice()
        with record.read() as connection:
            assert connection.scalar(select(func.count()).select_from(tables.meta)) == 1

    def test_writers_wait_for_each_other(self, record_url: str) -> None:
        with closing(Record.connect(record_url, wait_seconds=30)) as record:
            with record.write() as connection:
                note(connection, "count", "0")
            row = tables.meta.c.name == "count"

            def add(_: int) -> None:
                with record.write() as connection:
                    value = connection.scalar(select(tables.meta.c.value).where(row).with_for_update()) or ""
                    connection.execute(update(tables.meta).where(row).values(value=str(int(value) + 1)))

            with ThreadPoolExecutor(4) as threads:
                assert len(list(threads.map(add, range(40)))) == 40
            with record.read() as connection:
                assert connection.scalar(select(tables.meta.c.value).where(row)) == "40"

    def test_how_sqlite_is_set(self, tmp_path: Path) -> None:
        for synchronous, number in (("full", 2), ("normal", 1)):
            with closing(Record.embedded(tmp_path, synchronous=synchronous)) as record:  # type: ignore[arg-type]
                record.upgrade()
                assert record.file == tmp_path / "record.db"
                assert record.file.stat().st_mode & 0o777 == 0o600
                with record.read() as connection:
                    settings = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
                    values = [connection.exec_driver_sql(f"PRAGMA {setting}").scalar() for setting in settings]
                    assert values == ["wal", number, 1, 1]

    def test_a_transaction_on_the_driver_is_like_all_others(self, tmp_path: Path) -> None:
        """It waits for the disk as set, is undone whole, and waits for whoever writes, but not for ever."""
        add = "INSERT INTO meta (name, value) VALUES (?, '')"
        for synchronous, number in (("full", 2), ("normal", 1)):
            with closing(
                Record.embedded(tmp_path, synchronous=synchronous, wait_seconds=0.2)  # type: ignore[arg-type]
            ) as record:
                record.upgrade()
                # Whoever had the connection before had it wait for nothing.
                with record.write("never") as connection:
                    note(connection, synchronous, "1")
                connection = record.lasting_connection()
                with sqlite_transaction(connection) as driver:
                    assert driver.execute("PRAGMA synchronous").fetchone() == (number,)
                    driver.execute(add, (f"{synchronous} kept",))
                with pytest.raises(IntegrityError), sqlite_transaction(connection) as driver:
                    driver.executemany(add, [("undone",), (f"{synchronous} kept",)])
                with (
                    record.write(),
                    pytest.raises(OperationalError, match="locked") as raised,
                    sqlite_transaction(connection),
                ):
                    pass
                assert kind(raised.value) == "locked"
                with record.read() as reading:
                    names = set(reading.scalars(select(tables.meta.c.name)))
                assert {f"{synchronous} kept"} == {name for name in names if name in (f"{synchronous} kept", "undone")}
                connection.close()

    def test_how_postgresql_is_set(self, cluster: Cluster) -> None:
        url = cluster.url(cluster.database())
        for synchronous, value in (("full", "on"), ("normal", "off")):
            with (
                closing(Record.connect(f"{url}&options=-c%20work_mem=5MB", synchronous=synchronous)) as record,
                record.any_schema() as connection,
            ):
                assert connection.scalar(text("SHOW synchronous_commit")) == value
                assert connection.scalar(text("SHOW lock_timeout")) == "5s"
                assert connection.scalar(text("SHOW work_mem")) == "5MB"

    def test_who_waits_for_the_disk_holds_nobody_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        syncing, synced = Event(), Event()

        def slowly(_: int) -> None:
            syncing.set()
            assert synced.wait(60)

        with closing(Record.embedded(tmp_path)) as record, ThreadPoolExecutor(1) as thread:
            record.upgrade()
            monkeypatch.setattr(os, "fdatasync", slowly)

            def note_slowly() -> None:
                with record.write("after") as connection:
                    note(connection, "slow", "1")

            noted = thread.submit(note_slowly)
            assert syncing.wait(60)
            with record.write() as connection:
                note(connection, "quick", "1")
                assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert not noted.done()
            synced.set()
            noted.result(60)
            with record.read() as connection:
                assert connection.scalar(select(func.count()).where(tables.meta.c.name.in_(("slow", "quick")))) == 2

    def test_what_may_not_be_on_the_disk_is_not_noted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with closing(Record.embedded(tmp_path)) as record:
            record.upgrade()
            monkeypatch.setattr(os, "fdatasync", fail)
            with (
                pytest.raises(RecordAway, match="Input/output error"),
                record.availability.write("after") as connection,
            ):
                note(connection, "count", "1")
            assert record.availability.absence is not None

    def test_what_a_power_cut_may_cost_waits_for_no_disk(self, record: Record) -> None:
        question = "PRAGMA synchronous" if record.file else "SHOW synchronous_commit"
        for sync, there in (("never", {1, "off"}), ("commit", {2, "on"})):
            with record.write(sync) as connection:  # type: ignore[arg-type]
                assert connection.scalar(text(question)) in there


@contextmanager
def refusal() -> Iterator[list[str]]:
    """What an error within means, and its one line."""
    means: list[str] = []
    with pytest.raises(SQLAlchemyError) as raised:
        yield means
    means += [kind(raised.value), sentence(raised.value)]
    assert "\n" not in means[1]


def test_locked(record: Record) -> None:
    with closing(Record.connect(record.url.render_as_string(), wait_seconds=0.1)) as other:
        with record.write() as connection:
            connection.execute(text("UPDATE meta SET value = '2'"))
            with refusal() as means, other.write() as theirs:
                theirs.execute(text("UPDATE meta SET value = '3'"))
        assert means[0] == "locked"
        assert means[1].startswith("the record is locked by another ")
        assert means[1].endswith("try again when that has ended")
        # Who only reads waits for nobody.
        with record.write() as connection, other.read() as theirs:
            connection.execute(text("UPDATE meta SET value = '4'"))
            assert theirs.scalar(text("SELECT value FROM meta")) == "2"


def test_a_bug(record: Record) -> None:
    with refusal() as means, record.read() as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE x = :words"), {"words": "the text of an article"})
    assert means[0] == "bug"
    assert "a bug of ours, or its tables were changed" in means[1]
    assert "the text" not in means[1]
    with refusal() as means, record.write() as connection:
        note(connection, "epoch", "the text of an article")
    assert means[0] == "bug"
    assert "the text" not in means[1]


class TestSqlite:
    def test_read_only(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with closing(Record.embedded(folder)) as record:
                record.upgrade()
            (folder / "record.db").chmod(0o444)
            folder.chmod(0o555)
            root = os.geteuid() == 0
            if root:  # whom no rights keep from writing
                os.seteuid(NOBODY)
            try:
                with (
                    closing(Record.embedded(folder)) as record,
                    refusal() as means,
                    record.write() as connection,
                ):
                    note(connection, "a", "b")
            finally:
                if root:
                    os.seteuid(0)
                folder.chmod(0o755)
            assert means[0] == "refused"
            assert means[1].endswith("see the rights of its file and folder")

    def test_full(self, tmp_path: Path) -> None:
        with closing(Record.embedded(tmp_path)) as record:
            record.upgrade()
            with refusal() as means, record.write() as connection:
                connection.exec_driver_sql("PRAGMA max_page_count = 1")
                note(connection, "a", "b" * 100_000)
        assert means == ["full", "there is no space for the record (database or disk is full): make room on its disk"]

    def test_none_of_ours(self, tmp_path: Path) -> None:
        (tmp_path / "record.db").write_text("a diary" * 1000)
        with closing(Record.embedded(tmp_path)) as record, refusal() as means:
            record.schema()
        assert means[0] == "refused"
        assert "the record's file is damaged, or no SQLite database" in means[1]

    def test_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with (
            closing(Record.embedded(tmp_path / "file" / "data")) as record,
            pytest.raises(UnfitRecord, match=r"can't make the record .*/record\.db: Not a directory"),
        ):
            record.upgrade()

    def test_what_is_deleted_is_overwritten(self, tmp_path: Path) -> None:
        with closing(Record.embedded(tmp_path)) as record:
            record.upgrade()
            for _ in range(2):
                with record.write() as connection:
                    note(connection, "secret", "the informant's name" * 50)
                with record.write() as connection:
                    connection.execute(text("DELETE FROM meta WHERE name = 'secret'"))
        # The last connection that is closed takes the write-ahead log with it.
        assert [path.name for path in tmp_path.iterdir()] == ["record.db"]
        assert b"informant" not in (tmp_path / "record.db").read_bytes()

    def test_a_file_that_went_is_not_made_anew(self, tmp_path: Path) -> None:
        with closing(Record.embedded(tmp_path)) as record, refusal() as means, record.any_schema():
            pass
        assert means[0] == "refused"
        with pytest.raises(sqlite3.OperationalError):
            sqlite3.connect(f"file:{tmp_path}/record.db?mode=rw", uri=True)


class TestPostgresql:
    def test_away(self, tmp_path: Path) -> None:
        with (
            closing(Record.connect(f"postgresql+psycopg://postgres@/a?host={tmp_path}")) as record,
            refusal() as means,
        ):
            record.schema()
        assert means[0] == "away"
        assert means[1].endswith("is PostgreSQL running, and is record_url right?")

    def test_wrong_names(self, cluster: Cluster) -> None:
        wrong = (
            cluster.url("nowhere"),
            cluster.url("postgres", "nobody"),
            cluster.url("postgres", f"{STRANGER}:wrong"),
        )
        for url in wrong:
            with closing(Record.connect(url)) as record:
                assert "wrong" not in record.address
                with refusal() as means:
                    record.schema()
            assert means[0] == "refused"
            assert means[1].endswith("see record_url (name, password, database), and our rights there")
            assert "wrong" not in means[1]
        with closing(Record.connect(cluster.url("postgres", f"{STRANGER}:right%40first"))) as record:
            assert record.schema() is None

    def test_no_rights(self, cluster: Cluster) -> None:
        name = cluster.database()
        with closing(Record.connect(cluster.url(name))) as record:
            record.upgrade()
        with (
            closing(Record.connect(cluster.url(name, f"{STRANGER}:right%40first"))) as record,
            refusal() as means,
            record.write() as connection,
        ):
            note(connection, "a", "b")
        assert means[0] == "refused"

    def test_a_standby(self, cluster: Cluster) -> None:
        name = cluster.database()
        with closing(Record.connect(cluster.url(name))) as record:
            record.upgrade()
            cluster.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            record.close()
            with refusal() as means, record.write() as connection:
                note(connection, "a", "b")
            assert means[0] == "refused"
            # The next call is on a new connection, which may lead to the new primary.
            cluster.run(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            with record.write() as connection:
                note(connection, "a", "b")

    def test_connections_cut_and_a_restart(self, cluster: Cluster) -> None:
        name = cluster.database()
        with closing(Record.connect(cluster.url(name))) as record:
            record.upgrade()
            cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            with refusal() as means, record.write() as connection:
                note(connection, "a", "b")
                cluster.run(cut)
                note(connection, "c", "d")
            assert means[0] == "away"
            cluster.run(cut)
            record.see_that_it_fits()
            cluster.stop()
            try:
                with refusal() as means, record.read():
                    pass
            finally:
                cluster.start()
            assert means[0] == "away"
            with record.read() as connection:
                assert connection.scalar(select(func.count()).select_from(tables.meta)) == 1
