"""The tables of the management: who may do what, and who has done what. tables.py has what holds of all."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from worker.record.column_types import Words
from worker.record.metadata import metadata

management = Table(
    "management",
    metadata,
    Column("name", Words, primary_key=True),
    Column("revision", BigInteger, nullable=False, comment="raised by every change"),
    Column("token", Words, nullable=False, comment="of that change, which no other one has"),
    Column("entries", BigInteger, nullable=False, comment="how many entries the audit has"),
    Column("hash", String(64), nullable=False, comment="of the last one"),
    comment="One row, `all`: which state the tables of management have. Whoever changes any of them locks it first",
)

partners = Table(
    "partners",
    metadata,
    Column("name", Words, primary_key=True),
    Column("settings", Words, nullable=False, comment="title, contacts, notes, rights, as JSON"),
    Column("created", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False, comment="of the management, with its last change"),
    comment="The contracted parties",
)

managed_endpoints = Table(
    "managed_endpoints",
    metadata,
    Column("name", Words, primary_key=True),
    Column("partner", Words, comment="whose it is; none: nobody's by name"),
    Column("settings", Words, nullable=False, comment="as JSON, without secrets"),
    Column("secrets", Words, nullable=False, comment="field -> sealed value, as JSON"),
    Column("created", BigInteger, nullable=False),
    Column("removed", BigInteger, comment="when it was removed; a while later its secrets are erased"),
    Column("old_secret_until", BigInteger, comment="until when its old secret signs beside the new one"),
    Column("revision", BigInteger, nullable=False, comment="of the management, with its last change"),
    comment="Endpoints that are not from a settings file",
)

managed_formats = Table(
    "managed_formats",
    metadata,
    Column("name", Words, primary_key=True),
    Column("settings", Words, nullable=False, comment="as JSON"),
    Column("created", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False, comment="of the management, with its last change"),
    comment="Formats of the newsroom's own that are not from a settings file",
)

keys = Table(
    "keys",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("digest", String(64), nullable=False, unique=True, comment="SHA-256 of the key, which is not kept"),
    Column("scopes", Words, nullable=False, comment="as JSON"),
    Column("bounds", Words, nullable=False, comment="feeds, partners and adapters that it is for, as JSON"),
    Column("created", BigInteger, nullable=False),
    Column("created_by", Words, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    Column("last_used", BigInteger, comment="to the minute"),
    Column("revision", BigInteger, nullable=False, comment="of the management, with its last change"),
    comment="API keys",
)

people = Table(
    "people",
    metadata,
    Column("name", Words, primary_key=True, comment="by which somebody signs in"),
    Column("role", Words, nullable=False, comment="viewer, desk, operator or admin"),
    Column("password", Words, comment="its argon2id hash"),
    Column("subject", Words, comment="who it is to the OpenID provider: issuer, a space, subject"),
    Column("created", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False, comment="of the management, with the last change"),
    comment="The people who may sign in",
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="without gaps"),
    Column("entry_id", Words, nullable=False, unique=True, comment="so that noting it again changes nothing"),
    Column("time", BigInteger, nullable=False),
    Column("actor", Words, nullable=False, comment="key:NAME, user:NAME, file, shell:USER"),
    Column("action", Words, nullable=False, comment="endpoint.changed, key.revoked, ..."),
    Column("target", Words, nullable=False, comment="on what: a name or an id"),
    Column("address", Words, nullable=False, comment="from where"),
    Column("old", Words, nullable=False, comment="as JSON, without secrets"),
    Column("new", Words, nullable=False, comment="as JSON, without secrets"),
    Column("former", String(64), nullable=False, comment="hash of the entry before"),
    Column("hash", String(64), nullable=False, comment="SHA-256 of all the others, as canonical JSON"),
    comment="What people and keys have changed, each entry with the hash of the one before",
)
