"""All partner endpoints: which conversation a claim begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.formats import FEED_FORMATS
from worker.destinations.articles import ArticlePushes
from worker.destinations.feeds import FeedPush

if TYPE_CHECKING:
    from feeds.definition import FeedDefinition
    from worker.destinations.endpoint import Endpoint
    from worker.documents import Documents
    from worker.store import Store
    from worker.store.receivers import Claim

ARTICLES_PER_CLAIM = 50
"""How many changes are looked at in one claim, for each article that may be in flight at once."""


class Partners:
    """Pushes to partner endpoints. `timeout` in seconds; `endpoints` by name, taken again when the settings are."""

    def __init__(self, store: Store, documents: Documents, *, timeout: float) -> None:
        self._store = store
        self._documents = documents
        self._timeout = timeout
        self.endpoints: dict[str, Endpoint] = {}

    def begin(
        self, definition: FeedDefinition, claim: Claim, head: int, deadline: float
    ) -> ArticlePushes | FeedPush | None:
        """Begin to serve a claim made at `head` until `deadline` (monotonic seconds); None: not ours any more."""
        endpoint = self.endpoints.get(claim.details["endpoint"])
        if endpoint is None or endpoint.feed != definition.name:
            return None
        if endpoint.mode == "article":
            limit = ARTICLES_PER_CLAIM * endpoint.concurrency
            changes = self._store.changes.since(definition.name, claim.cursor, limit)
            reached = head if len(changes) < limit else 0
            return ArticlePushes(self._store, endpoint, claim, changes, reached, self._timeout, deadline)
        feed_format = FEED_FORMATS[endpoint.format]
        push = self._documents.push(definition, feed_format, claim.cursor, head, whole=False)
        return FeedPush(endpoint, claim, push, head, feed_format.media_type, self._timeout, deadline)
