"""Backups of the record on both databases, and the commands."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from command_line import dateline
from ports import free_port
from postgresql import RIGHT, STRANGER, Cluster
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from config.settings import Settings
from feeds.definition import FeedDefinition
from worker.record import Record, tables
from worker.record.agreement import RESTORED
from worker.record.backups import BackupFailed, back_up, restore
from worker.record.overview import overview
from worker.record.schema import SCHEMA, SCHEMA_TABLE, UnfitRecord
from worker.runtime.record_in_use import make_embedded, record_of, see_that_the_record_fits

AWKWARD = "p@ss:w/rd%40?#[é]"
FEEDS = (FeedDefinition(name="world", title="World"),)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def note(record: Record, *names: str) -> None:
    with record.write() as connection:
        connection.execute(insert(tables.meta), [{"name": name, "value": "x"} for name in names])


def noted(record: Record) -> int:
    with record.read() as connection:
        rows = select(func.count()).select_from(tables.meta).where(tables.meta.c.name != RESTORED)
        return connection.scalar(rows) or 0


def clients_tools() -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("there is no pg_dump: install Debian's postgresql-client")


@pytest.fixture(autouse=True)
def _tools(request: pytest.FixtureRequest) -> None:
    if "postgresql" in request.node.name:
        clients_tools()


def test_what_was_there_comes_back(record: Record, copy: Path) -> None:
    note(record, "a")
    before = overview(record)
    back_up(record, copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    note(record, "b")
    with pytest.raises(BackupFailed, match="with --replace it is lost, and the backup takes its place"):
        restore(record, copy, replace=False)
    assert noted(record) == 3
    restore(record, copy, replace=True)
    assert noted(record) == 2
    assert overview(record).epoch == before.epoch
    record.see_that_it_fits()
    assert [path.name for path in copy.parent.iterdir() if path.name.startswith("copy")] == ["copy"]


def test_while_it_is_written_to(record: Record, copy: Path) -> None:
    """Each transaction writes two rows: the backup has both or none, and no writer is kept waiting."""
    stop = threading.Event()
    errors: list[Exception] = []

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                note(record, f"{number} left", f"{number} right")
            except Exception as error:  # noqa: BLE001 (whatever it is, the test says it)
                errors.append(error)

    writers = threading.Thread(target=write)
    writers.start()
    try:
        while noted(record) < 50:
            pass
        back_up(record, copy)
    finally:
        stop.set()
        writers.join()
    assert errors == []
    restore(record, copy, replace=True)
    assert noted(record) >= 50
    assert noted(record) % 2 == 1  # and the epoch


def test_a_file_in_the_working_directory(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    back_up(record, Path("copy of today"))
    restore(record, Path("copy of today"), replace=True)
    assert noted(record) == 1


def test_a_name_that_no_file_can_have(record: Record, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match=r"can't write .*: File name too long"):
        back_up(record, tmp_path / ("x" * 300))
    with pytest.raises(BackupFailed, match=r"can't read .*: File name too long"):
        restore(record, tmp_path / ("x" * 300), replace=True)


def test_a_file_that_is_there_is_kept(record: Record, copy: Path) -> None:
    copy.write_text("last week's")
    with pytest.raises(BackupFailed, match="is there already: name another file"):
        back_up(record, copy)
    assert copy.read_text() == "last week's"


def test_what_is_no_backup(record: Record, copy: Path) -> None:
    with pytest.raises(BackupFailed, match="there is no file"):
        restore(record, copy, replace=True)
    copy.write_text("a diary")
    with pytest.raises((BackupFailed, UnfitRecord)):
        restore(record, copy, replace=True)
    assert noted(record) == 1


def test_without_tables(new_record_url: str, copy: Path) -> None:
    with closing(Record.connect(new_record_url)) as record:
        with pytest.raises(UnfitRecord, match="there is nothing to back up"):
            back_up(record, copy)
        assert not copy.exists()


def test_into_an_empty_record(record: Record, copy: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    note(record, "a")
    back_up(record, copy)
    if record.file is None:
        cluster: Cluster = request.getfixturevalue("cluster")
        other = Record.connect(cluster.url(cluster.database()))
    else:
        other = Record.embedded(tmp_path / "other")
    with closing(other):
        restore(other, copy, replace=False)
        other.see_that_it_fits()
        assert noted(other) == 2


def test_a_record_in_use_is_kept(record: Record, record_url: str, copy: Path) -> None:
    with closing(Record.connect(record_url)) as other:
        back_up(record, copy)
        assert noted(other) == 1
        with pytest.raises(BackupFailed, match="is in use: stop Dateline first"):
            restore(record, copy, replace=True)
        other.close()
        restore(record, copy, replace=True)
        note(record, "a")


def test_a_backup_of_the_future_or_of_something_else(tmp_path: Path, copy: Path) -> None:
    with closing(Record.embedded(tmp_path)) as record:
        record.upgrade()
        back_up(record, copy)
        with closing(sqlite3.connect(copy)) as database:
            database.execute(f"UPDATE {SCHEMA_TABLE} SET version_num = '9999'")
            database.commit()
        with pytest.raises(UnfitRecord, match="this is an older Dateline"):
            restore(record, copy, replace=True)
        with closing(sqlite3.connect(copy)) as database:
            database.execute(f"DROP TABLE {SCHEMA_TABLE}")
        with pytest.raises(UnfitRecord, match="is no backup of a record"):
            restore(record, copy, replace=True)
        copy.write_text("a diary, and no database at all")
        with pytest.raises(UnfitRecord, match="is no backup of a record"):
            restore(record, copy, replace=True)
        record.see_that_it_fits()


def test_a_damaged_backup(tmp_path: Path, copy: Path) -> None:
    with closing(Record.embedded(tmp_path)) as record:
        record.upgrade()
        note(record, *(f"{number} of many" for number in range(5000)))
        back_up(record, copy)
        whole = bytearray(copy.read_bytes())
        half = len(whole) // 2 // 4096 * 4096
        whole[half : half + 40960] = b"\xff" * 40960
        copy.write_bytes(whole)
        with pytest.raises(BackupFailed, match=r"is damaged .*: take an earlier backup"):
            restore(record, copy, replace=True)
        assert noted(record) == 5001


def test_without_the_tools_it_says_how(cluster: Cluster, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = cluster.database()
    cluster.run(f"GRANT ALL ON SCHEMA public TO {STRANGER}", database=name)
    with closing(Record.connect(cluster.url(name, f"{STRANGER}:right%40first"))) as record:
        record.upgrade()
        back_up(record, copy)
        copy.unlink()
        monkeypatch.setenv("PATH", str(copy.parent))
        with pytest.raises(BackupFailed) as refused:
            back_up(record, copy)
    address = f"postgresql://{STRANGER}@/{name}?host={quote(str(cluster.folder), safe='')}"
    assert str(refused.value) == (
        "there is no pg_dump on this machine: install PostgreSQL's client (Debian: postgresql-client), or run on one "
        f"that has it: pg_dump --format=custom --file={copy}.part --dbname={address}"
    )


class TestBeforeAnythingRuns:
    def test_the_embedded_one_is_made(self, tmp_path: Path) -> None:
        settings = Settings(feeds=FEEDS, data_dir=tmp_path / "data")
        # What nobody has made yet is in nobody's way, and is not made by looking.
        see_that_the_record_fits(settings)
        assert not settings.data_dir.exists()
        make_embedded(settings)
        with closing(record_of(settings)) as record:
            record.see_that_it_fits()
            assert record.file == tmp_path / "data" / "record.db"

    def test_one_that_is_named_is_not(self, new_record_url: str) -> None:
        settings = Settings(feeds=FEEDS, record_url=new_record_url)
        make_embedded(settings)
        with pytest.raises(UnfitRecord, match="has no tables yet: run `dateline record upgrade`, if"):
            see_that_the_record_fits(settings)

    def test_one_that_is_away_keeps_nothing_from_starting(self, tmp_path: Path) -> None:
        settings = Settings(feeds=FEEDS, record_url=f"postgresql+psycopg://a@/a?host={tmp_path}")
        with capture_logs() as lines:
            see_that_the_record_fits(settings)
        assert [line["event"] for line in lines] == ["record_unchecked"]

    def test_one_that_refuses_us_does(self, cluster: Cluster) -> None:
        settings = Settings(feeds=FEEDS, record_url=cluster.url("nowhere"))
        with pytest.raises(SQLAlchemyError):
            see_that_the_record_fits(settings)


def test_a_password_of_any_characters_stands_by_itself(cluster: Cluster, tmp_path: Path, copy: Path) -> None:
    secret = tmp_path / "record_password"
    secret.write_text(f"{AWKWARD}\n")
    where = {
        "DATELINE_RECORD_URL": cluster.url(cluster.database(f"OWNER {STRANGER}"), STRANGER),
        "DATELINE_RECORD_PASSWORD_FILE": str(secret),
        "PATH": "/usr/bin:/bin",
    }
    cluster.run(f"ALTER ROLE {STRANGER} PASSWORD '{AWKWARD}'")
    try:
        for words in (("upgrade",), ("status",), ("backup", str(copy))):
            done = dateline("record", *words, variables=where)
            assert (done.returncode, done.stderr) == (0, "")
            assert AWKWARD not in done.stdout
    finally:
        cluster.run(f"ALTER ROLE {STRANGER} PASSWORD '{RIGHT}'")


class TestCommands:
    def test_from_nothing_to_a_backup_and_back(self, new_record_url: str, copy: Path) -> None:
        where = {"DATELINE_RECORD_URL": new_record_url, "PATH": "/usr/bin:/bin"}

        def run(*words: str) -> tuple[int, str, str]:
            done = dateline("record", *words, variables=where)
            return done.returncode, done.stdout, done.stderr

        address = Record.connect(new_record_url).address
        advice = "run `dateline record upgrade`, if that is where it should be"
        assert run("status") == (1, "", f"dateline: the record {address} has no tables yet: {advice}\n")
        assert run("upgrade") == (0, f"The record {address} has schema {SCHEMA}, made just now.\n", "")
        assert run("upgrade") == (0, f"The record {address} has schema {SCHEMA}.\n", "")
        status, shown, wrong = run("status")
        assert (status, wrong) == (0, "")
        assert f"The record {address}: schema {SCHEMA}, " in shown
        assert [line.split() for line in shown.splitlines() if "revisions" in line] == [["revisions", "0"]]
        status, shown, wrong = run("status", "--json")
        held = json.loads(shown)
        assert (status, wrong, held["record"], held["schema"]) == (0, "", address, SCHEMA)
        assert held["rows"]["events"] == 0
        assert run("backup", str(copy))[0] == 0
        assert run("restore", str(copy)) == (
            1,
            "",
            f"dateline: there is a record at {address}: with --replace it is lost, and the backup takes its place\n",
        )
        assert run("restore", str(copy), "--replace") == (0, f"The record {address} is as in {copy}.\n", "")

    def test_a_process_refuses_another_schema(self, record: Record, tmp_path: Path, redis_url: str) -> None:
        with record.write() as connection:
            connection.execute(text(f"UPDATE {SCHEMA_TABLE} SET version_num = '9999'"))
        variables = {
            "DATELINE_RECORD_URL": record.url.render_as_string(hide_password=False),
            "DATELINE_DATA_DIR": str(tmp_path),
            "DATELINE_REDIS_URL": redis_url,
            "DATELINE_WEB__PORT": str(free_port()),
        }
        for command in ("worker", "web", "up"):
            done = dateline(command, "--unsafe-redis", variables=variables)
            *warnings, line = done.stderr.splitlines()
            assert done.returncode == 1
            assert all("redis_unsafe" in warning for warning in warnings)
            assert line.startswith("dateline: the record has schema 9999, and this is an older Dateline")

    @pytest.mark.parametrize("url", ["mysql://host/a", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg://host"])
    def test_a_wrong_address(self, url: str) -> None:
        done = dateline("record", "status", variables={"DATELINE_RECORD_URL": url})
        form = "must be postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:////PATH"
        assert (done.returncode, done.stderr) == (2, f"dateline: DATELINE_RECORD_URL: {form}\n")

    def test_nobody_there(self, tmp_path: Path) -> None:
        url = f"postgresql+psycopg://dateline:hunter2@/dateline?host={tmp_path}"
        done = dateline("record", "status", variables={"DATELINE_RECORD_URL": url})
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith("dateline: the record does not answer (")
        assert "hunter2" not in done.stderr

    def test_no_folder_for_the_backup(self, tmp_path: Path) -> None:
        variables = {"DATELINE_DATA_DIR": str(tmp_path)}
        assert dateline("record", "upgrade", variables=variables).returncode == 0
        (tmp_path / "file").touch()
        done = dateline("record", "backup", str(tmp_path / "file" / "copy"), variables=variables)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert f"can't write {tmp_path}/file/copy: " in done.stderr
