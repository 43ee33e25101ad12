"""A record_url that leads to no record of ours: one line says why and what to do, and nothing starts on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from command_line import dateline
from ports import free_port
from postgresql import STRANGER, Cluster
from sqlalchemy import text

from worker.record import Record
from worker.record.database_errors import kind
from worker.record.schema import SCHEMA_TABLE

SECRET = "hunter2"


def a_folder(folder: Path, _: Cluster) -> str:
    (folder / "record.db").mkdir()
    return f"sqlite:///{folder}/record.db"


def a_text(folder: Path, _: Cluster) -> str:
    (folder / "record.db").write_text("a diary, not a database\n" * 500)
    return f"sqlite:///{folder}/record.db"


def half_a_database(folder: Path, _: Cluster) -> str:
    file = folder / "record.db"
    with closing(Record.connect(f"sqlite:///{file}")) as record:
        record.upgrade()
    file.write_bytes(file.read_bytes()[:5000])
    return f"sqlite:///{file}"


def of_the_future(folder: Path, _: Cluster) -> str:
    url = f"sqlite:///{folder}/record.db"
    with closing(Record.connect(url)) as record:
        record.upgrade()
        with record.write() as connection:
            connection.execute(text(f"UPDATE {SCHEMA_TABLE} SET version_num = '9999'"))
    return url


def of_another_program(folder: Path, _: Cluster) -> str:
    with closing(sqlite3.connect(folder / "record.db")) as database:
        database.execute("CREATE TABLE subscriptions (theirs INTEGER)")
    return f"sqlite:///{folder}/record.db"


def no_such_database(_: Path, cluster: Cluster) -> str:
    return cluster.url("nowhere")


def no_such_role(_: Path, cluster: Cluster) -> str:
    return cluster.url("postgres", f"nobody:{SECRET}")


def a_wrong_password(_: Path, cluster: Cluster) -> str:
    return cluster.url("postgres", f"{STRANGER}:{SECRET}")


def no_password(_: Path, cluster: Cluster) -> str:
    return cluster.url("postgres", STRANGER)


def nobody_listens(_: Path, __: Cluster) -> str:
    return f"postgresql+psycopg://dateline:{SECRET}@127.0.0.1:{free_port()}/dateline"


def no_such_host(_: Path, __: Cluster) -> str:
    return f"postgresql+psycopg://dateline:{SECRET}@record.invalid/dateline"


def no_such_socket(folder: Path, _: Cluster) -> str:
    return f"postgresql+psycopg://dateline:{SECRET}@/dateline?host={folder}"


def an_option_that_is_none(_: Path, cluster: Cluster) -> str:
    return f"{cluster.url('postgres')}&sslmood=require"


NOT_ALLOWED = "see record_url (name, password, database), and our rights there"
AWAY = "is PostgreSQL running, and is record_url right?"
DAMAGED = "see record_url, or move it away and `dateline record restore` a backup"
LASTING: dict[Callable[[Path, Cluster], str], str] = {
    a_folder: "see the rights of its file and folder",
    a_text: DAMAGED,
    half_a_database: DAMAGED,
    of_the_future: "start the release that upgraded the record, or a later one",
    of_another_program: "run `dateline record upgrade`, if that is where it should be",
    no_such_database: NOT_ALLOWED,
    no_such_role: NOT_ALLOWED,
    a_wrong_password: NOT_ALLOWED,
    no_password: NOT_ALLOWED,
    an_option_that_is_none: NOT_ALLOWED,
}
PASSING = {nobody_listens: AWAY, no_such_host: AWAY, no_such_socket: AWAY}


def named(function: object) -> str:
    return getattr(function, "__name__", "")


@pytest.mark.parametrize(("where", "advice"), (LASTING | PASSING).items(), ids=named)
def test_a_command_says_in_one_line_what_to_do(
    where: Callable[[Path, Cluster], str], advice: str, tmp_path: Path, cluster: Cluster
) -> None:
    done = dateline("record", "status", variables={"DATELINE_RECORD_URL": where(tmp_path, cluster)})
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("dateline: the record")
    assert done.stderr.endswith(f"{advice}\n")
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "connection failed: server does not support SSL, but SSL was required",
        'root certificate file "/etc/dateline/ca.pem" does not exist',
        "connection failed: SSL error: certificate verify failed",
        'server certificate for "db" does not match host name "record"',
        'invalid port number: "54x32"',
    ],
)
def test_tls_that_fails_is_for_people_to_mend(message: str) -> None:
    assert kind(psycopg.OperationalError(message)) == "refused"


@pytest.mark.parametrize("where", LASTING, ids=named)
def test_no_process_starts_on_it(
    where: Callable[[Path, Cluster], str], tmp_path: Path, cluster: Cluster, redis_url: str
) -> None:
    variables = {"DATELINE_RECORD_URL": where(tmp_path, cluster), "DATELINE_REDIS_URL": redis_url}
    done = dateline("worker", "--unsafe-redis", variables=variables)
    *warnings, line = done.stderr.splitlines()
    assert done.returncode == 1
    assert all("redis_unsafe" in warning for warning in warnings)
    assert line.startswith("dateline: the record")
    assert line.endswith(LASTING[where])


@pytest.mark.parametrize("where", [a_folder, a_text, of_the_future, of_another_program, a_wrong_password], ids=named)
def test_an_upgrade_changes_nothing_that_is_not_ours(
    where: Callable[[Path, Cluster], str], tmp_path: Path, cluster: Cluster
) -> None:
    url = where(tmp_path, cluster)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    done = dateline("record", "upgrade", variables={"DATELINE_RECORD_URL": url})
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("dateline: ")
    kept = {path: path.read_bytes() for path in before}
    assert all(kept[path][100:] == content[100:] for path, content in before.items())
