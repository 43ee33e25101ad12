"""Articles are found by section and author; of feeds it is kept how many subscribers the services that read them tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables. Articles that are there already are gone through later, a few at a time (terms.py)."""
    op.create_table(
        "article_terms",
        sa.Column("field", sa.Text(), nullable=False, comment="section or author"),
        sa.Column("term", sa.Text(), nullable=False, comment="folded; an article without a section has an empty one"),
        sa.Column("published", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False, comment="as it stands in the article"),
        sa.PrimaryKeyConstraint("field", "term", "published", "article_id", name="pk_article_terms"),
        comment="In which section articles are and who wrote them, so that they are found by it. Not of killed ones",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_article_terms_article_id", "article_terms", ["article_id"], unique=False)
    op.create_table(
        "feed_readers",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False, comment="since 1970, by UTC"),
        sa.Column("format", sa.Text(), nullable=False, comment="of the document: each has subscribers of its own"),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("subscribers", sa.BigInteger(), nullable=False, comment="most that it told on that day"),
        sa.PrimaryKeyConstraint("feed", "day", "format", "reader", name="pk_feed_readers"),
        comment="How many subscribers of feeds the services that read them tell",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_feed_readers_day", "feed_readers", ["day"], unique=False)
    # Where there are articles, the ids up to which they were gone through; nothing is left to do where it is missing.
    op.execute("INSERT INTO meta (name, value) SELECT 'terms_up_to', '' WHERE EXISTS (SELECT 1 FROM articles)")
