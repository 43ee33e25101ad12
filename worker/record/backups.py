"""A copy of the record in a file, made while everything runs, and the way back.

Of SQLite it is made by its backup interface, of PostgreSQL by pg_dump. A copy has its name only when it is whole.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from sqlalchemy import URL, text

from worker.record import connections
from worker.record.agreement import note_restored
from worker.record.schema import SCHEMA_TABLE, UnfitRecord, see_that_it_is_not_newer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.record import Record


_ENDING_SECONDS = 2.0
"""For so long PostgreSQL may go on showing a session that has ended, ours for one."""
_OUR_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = :name AND pid <> pg_backend_pid()"
)


class BackupFailed(Exception):
    """A copy can't be made or restored; the message says in one line why, and what to do."""


def back_up(record: Record, copy: Path) -> None:
    """Write what the record holds at this moment to the new file `copy`, which only we may read.

    Nobody is kept waiting by it. Raises BackupFailed, UnfitRecord, and errors of the database.
    """
    if record.schema() is None:
        raise UnfitRecord("the record has no tables yet: there is nothing to back up")
    part = copy.absolute().with_name(f"{copy.name}.part")
    try:
        if copy.exists():
            raise BackupFailed(f"{copy} is there already: name another file")
        part.unlink(missing_ok=True)
        connections.create_file(part)
        if record.file is not None:
            _copy(record.file, part)
        else:
            _run(record, ["pg_dump", "--format=custom", f"--file={part}"])
        _see_to_disk(part)
        part.rename(copy)
    except OSError as error:
        raise BackupFailed(f"can't write {copy}: {error.strerror}") from error
    finally:
        # On a disk that is full it would be in the way of what goes on running.
        with suppress(OSError):
            part.unlink(missing_ok=True)


def restore(record: Record, copy: Path, *, replace: bool) -> None:
    """Make the record what `copy` holds, as a whole or not at all. Nothing may be running on it.

    `replace`: also when it holds something, which is lost. Raises BackupFailed, UnfitRecord, errors of the database.
    """
    try:
        there = copy.is_file()
    except OSError as error:
        raise BackupFailed(f"can't read {copy}: {error.strerror}") from error
    if not there:
        raise BackupFailed(f"there is no file {copy}")
    if record.schema() is not None and not replace:
        raise BackupFailed(
            f"there is a record at {record.address}: with --replace it is lost, and the backup takes its place"
        )
    if record.file is None:
        _see_that_nobody_is_there(record)
        names = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
        _run(record, ["pg_restore", *names, str(copy.absolute())])
    else:
        see_that_it_is_not_newer(_schema_of(copy))
        record.close()
        try:
            connections.create_file(record.file)
        except OSError as error:
            raise BackupFailed(f"can't write {record.file}: {error.strerror}") from error
        _put_back(copy, record.file)
    # What has happened since is in Redis: whoever works with both next notes it once more.
    with record.write() as connection:
        note_restored(connection)


def _copy(file: Path, part: Path) -> None:
    with closing(connections.open_file(file)) as source, closing(connections.open_file(part)) as target:
        # All at once: in the write-ahead log a reader sees one moment and is in nobody's way, while a backup that goes
        # by steps begins anew with every commit (sqlite.org/backup.html).
        source.backup(target)
        # One file, that can be moved without the log beside it.
        target.execute("PRAGMA journal_mode=DELETE").close()
        _see_that_it_is_whole(target, file)


def _put_back(copy: Path, file: Path) -> None:
    with closing(_opened_for_reading(copy)) as source, closing(connections.open_file(file, 0)) as target:
        _see_that_it_is_whole(source, copy)
        # Whoever has it open, also without doing anything, keeps this from being had (sqlite.org/wal.html, 6).
        target.execute("PRAGMA locking_mode=EXCLUSIVE").close()
        try:
            target.execute("BEGIN EXCLUSIVE").close()
            target.execute("ROLLBACK").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise BackupFailed(f"{file} is in use: stop Dateline first") from error
        target.execute("PRAGMA journal_mode=DELETE").close()
        source.backup(target)


def _see_that_nobody_is_there(record: Record) -> None:
    """Raise BackupFailed while processes of ours are connected to PostgreSQL: pg_restore would wait for them."""
    record.close()
    deadline = time.monotonic() + _ENDING_SECONDS
    while True:
        with record.any_schema() as connection:
            sessions = connection.scalar(text(_OUR_SESSIONS), {"name": connections.APPLICATION})
        if not sessions:
            break
        if time.monotonic() > deadline:
            raise BackupFailed(f"{record.address} is in use: stop Dateline first")
        time.sleep(0.05)
    record.close()


def _opened_for_reading(copy: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)


def _schema_of(copy: Path) -> str:
    """The schema of a copy. Raises UnfitRecord when it is none of a record, and sqlite3.Error."""
    with closing(_opened_for_reading(copy)) as source:
        try:
            listed = source.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", [SCHEMA_TABLE]).fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_NOTADB:
                raise
            raise UnfitRecord(f"{copy} is no backup of a record") from error
        if listed is None:
            raise UnfitRecord(f"{copy} is no backup of a record")
        (schema,) = source.execute(f"SELECT version_num FROM {SCHEMA_TABLE}").fetchone()  # noqa: S608 (a name of ours)
        return str(schema)


def _see_that_it_is_whole(database: sqlite3.Connection, file: Path) -> None:
    (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise BackupFailed(f"{file} is damaged ({answer.splitlines()[0]}): take an earlier backup")


def _see_to_disk(file: Path) -> None:
    for path, flags in ((file, os.O_RDWR), (file.parent, os.O_RDONLY)):
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _run(record: Record, command: Sequence[str]) -> None:
    """Run a tool of PostgreSQL on the record's database; its password goes by the environment, where nobody sees it."""
    program, *options = command
    url = record.url
    # Made anew: of a URL that has a password, `set` takes none away.
    bare = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    address = bare.render_as_string()
    path = shutil.which(program)
    if path is None:
        raise BackupFailed(
            f"there is no {program} on this machine: install PostgreSQL's client (Debian: postgresql-client), "
            f"or run on one that has it: {program} {' '.join(options)} --dbname={address}"
        )
    environ = {**os.environ, "LC_MESSAGES": "C", **({"PGPASSWORD": url.password} if url.password else {})}
    done = subprocess.run(  # noqa: S603 (a program of the system, with an address from the settings)
        [path, *options, "--no-password", f"--dbname={address}"],
        env=environ,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"it ended with {done.returncode}"]
        raise BackupFailed(lines[0] if lines[0].startswith(program) else f"{program}: {lines[0]}")
