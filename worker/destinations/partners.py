"""All partner endpoints: which conversation a claim begins."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from feeds.formats import FEED_FORMATS
from worker import clock
from worker.destinations.articles import ArticlePushes
from worker.destinations.feeds import FeedPush
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from feeds.definition import FeedDefinition
    from feeds.formats.interface import Provider
    from worker.destinations.endpoint import Endpoint
    from worker.documents import Documents
    from worker.store import Store
    from worker.store.receivers import Claim

ARTICLES_PER_CLAIM = 50
"""How many changes are looked at in one claim, for each article that may be in flight at once."""


class Partners:
    """Pushes to partner endpoints. `timeout` in seconds; `endpoints` by name, taken again when the settings are."""

    def __init__(self, store: Store, documents: Documents, provider: Provider, *, timeout: float) -> None:
        self._store = store
        self._documents = documents
        self._provider = provider
        self._timeout = timeout
        self.endpoints: dict[str, Endpoint] = {}

    def begin(
        self, definition: FeedDefinition, claim: Claim, head: int, deadline: float
    ) -> ArticlePushes | FeedPush | Settlement | None:
        """Begin to serve a claim made at `head` until `deadline` (monotonic seconds).

        A settlement: nothing may be sent now. None: the endpoint is not ours any more.
        """
        endpoint = self.endpoints.get(claim.details["endpoint"])
        if endpoint is None or endpoint.feed != definition.name:
            return None
        limit = ARTICLES_PER_CLAIM * endpoint.concurrency if endpoint.mode == "article" else 1
        if endpoint.rate is not None and self._store.changes.head(definition.name).kill <= claim.cursor:
            # Nobody may slow a kill down; all else keeps to the rate, and waiting for it is no failure.
            now = clock.ms(clock.now())
            limit, wait = self._store.attempts.spend(definition.name, endpoint.name, now, endpoint.rate, limit)
            if not limit:
                held = (claim.failures, claim.since, claim.last)
                return Settlement(claim, "retry", claim.cursor, now + wait, *held, reason="throttled")
        if endpoint.mode == "article":
            return self._articles(definition.name, endpoint, claim, head, limit, deadline)
        feed_format = FEED_FORMATS[endpoint.format]
        push = self._documents.push(definition, feed_format, claim.cursor, head, whole=False)
        return FeedPush(endpoint, claim, push, head, feed_format.media_type, self._timeout, deadline)

    def _articles(
        self, feed: str, endpoint: Endpoint, claim: Claim, head: int, limit: int, deadline: float
    ) -> ArticlePushes:
        changes = self._store.changes.since(feed, claim.cursor, limit)
        replay = None
        if len(changes) < limit:
            replay = self._store.replays.next(feed, endpoint.name, limit - len(changes))
            if replay is not None and replay.rate < len(replay.articles):
                some = max(1, int(replay.rate))
                replay = dataclasses.replace(replay, articles=replay.articles[:some], more=True)
        reached = head if len(changes) < limit else 0
        return ArticlePushes(
            self._store, endpoint, self._provider, claim, changes, reached, replay, self._timeout, deadline
        )
