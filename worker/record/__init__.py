"""What has happened, for good: an SQL database, SQLite or PostgreSQL.

The record decides nothing, and knows nothing of Redis. It is given the times. Whoever writes does all that belongs
together in one transaction, which is there as a whole or not at all.

Its errors are those of SQLAlchemy; `database_errors` says what each means. Whoever must not be held up by it asks
`Record.availability`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import URL, event, make_url

from worker.record import connections, schema
from worker.record.availability import Availability
from worker.record.connections import WAIT_SECONDS, WRITES, Sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

    from worker.record.connections import Synchronous

_LOG_WAIT_MS = 100
"""How long those who write may wait because others read while the write-ahead log is to be emptied."""


class Record:
    """The record, behind one pool of connections. Threads may share it, processes may not."""

    def __init__(self, engine: Engine, url: URL, synchronous: Synchronous) -> None:
        self.url = url
        self._engine = engine
        self._synchronous = synchronous
        self._writing = {sync: engine.execution_options(**{WRITES: sync}) for sync in get_args(Sync)}
        self._fits = False
        self._closed = False
        self.availability = Availability(self)
        event.listen(engine, "checkin", self._let_go)

    @classmethod
    def connect(cls, url: str, *, synchronous: Synchronous = "full", wait_seconds: float = WAIT_SECONDS) -> Record:
        """Return the record at `url` (sqlite:///PATH or postgresql+psycopg://...). Connects when first used.

        `synchronous`: what a commit waits for. `wait_seconds`: how long a call waits for a lock of somebody else.
        """
        address = make_url(url)
        return cls(
            connections.connect(address, synchronous=synchronous, wait_seconds=wait_seconds), address, synchronous
        )

    @classmethod
    def embedded(
        cls, data_dir: Path, *, synchronous: Synchronous = "full", wait_seconds: float = WAIT_SECONDS
    ) -> Record:
        """Return the record of an installation that names none: `record.db` in its data directory."""
        address = URL.create("sqlite", database=str(data_dir.absolute() / "record.db"))
        return cls(
            connections.connect(address, synchronous=synchronous, wait_seconds=wait_seconds), address, synchronous
        )

    @property
    def address(self) -> str:
        """Where it is, without the password, for people."""
        return self.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The file of a record on SQLite."""
        return connections.sqlite_file(self.url) if self.url.get_backend_name() == "sqlite" else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Return a connection that sees one moment of the record, whatever is written meanwhile (on SQLite).

        Raises UnfitRecord unless the record has our schema, which is looked at when it is used first.
        """
        self._see_that_it_fits_at_first()
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, sync: Sync = "commit") -> Iterator[Connection]:
        """Return a connection in a transaction that is committed at the end, or undone when something is raised.

        `sync`: when it waits for the disk. Raises UnfitRecord as `read` does.
        """
        self._see_that_it_fits_at_first()
        with self._writing[sync].begin() as connection:
            yield connection
        if sync == "after" and self._synchronous == "full" and self.file is not None:
            connections.sync_log(self.file)

    def lasting_connection(self) -> Connection:
        """Return a connection for many short transactions that write, which are begun on it; its caller closes it.

        On PostgreSQL each statement is a transaction of its own. Raises UnfitRecord as `read` does.
        """
        self._see_that_it_fits_at_first()
        connection = self._writing["commit"].connect()
        return connection if self.file is not None else connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def any_schema(self) -> Iterator[Connection]:
        """Return a connection in a transaction that writes, whatever schema the record has."""
        with self._writing["commit"].begin() as connection:
            yield connection

    def _see_that_it_fits_at_first(self) -> None:
        if not self._fits:
            self.see_that_it_fits()
            self._fits = True

    def schema(self) -> str | None:
        """Return the schema that the record has; None: it has none yet. Makes no file. Raises UnfitRecord."""
        if self.file is not None and not self.file.exists():
            return None
        with self._engine.begin() as connection:
            schema.see_that_the_server_can(connection)
            return schema.schema_of(connection)

    def see_that_it_fits(self) -> None:
        """Raise UnfitRecord, with what to do, unless the record has the schema of this release."""
        schema.see_that_it_fits(self.schema(), self.address)

    def upgrade(self) -> None:
        """Make the record if it is not there, and bring it to our schema: as a whole, or not at all.

        Any number may do so at a time. Raises UnfitRecord when it is of a later release.
        """
        if self.file is not None:
            try:
                connections.create_file(self.file)
            except OSError as error:
                raise schema.UnfitRecord(f"can't make the record {self.file}: {error.strerror}") from error
        with self.any_schema() as connection:
            schema.see_that_the_server_can(connection)
            schema.upgrade(connection)

    @contextmanager
    def outside_transactions(self) -> Iterator[Connection]:
        """Return a connection on which each statement is carried out by itself: for what can be in no transaction."""
        with self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def empty_log(self) -> bool:
        """Put all that is in the write-ahead log of SQLite into the file, and empty the log; False: it is in use."""
        with self.outside_transactions() as connection:
            # Most of it while others go on writing; they wait for the rest, but not for others who read.
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
            wait = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_LOG_WAIT_MS}")
            try:
                busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {wait}")
            return not busy

    def close(self) -> None:
        """Close the connections; those that a thread uses just now when it has done so."""
        self.availability.stop()
        self._closed = True
        self._engine.dispose()

    def _let_go(self, _: Any, connection: ConnectionPoolEntry) -> None:
        if self._closed:
            connection.invalidate()
