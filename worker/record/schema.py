"""Which schema a record has, whether it is ours, and how it becomes ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, String, Table, inspect, select, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

SCHEMA = "0007"
"""The schema that this release works on: the newest file in migrations/versions."""
SCHEMA_TABLE = "dateline_schema"
"""Where Alembic keeps which schema a database has. Its name tells a record from any other database."""
_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x646174656C696E65
"""Of PostgreSQL's advisory locks the one under which a schema is upgraded: "dateline" in ASCII."""

_schema = Table(SCHEMA_TABLE, MetaData(), Column("version_num", String(32)))


class UnfitRecord(Exception):
    """The record can't be worked on; the message says in one line why, and what to do."""


def schema_of(connection: Connection) -> str | None:
    """Return the schema of the record; None: it has none yet."""
    if not inspect(connection).has_table(SCHEMA_TABLE):
        return None
    version: str | None = connection.scalar(select(_schema.c.version_num))
    return version


def see_that_it_fits(schema: str | None, address: str) -> None:
    """Raise UnfitRecord unless the schema of the record at `address` is that of this release."""
    see_that_it_is_not_newer(schema)
    if schema is None:
        raise UnfitRecord(
            f"the record {address} has no tables yet: run `dateline record upgrade`, if that is where it should be"
        )
    if schema != SCHEMA:
        raise UnfitRecord(
            f"the record has schema {schema}, this Dateline works on {SCHEMA}: run `dateline record upgrade`"
        )


def see_that_it_is_not_newer(schema: str | None) -> None:
    """Raise UnfitRecord when a schema is of a later release."""
    # Migrations are numbered with four digits, so the order of their names is that of time.
    if schema is not None and schema > SCHEMA:
        raise UnfitRecord(
            f"the record has schema {schema}, and this is an older Dateline, which knows up to {SCHEMA}: "
            "start the release that upgraded the record, or a later one"
        )


def upgrade(connection: Connection) -> None:
    """Bring the record to our schema within the transaction that `connection` is in. Raises UnfitRecord when newer."""
    if connection.dialect.name == "postgresql":
        # Two upgrades at a time: the second one finds everything done. On SQLite the transaction is the lock.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    schema = schema_of(connection)
    see_that_it_is_not_newer(schema)
    if schema == SCHEMA:
        return
    from alembic import command  # noqa: PLC0415 (takes a while, and only this needs it)
    from alembic.config import Config  # noqa: PLC0415 (as above)

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, SCHEMA)


def see_that_the_server_can(connection: Connection) -> None:
    """Raise UnfitRecord when PostgreSQL is too old, or its database can't hold every text."""
    if connection.dialect.name != "postgresql":
        return
    version = connection.scalar(text("SHOW server_version"))
    if (connection.dialect.server_version_info or ()) < (15,):
        raise UnfitRecord(f"the record is on PostgreSQL {version}: Dateline needs 15 or newer")
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise UnfitRecord(
            f"the record's database has encoding {encoding}: make one with `createdb --encoding=UTF8 "
            "--template=template0 NAME`, and name it in record_url"
        )
