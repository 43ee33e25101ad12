"""Fills feeds that are new or defined anew with the articles that are there, in the background.

One worker does it, a few articles at a time, the newest first; how far it is stays in Redis, so another goes on where
one has died. What was there before the feed was is pushed to nobody: that is for a person to order.
"""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.newsroom.placement import states
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.newsroom.endpoint_backfills import EndpointBackfills
    from worker.newsroom.event_permit import EventPermit
    from worker.newsroom.placement import ArticlePlacer
    from worker.store import Store
    from worker.store.changes import State
    from worker.store.definitions import IndexProgress

log = structlog.get_logger()

INDEX_SECONDS = 1.0
"""How often a worker renews its permit, and looks for feeds to fill."""
_BATCH = 100
"""Articles gone through at once."""
LEASE_SECONDS = 10.0
"""A worker that has filled nothing for so long is taken to be dead, and another goes on."""
_LEASE_MS = int(LEASE_SECONDS * 1000)
_REST = 0.5
"""How long the worker rests after a batch, as a part of the time that it took, so that events and kills get through."""
_REFRESH_SECONDS = 5.0
"""How often the documents of a feed show how far it is filled: each time all its receivers are looked at."""
_SLICE_SECONDS = 10.0
"""How long a worker fills before it logs how far it is, and lets others have a turn."""


class FeedIndexer:
    """Fills feeds, when it is called: often, for a while each time."""

    def __init__(self, store: Store, permit: EventPermit, placer: ArticlePlacer, backfills: EndpointBackfills) -> None:
        self._store = store
        self._permit = permit
        self._placer = placer
        self._backfills = backfills
        self._stopped = Event()
        self._refreshed: dict[str, float] = {}

    def stop(self) -> None:
        """Begin no more batches."""
        self._stopped.set()

    def fill(self) -> float | None:
        """Fill feeds for a while, unless no feed needs it, another worker does it, or this worker has no permit.

        Returns 0 when there is more to be done at once.
        """
        if self._permit.charge is None:
            return None
        self._backfills.carry_out()
        progress = self._store.definitions.progress()
        if not progress.feeds or (token := self._store.definitions.indexing.acquire(_LEASE_MS)) is None:
            return None
        try:
            articles = self._store.articles.count()
            log.info("feeds_being_filled", feeds=sorted(progress.feeds)[:20], done=progress.done, articles=articles)
            self._fill(token)
        finally:
            self._store.definitions.indexing.release(token)
        return 0.0

    def _fill(self, token: str) -> None:
        end = time.monotonic() + _SLICE_SECONDS
        charge = self._permit.charge
        while charge and not self._stopped.is_set() and (begun := time.monotonic()) < end:
            if self._permit.charge != charge or not self._store.definitions.indexing.extend(token, _LEASE_MS):
                return
            progress = self._store.definitions.progress()
            batch = self._store.articles.newest_after(progress.last, _BATCH)
            if not batch:
                self._refresh(self._placer.configured_names.intersection(progress.feeds), at_once=True)
                if self._store.definitions.note_progress(charge, progress.done, progress.articles, None):
                    log.info("feeds_filled", feeds=sorted(progress.feeds)[:20], articles=progress.done)
                return
            self._refresh(self._place_batch([article_id for article_id, _ in batch], progress))
            done, articles = progress.done + len(batch), self._store.articles.count()
            if not self._store.definitions.note_progress(charge, done, articles, batch[-1]):
                return
            self._stopped.wait((time.monotonic() - begun) * _REST)

    def _place_batch(self, article_ids: list[str], progress: IndexProgress) -> set[str]:
        """Place articles, one by one if need be: what is wrong with one of them keeps no other out of its feeds."""
        try:
            return self._place(article_ids, progress)
        except Exception as error:
            if redis_errors.kind(error) != "bug":
                raise
        changed_feeds: set[str] = set()
        for article_id in article_ids:
            try:
                changed_feeds |= self._place([article_id], progress)
            except Exception as error:
                if redis_errors.kind(error) != "bug":
                    raise
                log.exception(
                    "index_failed", article_id=article_id, next_step="it is in the feed with its next version"
                )
        return changed_feeds

    def _place(self, article_ids: list[str], progress: IndexProgress) -> set[str]:
        """Place articles in the feeds that are being filled; return those in which readers will see a difference."""
        changed_feeds: set[str] = set()
        while article_ids:
            now, lists = clock.agreed(), self._placer.lists()
            articles = self._store.articles.get_many(article_ids, keep=False)
            entering = []
            places: dict[str, list[tuple[str, int, str, State, int]]] = {}
            for article_id, stored in articles.items():
                placements = self._placer.placements(stored.article, stored.feeds, now, lists, progress.feeds)
                feeds = stored.feeds | {placement.feed for placement in placements}
                if feeds != stored.feeds:
                    entering.append((stored, feeds))
                places[article_id] = [
                    (article_id, stored.article.version, feed, state, place)
                    for feed, (state, place) in states(stored.article, placements).items()
                ]
            # Before they are placed: an event that comes from then on finds the feed among those to be looked at.
            noted = zip(entering, self._store.articles.note_feeds(entering), strict=True)
            article_ids = [stored.article.id for (stored, _), after in noted if after is None]
            batch = [
                place
                for article_id, article_places in places.items()
                if article_id not in article_ids
                for place in article_places
            ]
            changed_feeds |= self._store.changes.place(clock.ms(now), batch)
        return changed_feeds

    def _refresh(self, feeds: Collection[str], *, at_once: bool = False) -> None:
        """Have documents made anew; those of the feeds that are configured one by one not at every batch."""
        now = time.monotonic()
        due = {
            feed for feed in feeds if at_once or now - self._refreshed.get(feed, -_REFRESH_SECONDS) >= _REFRESH_SECONDS
        }
        self._refreshed.update((feed, now) for feed in due & self._placer.configured_names)
        self._store.changes.refresh_documents(due, clock.ms(clock.agreed()))
