"""Fills feeds that are new or defined anew with the articles that are there, in the background.

One worker does it, a few articles at a time, the newest first; how far it is stays in Redis, so another goes on where
one has died. Nobody is told of what was there before the feed was: that is for a person to order.
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
"""How often a worker says by which definitions it works, and looks for feeds to fill."""
_BATCH = 100
"""Articles gone through at once."""
LEASE_SECONDS = 10.0
"""A worker that has filled nothing for so long is taken to be dead, and another goes on."""
_LEASE_MS = int(LEASE_SECONDS * 1000)
_REST = 0.5
"""How long the worker rests after a batch, as a part of the time that it took: events and kills are to flow."""
_TURN_SECONDS = 5.0
"""How often the documents of a feed show how far it is filled: each time all its receivers are looked at."""
_SLICE_SECONDS = 10.0
"""How long a worker fills before it tells how far it is, shows that it moves, and lets others have a turn."""


class FeedIndexer:
    """Fills feeds, when it is called: often, for a while each time."""

    def __init__(self, store: Store, charge: EventPermit, placing: ArticlePlacer, backfills: EndpointBackfills) -> None:
        self._store = store
        self._charge = charge
        self._placing = placing
        self._backfills = backfills
        self._stopped = Event()
        self._turned: dict[str, float] = {}

    def stop(self) -> None:
        """Begin no more batches."""
        self._stopped.set()

    def fill(self) -> float | None:
        """Fill what is to be filled for a while, unless another worker does or it is not for this one.

        Returns 0 when there is more to be done at once.
        """
        if self._charge.held is None:
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
        charge = self._charge.held
        while charge and not self._stopped.is_set() and (begun := time.monotonic()) < end:
            if self._charge.held != charge or not self._store.definitions.indexing.extend(token, _LEASE_MS):
                return
            progress = self._store.definitions.progress()
            found = self._store.articles.newest_after(progress.last, _BATCH)
            if not found:
                self._turn(self._placing.names.intersection(progress.feeds), at_once=True)
                if self._store.definitions.note_progress(charge, progress.done, progress.articles, None):
                    log.info("feeds_filled", feeds=sorted(progress.feeds)[:20], articles=progress.done)
                return
            self._turn(self._placed([name for name, _ in found], progress))
            done, articles = progress.done + len(found), self._store.articles.count()
            if not self._store.definitions.note_progress(charge, done, articles, found[-1]):
                return
            self._stopped.wait((time.monotonic() - begun) * _REST)

    def _placed(self, article_ids: list[str], progress: IndexProgress) -> set[str]:
        """Place articles, one by one if need be: what is wrong with one of them keeps no other out of its feeds."""
        try:
            return self._place(article_ids, progress)
        except Exception as error:
            if redis_errors.kind(error) != "bug":
                raise
        touched: set[str] = set()
        for name in article_ids:
            try:
                touched |= self._place([name], progress)
            except Exception as error:
                if redis_errors.kind(error) != "bug":
                    raise
                log.exception("index_failed", article_id=name, next_step="it is in the feed with its next version")
        return touched

    def _place(self, article_ids: list[str], progress: IndexProgress) -> set[str]:
        """Place articles in the feeds that are being filled; return those in which readers will see a difference."""
        touched: set[str] = set()
        while article_ids:
            now, lists = clock.agreed(), self._placing.lists()
            held = self._store.articles.get_many(article_ids, keep=False)
            entering = []
            places: dict[str, list[tuple[str, int, str, State, int]]] = {}
            for name, each in held.items():
                found = self._placing.placements(each.article, each.feeds, now, lists, progress.feeds)
                feeds = each.feeds | {placement.feed for placement in found}
                if feeds != each.feeds:
                    entering.append((each, feeds))
                places[name] = [
                    (name, each.article.version, feed, state, place)
                    for feed, (state, place) in states(each.article, found).items()
                ]
            # Before they are placed: an event that comes from then on finds the feed among those to be looked at.
            article_ids = self._store.articles.note_feeds(entering)
            flat = [place for name, those in places.items() if name not in article_ids for place in those]
            touched |= self._store.changes.place(clock.ms(now), flat)
        return touched

    def _turn(self, feeds: Collection[str], *, at_once: bool = False) -> None:
        """Have documents made anew; those of the feeds that are configured one by one not at every batch."""
        now = time.monotonic()
        due = {feed for feed in feeds if at_once or now - self._turned.get(feed, -_TURN_SECONDS) >= _TURN_SECONDS}
        self._turned.update((feed, now) for feed in due & self._placing.names)
        self._store.changes.refresh_documents(due, clock.ms(clock.agreed()))
