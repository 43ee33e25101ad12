"""Enrolls the partner endpoints of the settings as receivers, and pauses those that the settings no longer have.

A new endpoint starts at its feed's head. One that was removed keeps its cursor and goes on from there when it is back.
Only a worker that is in charge pauses: others may have newer settings, with endpoints that this one can't know of. So
all is done again whenever this worker takes charge, because endpoints may have been removed while it was not, and a
worker with older settings may have paused some of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from worker import clock
from worker.destinations.http import configured
from worker.record.availability import RecordAway
from worker.store.cooling import REMOVED

if TYPE_CHECKING:
    from config.settings import Settings
    from worker.newsroom.newsroom import Newsroom
    from worker.newsroom.publication import Publication
    from worker.outbound.oauth2_tokens import Tokens
    from worker.receivers.endpoint_directory import EndpointDirectory
    from worker.retention.warm import HotArticles
    from worker.store import Store

log = structlog.get_logger()

INTERVAL = 2.0
"""Seconds between two looks whether all are still as they were enrolled."""
_NAMES_LOGGED = 20


class EndpointEnrolment:
    """The endpoints of one worker's settings, in `directory` and in Redis. Used by one thread at a time."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        articles: HotArticles,
        publication: Publication,
        newsroom: Newsroom,
        directory: EndpointDirectory,
        tokens: Tokens,
    ) -> None:
        self._store = store
        self._articles = articles
        self._waiting: set[str] = set()
        self._newsroom = newsroom
        self._endpoints = {
            endpoint.name: configured(endpoint, tokens)
            for endpoint in settings.endpoints
            if publication.feed(endpoint.feed) is not None
        }
        self._backfills = {endpoint.name: endpoint.backfill for endpoint in settings.endpoints if endpoint.backfill}
        self._directory = directory
        self._checked_ms = 0
        self._charge: str | None = None

    def enroll(self) -> None:
        """Enroll all endpoints; pause those that were removed, if this worker is in charge. Raises redis.RedisError."""
        self._checked_ms = clock.ms(clock.agreed())
        self._enroll()

    def check(self) -> None:
        """Enroll all again if Redis has lost any, or if this worker has taken charge. Raises redis.RedisError.

        One that Redis has lost gets what has happened since the last look. One that was removed Redis knows.
        """
        now = clock.ms(clock.agreed())
        receivers = {(endpoint.feed, f"endpoint:{endpoint.name}") for endpoint in self._endpoints.values()}
        if lost := receivers - self._store.receivers.existing(receivers):
            names = sorted(name for _, name in lost)[:_NAMES_LOGGED]
            log.warning("endpoints_lost", endpoints=names, reason="Redis lost them")
            self._enroll(since_ms=self._checked_ms)
        elif self._waiting or self._newsroom.permit.charge not in (None, self._charge):
            self._enroll()
        self._checked_ms = now

    def _enroll(self, since_ms: int | None = None) -> None:
        charge = self._newsroom.permit.charge
        self._directory.by_name = self._endpoints
        for name, endpoint in self._endpoints.items():
            details: dict[str, Any] = {"endpoint": name, "enrolled": clock.ms(clock.agreed())}
            if name in self._backfills:
                details["backfill"] = self._backfills[name]
                self._newsroom.backfills.expect(endpoint.feed, name)
            if not self._has_its_past(endpoint.feed, name):
                continue
            since = None if since_ms is None else self._store.changes.last_before(endpoint.feed, since_ms)
            change = self._store.receivers.enroll(endpoint.feed, f"endpoint:{name}", details, since)
            if change != "known":
                log.info("endpoint_enrolled", endpoint=name, feed=endpoint.feed, what=change)
        if charge is not None:
            self._pause_removed()
            self._charge = charge

    def _has_its_past(self, feed: str, name: str) -> bool:
        """Bring back what is cold and an endpoint has missed that had been removed; False while that can't be had."""
        for receiver in self._store.receivers.get_many(feed, [f"endpoint:{name}"]):
            if receiver.state == "paused" and receiver.remembered.reason == REMOVED:
                try:
                    self._articles.warm_changed_after(feed, receiver.cursor)
                except RecordAway as error:
                    if name not in self._waiting:
                        log.warning(
                            "endpoint_waits_for_the_record",
                            endpoint=name,
                            feed=feed,
                            reason=str(error),
                            next_step="it goes on where it had ended as soon as the record answers",
                        )
                    self._waiting.add(name)
                    return False
        self._waiting.discard(name)
        return True

    def _pause_removed(self) -> None:
        receivers = self._store.receivers
        for feed in receivers.feeds():
            for receiver in receivers.endpoints(feed):
                name = receiver.removeprefix("endpoint:")
                exists = name in self._endpoints and self._endpoints[name].feed == feed
                if not exists and receivers.pause(feed, receiver, clock.ms(clock.agreed()), REMOVED):
                    log.info("endpoint_removed", endpoint=name, feed=feed, next_step="its cursor is kept")
