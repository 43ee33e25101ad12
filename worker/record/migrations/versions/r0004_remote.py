"""The ledger keeps what a destination has to remember of an article: names or ids of what lies at the partner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; of what was sent before, there is nothing to remember."""
    op.add_column(
        "deliveries",
        sa.Column(
            "remote", sa.Text(), server_default="", nullable=False, comment="what the destination has to remember of it"
        ),
    )
