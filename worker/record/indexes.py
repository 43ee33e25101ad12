"""The indexes of the tables, as migrations make them: what `tables` is held against has them, too.

They are beside the tables, because who reads and writes rows needs none of them, and to declare one of PostgreSQL has
SQLAlchemy import all that it knows of that database: every command that asks a record on SQLite would wait for it.
"""

from __future__ import annotations

from sqlalchemy import Index, or_

from worker.record.metadata import metadata
from worker.record.tables import (
    article_terms,
    article_words,
    articles,
    attempts,
    audit,
    deliveries,
    events,
    feed_readers,
    memberships,
    revisions,
    subscriptions,
)

__all__ = ["metadata"]

Index("ix_events_accepted", events.c.accepted)
Index("ix_events_article_id", events.c.article_id)
Index(
    "ix_events_to_append",
    events.c.number,
    sqlite_where=events.c.stream_entry.is_(None),
    postgresql_where=events.c.stream_entry.is_(None),
)
Index(
    "ix_events_to_carry_out",
    events.c.number,
    sqlite_where=events.c.done.is_(None),
    postgresql_where=events.c.done.is_(None),
)
Index(
    "ix_events_rejected",
    events.c.number,
    sqlite_where=events.c.result == "rejected",
    postgresql_where=events.c.result == "rejected",
)
Index("ix_revisions_accepted", revisions.c.accepted)
Index("ix_articles_published", articles.c.published, articles.c.article_id)
Index("ix_articles_accepted", articles.c.accepted)
# A hash: a B-tree of PostgreSQL takes no more than 2,700 bytes, and an address may be longer.
Index("ix_articles_url", articles.c.url, postgresql_using="hash")
Index(
    "ix_articles_due",
    articles.c.due,
    sqlite_where=articles.c.due.is_not(None),
    postgresql_where=articles.c.due.is_not(None),
)
Index(
    "ix_articles_killed",
    articles.c.published,
    articles.c.article_id,
    sqlite_where=articles.c.pubstatus == "canceled",
    postgresql_where=articles.c.pubstatus == "canceled",
)
Index("ix_articles_edition", articles.c.edition, articles.c.published, articles.c.article_id)
Index("ix_article_words_words", article_words.c.words, postgresql_using="gin").ddl_if("postgresql")
Index("ix_article_terms_article_id", article_terms.c.article_id)
Index("ix_memberships_window", memberships.c.feed, memberships.c.state, memberships.c.place)
Index("ix_memberships_changes", memberships.c.feed, memberships.c.state, memberships.c.sequence)
Index("ix_memberships_article_id", memberships.c.article_id)
Index("ix_deliveries_article_id", deliveries.c.article_id)
Index("ix_deliveries_taken", deliveries.c.endpoint, deliveries.c.taken)
Index(
    "ix_deliveries_refused",
    deliveries.c.endpoint,
    deliveries.c.sent,
    sqlite_where=deliveries.c.state == "refused",
    postgresql_where=deliveries.c.state == "refused",
)
Index("ix_attempts_time", attempts.c.time)
_QUOTES = or_(attempts.c.answer != "", attempts.c.error != "")
Index("ix_attempts_article_id", attempts.c.article_id, sqlite_where=_QUOTES, postgresql_where=_QUOTES)
Index("ix_subscriptions_lease_ends", subscriptions.c.lease_ends)
Index("ix_feed_readers_day", feed_readers.c.day)
Index("ix_audit_time", audit.c.time)
Index("ix_audit_actor", audit.c.actor, audit.c.number)
Index("ix_audit_target", audit.c.target, audit.c.number)
