"""Formats of the newsroom's own are made over the API too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "managed_formats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False, comment="as JSON"),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column(
            "revision",
            sa.BigInteger(),
            nullable=False,
            comment="of the management, with its last change",
        ),
        sa.PrimaryKeyConstraint("name", name="pk_managed_formats"),
        comment="Formats of the newsroom's own that are not from a settings file",
    )
