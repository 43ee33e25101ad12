"""Enrolls the partner endpoints as receivers, those of the settings and those that are managed; pauses removed ones.

A new endpoint starts at its feed's head, a managed one at that of the moment when it was made. One that was removed
keeps its cursor and goes on from there when it is back.
Only a worker that is in charge pauses: others may have newer settings, with endpoints that this one can't know of. So
all is done again whenever this worker takes charge, because endpoints may have been removed while it was not, and a
worker with older settings may have paused some of ours. While the managed endpoints are not known, because neither the
record nor Redis could say them, nothing is taken for removed.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker import clock
from worker.destinations.endpoint import configured
from worker.destinations.sender import Sender
from worker.management.endpoints_in_use import EndpointsInUse, in_use
from worker.record import endpoint_standings
from worker.record.availability import RecordAway
from worker.record.endpoint_standings import EndpointStanding
from worker.store import redis_errors
from worker.store.cooling import REMOVED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from config.endpoint_settings import EndpointSettings
    from worker.destinations.endpoint import Endpoint
    from worker.management.copies import ManagementCopy
    from worker.management.surroundings import Surroundings
    from worker.newsroom.newsroom import Newsroom
    from worker.newsroom.publication import Publication
    from worker.receivers.endpoint_directory import EndpointDirectory
    from worker.record import Record
    from worker.retention.warm import HotArticles
    from worker.store import Store

log = structlog.get_logger()

INTERVAL = 2.0
"""Seconds between two looks whether all are still as they were enrolled."""
_NAMES_LOGGED = 20
_NEWS_MS = 60_000
"""So old an endpoint may be that a worker hears of for the first time, and have all since it was made."""


class EndpointEnrolment:
    """The endpoints of one worker, in `directory` and in Redis. Any thread may use it."""

    def __init__(
        self,
        surroundings: Surroundings,
        store: Store,
        articles: HotArticles,
        publication: Publication,
        newsroom: Newsroom,
        directory: EndpointDirectory,
        sender: Sender,
        record: Record,
    ) -> None:
        self._surroundings = surroundings
        self._store = store
        self._record = record
        self._articles = articles
        self._publication = publication
        self._newsroom = newsroom
        self._directory = directory
        self._sender = sender
        self._lock = Lock()
        self._copy: ManagementCopy | None = None
        self._in_use = EndpointsInUse({})
        self._endpoints: dict[str, Endpoint] = {}
        self._made_by: dict[str, str] = {}
        self._backfills: dict[str, str] = {}
        self._unusable: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._begun = False
        self._to_enroll = False
        self._checked_ms = 0
        self._charge: str | None = None
        self._take_over()

    def use(self, copy: ManagementCopy) -> None:
        """Go over to other managed endpoints, from any thread. What is in flight ends by the former ones."""
        with self._lock:
            former = self._in_use
            self._copy = copy
            self._take_over()
            if self._begun:
                # By other formats the same endpoints are others.
                self._directory.by_name = self._endpoints
                if self._in_use != former:
                    self._try_to_enroll(former)

    def enroll(self) -> None:
        """Enroll all endpoints; pause those that were removed, if this worker is in charge. Raises redis.RedisError."""
        with self._lock:
            self._checked_ms = clock.ms(clock.agreed())
            self._enroll()
            self._begun = True

    def check(self) -> None:
        """Enroll all again if Redis has lost any, or if this worker has taken charge. Raises redis.RedisError.

        One that Redis has lost gets what has happened since the last look. One that was removed Redis knows.
        """
        with self._lock:
            self._check()

    def _check(self) -> None:
        now = clock.ms(clock.agreed())
        if self._in_use.changes_at is not None and now >= self._in_use.changes_at:
            self._take_over()
            self._directory.by_name = self._endpoints
        receivers = {(endpoint.feed, f"endpoint:{endpoint.name}") for endpoint in self._endpoints.values()}
        if (lost := receivers - self._store.receivers.existing(receivers)) and not self._to_enroll:
            names = sorted(name for _, name in lost)[:_NAMES_LOGGED]
            log.warning("endpoints_lost", endpoints=names, reason="Redis lost them")
            self._enroll(since_ms=self._checked_ms)
        elif self._to_enroll or self._waiting or self._newsroom.permit.charge not in (None, self._charge):
            self._enroll()
        self._checked_ms = now

    def _take_over(self) -> None:
        """Have the endpoints of both sources as they are by now. Those that have not changed stay the same objects."""
        former = self._in_use.settings
        self._in_use = in_use(self._copy, self._surroundings, clock.ms(clock.agreed()), self._in_use)
        for name, reason in self._in_use.unusable.items():
            if self._unusable.get(name) != reason:
                log.error("endpoint_unusable", endpoint=name, reason=reason, next_step="it waits, and loses nothing")
        self._unusable = self._in_use.unusable
        keys = {name: _format_key(settings) for name, settings in self._in_use.settings.items()}
        self._endpoints = {
            name: self._endpoints[name]
            if name in self._endpoints and former.get(name) == settings and self._made_by.get(name) == keys[name]
            else configured(settings, self._sender)
            for name, settings in self._in_use.settings.items()
            if self._publication.feed(settings.feed) is not None
        }
        self._made_by = keys
        self._waiting &= self._endpoints.keys()
        self._backfills = {
            name: settings.backfill for name, settings in self._in_use.settings.items() if settings.backfill
        }

    def _try_to_enroll(self, former: EndpointsInUse) -> None:
        """Enroll what has changed: a thousand others are not asked for because of one."""
        in_use, before = self._in_use.settings, former.settings
        changed = {name for name, settings in in_use.items() if before.get(name) != settings}
        left = any(name not in in_use or in_use[name].feed != settings.feed for name, settings in before.items())
        everything = left or self._to_enroll or not former.complete
        self._to_enroll = True
        try:
            self._enroll(None if everything else changed)
            now = clock.ms(clock.agreed())
            for name in changed & self._endpoints.keys() - before.keys():
                # We may have claimed it before we had heard of it, and have put it off then.
                self._store.receivers.bring_forward(self._endpoints[name].feed, {f"endpoint:{name}": now})
        except RedisError as error:
            # The next check does it again.
            redis_errors.report(log, error, "changed endpoints are enrolled when Redis answers")

    def _enroll(self, names: Collection[str] | None = None, since_ms: int | None = None) -> None:
        """Enroll these endpoints; None: all of them, and those that are there no longer are paused."""
        charge = self._newsroom.permit.charge
        new: list[Endpoint] = []
        self._directory.by_name = self._endpoints
        for name, endpoint in self._endpoints.items():
            if names is not None and name not in names:
                continue
            details: dict[str, Any] = {"endpoint": name, "enrolled": clock.ms(clock.agreed())}
            if name in self._backfills:
                details["backfill"] = self._backfills[name]
                self._newsroom.backfills.expect(endpoint.feed, name)
            if not self._has_its_past(endpoint.feed, name):
                continue
            begins_ms = self._just_made(name) if since_ms is None else since_ms
            since = None if begins_ms is None else self._store.changes.last_before(endpoint.feed, begins_ms)
            change = self._store.receivers.enroll(
                endpoint.feed, f"endpoint:{name}", details, since, pulled=endpoint.is_pulled
            )
            if change != "known":
                log.info("endpoint_enrolled", endpoint=name, feed=endpoint.feed, what=change)
            if change == "new":
                new.append(endpoint)
        self._note(new)
        if names is None:
            may_pause = charge is not None and self._in_use.complete
            if may_pause:
                self._pause_removed()
            # Whoever may not pause now does so as soon as it may.
            self._charge = charge if may_pause else None
        self._to_enroll = False

    def _note(self, endpoints: Sequence[Endpoint]) -> None:
        """Have new endpoints in the record at once: nobody else knows when they came, should Redis be lost."""
        standings = []
        for endpoint in endpoints:
            since = self._store.receivers.details(endpoint.feed, f"endpoint:{endpoint.name}").get("since")
            # None: Redis has lost it again.
            if since is not None:
                standings.append(EndpointStanding(endpoint.feed, endpoint.name, since, since=since))
        if standings:
            # While the record is away they wait in their outboxes.
            with suppress(RecordAway), self._record.availability.write() as connection:
                endpoint_standings.note_new(connection, standings)

    def _just_made(self, name: str) -> int | None:
        """When (ms) a managed endpoint was made, if that is news; None: it begins at the head of its feed.

        Whoever made it may have published since, before any worker had heard of it.
        """
        source = self._in_use.sources.get(name)
        if source is None or clock.ms(clock.agreed()) - source.endpoint.created > _NEWS_MS:
            return None
        return source.endpoint.created

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
                if (
                    not exists
                    and name not in self._unusable
                    and receivers.pause(feed, receiver, clock.ms(clock.agreed()), REMOVED)
                ):
                    log.info("endpoint_removed", endpoint=name, feed=feed, next_step="its cursor is kept")


def _format_key(settings: EndpointSettings) -> str:
    """What an endpoint's documents are made by: another one when its format is defined anew."""
    table = ARTICLE_FORMATS if settings.mode == "article" else FEED_FORMATS
    return table[settings.format].key if settings.format in table else ""
