"""Has the record know all that Redis has: when the record is new, was lost, or was restored from a backup.

Articles, updates, lists and feeds of patterns are marked, and noted with the others that wait (noting.py). What
endpoints hold, who follows feeds, what is set aside and which pages are looked at is written at once, because it comes
into the record through outboxes that are empty by now. All of it may be done again.
"""

from __future__ import annotations

import json
from threading import Event
from typing import TYPE_CHECKING, Any

import structlog

from worker import clock
from worker.record import deliveries, endpoint_standings, page_checks, subscriptions
from worker.record.availability import RecordAway
from worker.record.endpoint_standings import EndpointStanding, ParkedArticle
from worker.record.subscriptions import Subscription
from worker.retention.outbox_entries import delivery_of, page_of
from worker.store import unnoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.record import Record
    from worker.store import Store
    from worker.store.receivers import ReceiverOverview

log = structlog.get_logger()

_LEASE_MS = 10_000
_AT_ONCE = 500


class NotingAll:
    """One worker's part in it."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record
        self._stopped = Event()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    def carry_on(self) -> None:
        """Note all, if that was begun and no other worker does it. Raises redis.RedisError."""
        agreement = self._store.agreement
        if agreement.read().work != "note" or (token := agreement.rebuilding.acquire(_LEASE_MS)) is None:
            return
        try:
            for count in self._parts():
                agreement.advance(articles=count)
                if self._stopped.is_set() or not agreement.rebuilding.extend(token, _LEASE_MS):
                    return
            agreement.note_progress({"finished": clock.ms(clock.agreed())})
            log.info("all_marked_to_be_noted", articles=agreement.progress().articles)
        except RecordAway:
            # It begins anew when the record is back.
            return
        finally:
            agreement.rebuilding.release(token)

    def _parts(self) -> Iterator[int]:
        """Mark or write one part after the other; yield how many articles were marked with it."""
        for ids in self._store.articles.all_ids(_AT_ONCE):
            self._store.unnoted.mark(*ids)
            yield len(ids)
        names = self._store.holdings.marked_names()
        for start in range(0, len(names), _AT_ONCE):
            self._store.unnoted.mark(*names[start : start + _AT_ONCE])
            yield 0
        self._store.unnoted.mark(unnoted.AUTHORITY)
        for feed in self._store.receivers.feeds():
            followers: list[ReceiverOverview] = []
            for follower in self._store.receivers.scan(feed):
                followers.append(follower)
                if len(followers) >= _AT_ONCE:
                    self._note_followers(feed, followers)
                    followers.clear()
                    yield 0
            self._note_followers(feed, followers)
            for endpoint in self._store.receivers.endpoints(feed):
                yield from self._note_ledger(feed, endpoint.removeprefix("endpoint:"))
            self._note_pages(feed)
            yield 0

    def _note_followers(self, feed: str, followers: list[ReceiverOverview]) -> None:
        now = clock.ms(clock.agreed())
        standings, begun = [], []
        for row in followers:
            kind, _, name = row.id.partition(":")
            if kind == "endpoint":
                paused = row.score if row.state == "paused" else None
                since = row.details.get("since")
                standings.append(EndpointStanding(feed, name, row.cursor, paused, row.remembered.reason, since))
            else:
                details: dict[str, Any] = row.details
                begun.append(
                    Subscription(feed, row.id, json.dumps(details), now, int(details.get("expires", now)), row.cursor)
                )
        with self._record.availability.write() as connection:
            endpoint_standings.note(connection, standings)
            subscriptions.note(connection, begun)

    def _note_ledger(self, feed: str, endpoint: str) -> Iterator[int]:
        for lot in self._store.holdings.ledger_of(feed, endpoint, _AT_ONCE):
            rows = [delivery_of(feed, endpoint, article_id, text) for article_id, text in lot.items()]
            with self._record.availability.write() as connection:
                deliveries.note(connection, rows)
            yield 0
        now = clock.ms(clock.agreed())
        parked = self._store.holdings.parked_of(feed, endpoint)
        with self._record.availability.write() as connection:
            endpoint_standings.note_parked(
                connection,
                [ParkedArticle(feed, endpoint, article_id, now, text) for article_id, text in parked.items()],
            )

    def _note_pages(self, feed: str) -> None:
        rows = [page_of(feed, member, text, due) for member, text, due in self._store.holdings.pages_of(feed)]
        with self._record.availability.write() as connection:
            page_checks.note(connection, rows)
