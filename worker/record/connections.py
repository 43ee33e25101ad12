"""Connections to the record's database, and how each of them is set before it is used."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from worker.record.database_errors import READ_ONLY, kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.pool import ConnectionPoolEntry

Synchronous = Literal["full", "normal"]
"""What a commit waits for: `full`, that it is on the disk; `normal`, nothing: a power cut may cost the last ones."""

Sync = Literal["commit", "after", "never"]
"""When a transaction waits for the disk: as it commits; right after that, when nobody waits for its lock any longer;
not at all, because a power cut that costs it does no harm. Others may see the latter two before they are there."""

APPLICATION = "dateline"
"""What our sessions are called on a PostgreSQL server."""
WAIT_SECONDS = 5.0
"""How long a call waits for a lock that another process holds."""
_CONNECT_SECONDS = 5
_SILENT_MS = 10_000
"""A server that is gone without a word is given up after this."""
_LOOK_SECONDS = 0.0005, 0.01
"""How soon it is looked again whether a SQLite file can be written: at first, and at last."""
WRITES = "dateline_writes"
"""Execution option of a connection whose transaction will write: its `Sync`."""


def connect(url: URL, *, synchronous: Synchronous, wait_seconds: float) -> Engine:
    """Return an engine, which connects when first used."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(sqlite_file(url), synchronous, wait_seconds)
    return _postgresql(url, synchronous, wait_seconds)


def sqlite_file(url: URL) -> Path:
    """The file of a SQLite record."""
    assert url.database
    return Path(url.database).absolute()


def create_file(file: Path) -> None:
    """Make an empty file for a SQLite record that only we may read, unless it is there. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


def open_file(file: Path, wait_seconds: float = WAIT_SECONDS) -> sqlite3.Connection:
    """Open a SQLite file that is there. Transactions are begun by whoever uses it. Raises sqlite3.Error."""
    return sqlite3.connect(
        f"{file.as_uri()}?mode=rw", timeout=wait_seconds, isolation_level=None, check_same_thread=False, uri=True
    )


def sync_log(file: Path) -> None:
    """Wait until what was committed to a SQLite file is on the disk. Raises sqlite3.OperationalError.

    That is in its write-ahead log, which SQLite reads and locks by no file descriptor that another one could disturb;
    when it is not there, or begins anew, SQLite has brought all of it to the disk before (sqlite.org/wal.html).
    """
    try:
        log = os.open(f"{file}-wal", os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        getattr(os, "fdatasync", os.fsync)(log)
    except OSError as error:
        failure = sqlite3.OperationalError(f"disk I/O error: {error.strerror}")
        failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise failure from error
    finally:
        os.close(log)


def _sqlite(file: Path, synchronous: Synchronous, wait_seconds: float) -> Engine:
    engine = create_engine(
        "sqlite://", creator=lambda: open_file(file, wait_seconds), poolclass=QueuePool, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        entry.info["writes"] = synchronous, wait_seconds
        # secure_delete: what is forgotten is overwritten, not only unlinked.
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Who will write says so at once: a transaction that has read and then writes is refused when another one has
        # written in between, without waiting (sqlite.org/lang_transaction.html).
        sync: Sync | None = connection.get_execution_options().get(WRITES)
        if sync is not None:
            _set_to_write(connection, synchronous if sync == "commit" else "normal")
            _begin_to_write(connection.exec_driver_sql, wait_seconds)
        else:
            _set(connection, "busy_timeout", str(round(wait_seconds * 1000)))
            connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def sqlite_transaction(connection: Connection) -> Iterator[sqlite3.Connection]:
    """A transaction that writes and waits for the disk as it commits, on the driver's connection under one of ours.

    It does what `Connection.begin` does, in a third of the time: SQLAlchemy makes some objects for each statement, also
    for BEGIN and COMMIT, and whoever sends an event waits for them. Raises SQLAlchemyError.
    """
    driver: Any = connection.connection.driver_connection
    synchronous, wait_seconds = connection.connection.info["writes"]
    try:
        _set_to_write(connection, synchronous)
        _begin_to_write(driver.execute, wait_seconds)
        try:
            yield driver
            driver.execute("COMMIT")
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise DBAPIError.instance(None, None, error, sqlite3.Error) from error


def _set_to_write(connection: Connection, synchronous: str) -> None:
    _set(connection, "synchronous", synchronous)
    # SQLite itself looks again after up to 0.1 s, and a commit takes a few milliseconds.
    _set(connection, "busy_timeout", "0")


def _set(connection: Connection, pragma: str, value: str) -> None:
    """Set a pragma of a connection, if it is not set so already: most connections do the same over and over."""
    pragmas: dict[str, str] = connection.connection.info.setdefault("pragmas", {})
    if pragmas.get(pragma) != value:
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA {pragma}={value}").close()
        pragmas[pragma] = value


def _begin_to_write(execute: Callable[[str], object], wait_seconds: float) -> None:
    """Begin a transaction that writes, as soon as whoever writes just now has committed."""
    end = time.monotonic() + wait_seconds
    pause = _LOOK_SECONDS[0]
    while True:
        try:
            execute("BEGIN IMMEDIATE")
        except (OperationalError, sqlite3.OperationalError) as error:
            if kind(error) != "locked" or time.monotonic() > end:
                raise
        else:
            return
        time.sleep(pause)
        pause = min(1.5 * pause, _LOOK_SECONDS[1])


def _postgresql(url: URL, synchronous: Synchronous, wait_seconds: float) -> Engine:
    options = [f"-c lock_timeout={round(wait_seconds * 1000)}"]
    if synchronous == "normal":
        options.append("-c synchronous_commit=off")
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": _SILENT_MS,
            "application_name": APPLICATION,
            "options": " ".join([*filter(None, [_option(url)]), *options]),
        },
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A server holds up nobody while it waits for its disk, so `after` is when it commits.
        if connection.get_execution_options().get(WRITES) == "never":
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    @event.listens_for(engine, "handle_error")
    def leave_a_standby(context: ExceptionContext) -> None:
        # Who was the primary is a standby by now: a new connection may lead to the new primary.
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
            context.is_disconnect = True

    return engine


def _option(url: URL) -> str:
    """What the URL itself says in `options`."""
    value = url.query.get("options", "")
    return value if isinstance(value, str) else " ".join(value)
