"""Partners, managed endpoints, keys, people and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, and the row that whoever changes them locks."""
    op.create_table(
        "management",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="raised by every change"),
        sa.Column("token", sa.Text(), nullable=False, comment="of that change, which no other one has"),
        sa.Column("entries", sa.BigInteger(), nullable=False, comment="how many entries the audit has"),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="of the last one"),
        sa.PrimaryKeyConstraint("name", name="pk_management"),
        comment="One row, `all`: which state the tables of management have. Whoever changes any of them locks it first",
    )
    op.create_table(
        "partners",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False, comment="title, contacts, notes, rights, as JSON"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of the management, with its last change"),
        sa.PrimaryKeyConstraint("name", name="pk_partners"),
        comment="The contracted parties",
    )
    op.create_table(
        "managed_endpoints",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=True, comment="whose it is; none: nobody's by name"),
        sa.Column("settings", sa.Text(), nullable=False, comment="as JSON, without secrets"),
        sa.Column("secrets", sa.Text(), nullable=False, comment="field -> sealed value, as JSON"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column(
            "removed",
            sa.BigInteger(),
            nullable=True,
            comment="when it was removed; a while later its secrets are erased",
        ),
        sa.Column(
            "old_secret_until",
            sa.BigInteger(),
            nullable=True,
            comment="until when its old secret signs beside the new one",
        ),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of the management, with its last change"),
        sa.PrimaryKeyConstraint("name", name="pk_managed_endpoints"),
        comment="Endpoints that are not from a settings file",
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the key, which is not kept"),
        sa.Column("scopes", sa.Text(), nullable=False, comment="as JSON"),
        sa.Column("bounds", sa.Text(), nullable=False, comment="feeds, partners and adapters that it is for, as JSON"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.Column("last_used", sa.BigInteger(), nullable=True, comment="to the minute"),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of the management, with its last change"),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.UniqueConstraint("digest", name="uq_keys_digest"),
        comment="API keys",
    )
    op.create_table(
        "people",
        sa.Column("name", sa.Text(), nullable=False, comment="by which somebody signs in"),
        sa.Column("role", sa.Text(), nullable=False, comment="viewer, desk, operator or admin"),
        sa.Column("password", sa.Text(), nullable=True, comment="its argon2id hash"),
        sa.Column(
            "subject", sa.Text(), nullable=True, comment="who it is to the OpenID provider: issuer, a space, subject"
        ),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of the management, with the last change"),
        sa.PrimaryKeyConstraint("name", name="pk_people"),
        comment="The people who may sign in",
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False, comment="without gaps"),
        sa.Column("entry_id", sa.Text(), nullable=False, comment="so that noting it again changes nothing"),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="key:NAME, user:NAME, file, shell:USER"),
        sa.Column("action", sa.Text(), nullable=False, comment="endpoint.changed, key.revoked, ..."),
        sa.Column("target", sa.Text(), nullable=False, comment="on what: a name or an id"),
        sa.Column("address", sa.Text(), nullable=False, comment="from where"),
        sa.Column("old", sa.Text(), nullable=False, comment="as JSON, without secrets"),
        sa.Column("new", sa.Text(), nullable=False, comment="as JSON, without secrets"),
        sa.Column("former", sa.String(length=64), nullable=False, comment="hash of the entry before"),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of all the others, as canonical JSON"),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
        sa.UniqueConstraint("entry_id", name="uq_audit_entry_id"),
        comment="What people and keys have changed, each entry with the hash of the one before",
    )
    op.create_index("ix_audit_time", "audit", ["time"], unique=False)
    op.create_index("ix_audit_actor", "audit", ["actor", "number"], unique=False)
    op.create_index("ix_audit_target", "audit", ["target", "number"], unique=False)
    management = sa.table("management", *(sa.column(name) for name in ("name", "revision", "token", "entries", "hash")))
    op.execute(sa.insert(management).values(name="all", revision=0, token="", entries=0, hash="0" * 64))
