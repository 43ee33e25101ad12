"""Pushes of feeds, made anew: for those who look at an attempt.

What a push had was the changes after the endpoint's cursor up to the feed's last one of then. Of one that was taken the
ledger has the articles, of another the cursor still stands there. While none of these has changed since, and none is
cold, the same changes make the same bytes. An endpoint that holds the document had the feed as it was: it is made anew
until the feed changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.formats import FEED_FORMATS
from worker.documents.feed_documents import Terms
from worker.documents.feed_payloads import CHANGES_PER_PAYLOAD
from worker.documents.quality_gate import FeedRefused
from worker.record import deliveries

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from worker.documents.feed_documents import FeedDocuments
    from worker.documents.feed_payloads import FeedPayloads
    from worker.management.endpoint_views import EndpointView
    from worker.newsroom.publication import Publication
    from worker.record.attempts import NotedAttempt
    from worker.store import Store
    from worker.store.changes import Change


class SentFeeds:
    """Makes them. Whether it is what was sent its digest tells."""

    def __init__(
        self, store: Store, publication: Publication, documents: FeedDocuments, payloads: FeedPayloads
    ) -> None:
        self._store = store
        self._publication = publication
        self._documents = documents
        self._payloads = payloads

    def document(self, connection: Connection, attempt: NotedAttempt, endpoint: EndpointView) -> bytes | None:
        """Return what an endpoint as it is now would have been sent then; None: it can't be made.

        Raises redis.RedisError.
        """
        settings = endpoint.settings
        definition = self._publication.feed(attempt.feed)
        if definition is None or settings.mode != "feed" or settings.format not in FEED_FORMATS:
            return None
        feed_format, rights = FEED_FORMATS[settings.format], settings.rights
        own = settings.of_kind(settings.kind)
        try:
            if own is not None and own.holds_documents:
                delay = int(rights.delay.total_seconds() * 1000) if rights.delay else 0
                return self._documents.current(definition, feed_format, Terms(rights.rights(), delay), quiet=True).body
            changes = self._changes_taken(connection, attempt, settings.name) or self._changes_due(
                attempt, settings.name
            )
            if not changes:
                return None
            return self._payloads.of_changes(definition, feed_format, rights.rights(), changes)
        except FeedRefused:
            return None

    def _changes_taken(self, connection: Connection, attempt: NotedAttempt, endpoint: str) -> list[Change]:
        """The changes that the endpoint took by this push, by their number."""
        ids = deliveries.taken_at(connection, endpoint, attempt.feed, attempt.time, attempt.sha256)
        return sorted(self._store.changes.latest_of(attempt.feed, ids).values(), key=lambda change: change.seq)

    def _changes_due(self, attempt: NotedAttempt, endpoint: str) -> list[Change]:
        """The changes after the endpoint's cursor, of then."""
        overviews = self._store.receivers.get_many(attempt.feed, [f"endpoint:{endpoint}"])
        changes = self._store.changes.since(attempt.feed, overviews[0].cursor, CHANGES_PER_PAYLOAD) if overviews else []
        return [change for change in changes if change.asof <= attempt.time]
