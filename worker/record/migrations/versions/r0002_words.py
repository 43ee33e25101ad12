"""Articles are found by their words, by edition and among the killed; what may quote an article is found by its id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of words and the indexes, and have all articles indexed that are there already."""
    op.create_table(
        "article_words",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="when it was published, times 2^14, and on",
        ),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_article_words"),
        sa.UniqueConstraint("article_id", name="uq_article_words_article_id"),
        comment="By which words articles are found. SQLite has the index of them in article_index (search.py)",
    )
    op.create_table(
        "unindexed",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name="pk_unindexed"),
        comment="Articles that have changed, and whose words are not in the index yet",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_article_words_words", "article_words", ["words"], unique=False, postgresql_using="gin")
    else:
        # The words are cut and folded by us: between spaces, this tokenizer changes nothing in them (fts5, section 4.3.2).
        op.execute("CREATE VIRTUAL TABLE article_index USING fts5(words, content='', columnsize=0, tokenize='ascii')")
    killed = sa.text("pubstatus = 'canceled'")
    op.create_index(
        "ix_articles_killed",
        "articles",
        ["published", "article_id"],
        unique=False,
        sqlite_where=killed,
        postgresql_where=killed,
    )
    op.create_index("ix_articles_edition", "articles", ["edition", "published", "article_id"], unique=False)
    rejected = sa.text("result = 'rejected'")
    op.create_index(
        "ix_events_rejected", "events", ["number"], unique=False, sqlite_where=rejected, postgresql_where=rejected
    )
    quotes = sa.text("answer != '' OR error != ''")
    op.create_index(
        "ix_attempts_article_id", "attempts", ["article_id"], unique=False, sqlite_where=quotes, postgresql_where=quotes
    )
    refused = sa.text("state = 'refused'")
    op.create_index(
        "ix_deliveries_refused",
        "deliveries",
        ["endpoint", "sent"],
        unique=False,
        sqlite_where=refused,
        postgresql_where=refused,
    )
    op.execute("INSERT INTO unindexed (article_id) SELECT article_id FROM articles WHERE document IS NOT NULL")
