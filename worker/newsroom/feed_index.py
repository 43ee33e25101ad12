"""Fills feeds that are new or defined anew with the articles that are there, in the background.

One worker does it, a few articles at a time, the newest first; how far it is stays in Redis, so another goes on where
one has died. What was there before the feed was is pushed to nobody: that is for a person to order
(worker/newsroom/feed_orders.py).

It goes through the articles three times, by turns, so that the window of the feed is there at once wherever its
articles are: those in Redis; all of the record, of which Redis gets what the window needs; and those that are in the
feed by the record, because some may belong there no longer.
"""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.newsroom.recorded_index import Step
from worker.record.availability import RecordAway
from worker.store.definitions import PassProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from worker.newsroom.endpoint_backfills import EndpointBackfills
    from worker.newsroom.event_permit import EventPermit
    from worker.newsroom.index_placer import IndexPlacer
    from worker.newsroom.placement import ArticlePlacer
    from worker.newsroom.recorded_index import RecordedIndex
    from worker.store import Store
    from worker.store.definitions import IndexProgress, Position

log = structlog.get_logger()

INDEX_SECONDS = 1.0
"""How often a worker renews its permit, and looks for feeds to fill."""
_BATCH = 100
"""Articles of Redis gone through at once."""
LEASE_SECONDS = 10.0
"""A worker that has filled nothing for so long is taken to be dead, and another goes on."""
_LEASE_MS = int(LEASE_SECONDS * 1000)
_REST = 0.5
"""How long the worker rests after a batch, as a part of the time that it took, so that events and kills get through."""
_REFRESH_SECONDS = 2.0
"""How often the documents of a feed show how far it is filled: each time all its receivers are looked at."""
_SLICE_SECONDS = 10.0
"""How long a worker fills before it logs how far it is, and lets others have a turn."""


class FeedIndexer:
    """Fills feeds, when it is called: often, for a while each time."""

    def __init__(
        self,
        store: Store,
        permit: EventPermit,
        placer: ArticlePlacer,
        index_placer: IndexPlacer,
        recorded: RecordedIndex,
        backfills: EndpointBackfills,
    ) -> None:
        self._store = store
        self._permit = permit
        self._placer = placer
        self._index_placer = index_placer
        self._recorded = recorded
        self._backfills = backfills
        self._stopped = Event()
        self._refreshed: dict[str, float] = {}
        self._changed: set[str] = set()
        self._is_waiting = False
        self._passes: dict[str, Callable[[Collection[str], Position | None], Step]] = {
            "hot": self._hot,
            "recorded": recorded.articles,
            "members": recorded.members,
        }

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
            if not self._is_waiting:
                feeds, done, articles = sorted(progress.feeds)[:20], progress.done, progress.articles
                log.info("feeds_being_filled", feeds=feeds, done=done, articles=articles)
            return self._fill(token)
        finally:
            self._store.definitions.indexing.release(token)

    def _fill(self, token: str) -> float | None:
        end = time.monotonic() + _SLICE_SECONDS
        charge = self._permit.charge
        while charge and not self._stopped.is_set() and time.monotonic() < end:
            progress = self._store.definitions.progress()
            passes = {name: progress.passes.get(name, PassProgress()) for name in self._passes}
            left = [name for name in passes if not passes[name].is_over]
            if not left:
                self._refresh(self._placer.configured_names.intersection(progress.feeds), at_once=True)
                if self._store.definitions.note_filled(charge):
                    log.info("feeds_filled", feeds=sorted(progress.feeds)[:20], articles=progress.done)
                return 0.0
            away = 0
            for name in left:
                if self._permit.charge != charge or not self._store.definitions.indexing.extend(token, _LEASE_MS):
                    return 0.0
                begun = time.monotonic()
                try:
                    after = self._step(name, passes[name], progress)
                except RecordAway as error:
                    away += 1
                    self._wait_for_record(progress, str(error))
                    continue
                if not self._store.definitions.note_progress(charge, name, after):
                    return 0.0
                self._stopped.wait((time.monotonic() - begun) * _REST)
            if away == len(left):
                return None
            self._is_waiting = self._is_waiting and away > 0
        return 0.0

    def _step(self, name: str, before: PassProgress, progress: IndexProgress) -> PassProgress:
        """Go one step on in a pass; return how far it is then. Raises RecordAway."""
        articles = before.articles
        if before.position is None and name == "recorded":
            articles = self._recorded.count(progress.feeds)
        elif name == "hot":
            articles = self._store.articles.count()
        step = self._passes[name](progress.feeds, before.position)
        self._refresh(step.changed_feeds)
        after = replace(before, done=before.done + step.count, articles=articles, position=step.position)
        return replace(after, articles=max(articles, after.done), is_over=step.position is None)

    def _hot(self, feeds: Collection[str], position: Position | None) -> Step:
        """Go through the articles in Redis, the newest published first."""
        last = None if position is None else (position[0], float(position[1]))
        batch = self._store.articles.newest_after(last, _BATCH)
        if not batch:
            return Step(0, None, set())
        changed_feeds = self._index_placer.place([article_id for article_id, _ in batch], feeds)
        article_id, place = batch[-1]
        return Step(len(batch), (article_id, str(place)), changed_feeds)

    def _wait_for_record(self, progress: IndexProgress, reason: str) -> None:
        """Say once that the record is needed for the rest."""
        if not self._is_waiting:
            self._is_waiting = True
            feeds = sorted(progress.feeds)[:20]
            log.warning("index_waits", feeds=feeds, reason=reason, next_step="goes on when the record is back")

    def _refresh(self, feeds: Collection[str], *, at_once: bool = False) -> None:
        """Have documents made anew; those of the feeds that are configured one by one not at every batch."""
        now = time.monotonic()
        self._changed |= set(feeds)
        due = {
            feed
            for feed in self._changed
            if at_once or now - self._refreshed.get(feed, -_REFRESH_SECONDS) >= _REFRESH_SECONDS
        }
        self._changed -= due
        self._refreshed.update((feed, now) for feed in due & self._placer.configured_names)
        self._store.changes.refresh_documents(due, clock.ms(clock.agreed()))
