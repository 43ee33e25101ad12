"""The first schema: events, revisions, articles, who has what, where receivers stand."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and give the record an epoch."""
    op.create_table(
        "articles",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.Text(), nullable=False, comment="which save of the store this is"),
        sa.Column(
            "saves",
            sa.BigInteger(),
            nullable=False,
            comment="how often it was saved by then: orders the states of a row",
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the document"),
        sa.Column("pubstatus", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), server_default="", nullable=False),
        sa.Column("headline", sa.Text(), server_default="", nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "document", sa.LargeBinary(), nullable=True, comment="the article as JSON; none when its text was forgotten"
        ),
        sa.Column("fingerprints", sa.Text(), server_default="", nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True, comment="when its visibility changes next by itself"),
        sa.PrimaryKeyConstraint("article_id", name="pk_articles"),
        comment="The articles as they are now",
    )
    op.create_index("ix_articles_accepted", "articles", ["accepted"], unique=False)
    op.create_index(
        "ix_articles_due",
        "articles",
        ["due"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.create_index("ix_articles_published", "articles", ["published", "article_id"], unique=False)
    op.create_index("ix_articles_url", "articles", ["url"], unique=False, postgresql_using="hash")
    op.create_table(
        "attempts",
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False, comment="empty: a push of the whole feed"),
        sa.Column("message_id", sa.Text(), nullable=False, comment="empty: our own gate kept it back"),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False, comment="of HTTP; 0: no answer"),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False, comment="its beginning"),
        sa.PrimaryKeyConstraint("receiver", "time", "article_id", "message_id", name="pk_attempts"),
        comment="Every try to bring a receiver up to date",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_attempts_time", "attempts", ["time"], unique=False)
    op.create_table(
        "definition_epochs",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="of the whole set"),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="pk_definition_epochs"),
        comment="Sets of feed definitions, in the order in which they came",
    )
    op.create_table(
        "deliveries",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False, comment="published, corrected, killed or withdrawn"),
        sa.Column("state", sa.Text(), nullable=False, comment="trying: sent, outcome unknown; taken; refused"),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the body"),
        sa.Column("taken", sa.BigInteger(), nullable=True, comment="when the endpoint took it first"),
        sa.Column(
            "sent",
            sa.BigInteger(),
            nullable=False,
            comment="when it was sent last: the newest of an article is what holds",
        ),
        sa.PrimaryKeyConstraint("endpoint", "feed", "article_id", "version", "action", name="pk_deliveries"),
        comment="The ledger: who was sent which version of what, and what they hold",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deliveries_article_id", "deliveries", ["article_id"], unique=False)
    op.create_index("ix_deliveries_taken", "deliveries", ["endpoint", "taken"], unique=False)
    op.create_table(
        "endpoints",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.BigInteger(), nullable=True, comment="since when; none: it is not"),
        sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="why it is paused"),
        sa.Column(
            "since",
            sa.BigInteger(),
            nullable=True,
            comment="the change after which it came: of earlier ones it gets nothing",
        ),
        sa.PrimaryKeyConstraint("feed", "endpoint", name="pk_endpoints"),
        comment="Where the partners' endpoints stand",
    )
    op.create_table(
        "events",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="the order in which they were accepted",
        ),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="of the body: another body under the same id is another event",
        ),
        sa.Column(
            "reinstatement",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="of a kill, the id of the event that reinstated its article last: a later kill is new",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="kill, reinstatement, or empty"),
        sa.Column(
            "article_id",
            sa.Text(),
            nullable=True,
            comment="of a kill or a reinstatement; of others once they are carried out",
        ),
        sa.Column(
            "body", sa.LargeBinary(), nullable=True, comment="the JSON of the event; none when the text was forgotten"
        ),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False, comment="post, cli, xadd, celery, ..."),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "stream_entry", sa.Text(), nullable=True, comment="where Redis has it; none: it has still to be appended"
        ),
        sa.Column("done", sa.BigInteger(), nullable=True, comment="when it was carried out; none: it was not"),
        sa.Column(
            "result",
            sa.Text(),
            nullable=True,
            comment="published, corrected, killed, held, duplicate, stale, conflict, rejected, ...",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was rejected or set aside"),
        sa.Column("version", sa.BigInteger(), nullable=True, comment="the revision that it made"),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
        sa.UniqueConstraint("event_id", "digest", "reinstatement", name="uq_events_event_id_digest_reinstatement"),
        comment="Accepted events, with what became of them",
    )
    op.create_index("ix_events_accepted", "events", ["accepted"], unique=False)
    op.create_index("ix_events_article_id", "events", ["article_id"], unique=False)
    op.create_index(
        "ix_events_to_append",
        "events",
        ["number"],
        unique=False,
        sqlite_where=sa.text("stream_entry IS NULL"),
        postgresql_where=sa.text("stream_entry IS NULL"),
    )
    op.create_index(
        "ix_events_to_carry_out",
        "events",
        ["number"],
        unique=False,
        sqlite_where=sa.text("done IS NULL"),
        postgresql_where=sa.text("done IS NULL"),
    )
    op.create_table(
        "lists",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("microseconds", sa.BigInteger(), nullable=False, comment="as of when it was set, since 1970"),
        sa.Column("articles", sa.Text(), nullable=False, comment="their ids in order, as JSON"),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lists"),
        comment="Curated lists",
    )
    op.create_table(
        "memberships",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="in, out, killed or early"),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column(
            "decided", sa.BigInteger(), nullable=False, comment="as of when; with the version it orders decisions"
        ),
        sa.Column("place", sa.BigInteger(), nullable=False, comment="by which the feed is ordered"),
        sa.Column(
            "sequence", sa.BigInteger(), nullable=False, comment="of its latest change; 0: it was pushed to nobody"
        ),
        sa.Column("last_sequence", sa.BigInteger(), nullable=True, comment="that it had until it left"),
        sa.Column("unseen", sa.Boolean(create_constraint=False), server_default=sa.text("(false)"), nullable=False),
        sa.PrimaryKeyConstraint("feed", "article_id", name="pk_memberships"),
        comment="Which articles are and were in which feeds",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_memberships_article_id", "memberships", ["article_id"], unique=False)
    op.create_index("ix_memberships_changes", "memberships", ["feed", "state", "sequence"], unique=False)
    op.create_index("ix_memberships_window", "memberships", ["feed", "state", "place"], unique=False)
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
        comment="What there is once. `epoch`: a number and what no other record has; Redis has it too, which shows whether Redis and the record belong together. `authority`: under which ids of entries were first given. `restored`: a backup was restored, and nobody has noticed yet",
    )
    op.create_table(
        "page_checks",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="in which it was killed"),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="when it was killed"),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False, comment="when the last look began; 0: never"),
        sa.Column("verdict", sa.Text(), nullable=False, comment="gone, there, unproven, or empty"),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("alarmed", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True, comment="the next look; none: it is done with"),
        sa.PrimaryKeyConstraint("feed", "endpoint", "article_id", "version", name="pk_page_checks"),
        comment="Read-backs: what was seen on the pages of killed articles",
    )
    op.create_table(
        "parked",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Text(), nullable=False, comment="the one that was refused, as JSON"),
        sa.PrimaryKeyConstraint("feed", "endpoint", "article_id", name="pk_parked"),
        comment="Articles that are set aside for an endpoint",
    )
    op.create_table(
        "pattern_feeds",
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="as it stands in the feed's name"),
        sa.Column("written", sa.Text(), nullable=False, comment="as an article first wrote it"),
        sa.PrimaryKeyConstraint("pattern", "value", name="pk_pattern_feeds"),
        comment="The feeds that patterns of feeds have made",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "positions",
        sa.Column("name", sa.Text(), nullable=False, comment="a stream of Redis, or a feed"),
        sa.Column("position", sa.Text(), nullable=False, comment="the entry noted last, or the feed's head"),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_positions"),
        comment="How far Redis has been noted: a Redis that is not so far has lost time",
    )
    op.create_table(
        "revisions",
        sa.Column("article_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the document"),
        sa.Column("pubstatus", sa.Text(), nullable=False),
        sa.Column(
            "document",
            sa.LargeBinary(),
            nullable=True,
            comment="the article as JSON; none when the text was killed or forgotten",
        ),
        sa.Column("fingerprints", sa.Text(), server_default="", nullable=False, comment="of the text, for its pages"),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), server_default="", nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("article_id", "version", "sha256", name="pk_revisions"),
        comment="Every accepted change of every article",
    )
    op.create_index("ix_revisions_accepted", "revisions", ["accepted"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False, comment="callback, secret, client, as JSON"),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("lease_ends", sa.BigInteger(), nullable=False),
        sa.Column(
            "cursor",
            sa.BigInteger(),
            nullable=False,
            comment="the sequence number up to which it is known to be up to date",
        ),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False, comment="why it ended"),
        sa.PrimaryKeyConstraint("feed", "receiver", name="pk_subscriptions"),
        comment="WebSub subscriptions with their leases",
    )
    op.create_index("ix_subscriptions_lease_ends", "subscriptions", ["lease_ends"], unique=False)
    op.create_table(
        "updates",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("evolved_from", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document_id", name="pk_updates"),
        comment="Documents that are updates of others, under ids of their own",
    )
    op.create_table(
        "definitions",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False, comment="as JSON"),
        sa.ForeignKeyConstraint(
            ["epoch"], ["definition_epochs.epoch"], name="fk_definitions_epoch", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("epoch", "feed", name="pk_definitions"),
        comment="The feed definitions of each set",
    )
    op.bulk_insert(
        sa.table("meta", sa.column("name"), sa.column("value")),
        [{"name": "epoch", "value": f"1-{secrets.token_hex(6)}"}],
    )
