"""The record keeps of each attempt how long its parts took, and the header lines that were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_COLUMNS = {
    "phases": "how long its parts took, in microseconds",
    "request": "its headers: request_headers.py",
}


def upgrade() -> None:
    """Add the columns; of earlier attempts nothing of this is known."""
    op.create_table(
        "request_headers",
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.Column(
            "lines",
            sa.Text(),
            nullable=False,
            comment="without secrets, and without the values that differ each time",
        ),
        sa.PrimaryKeyConstraint("digest"),
        comment="Header lines that many attempts have alike",
    )
    for name, comment in _COLUMNS.items():
        op.add_column("attempts", sa.Column(name, sa.Text(), server_default="", nullable=False, comment=comment))
