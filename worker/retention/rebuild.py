"""Rebuilds Redis from the record, when Redis has lost all or the last of what it had.

It has two parts. *Founding* takes a second or two, and nobody works with Redis before it is done (agreement.py): the
numbers of feeds go on after all that the record has, so none is given twice; endpoints, lists, updates and feeds of
patterns are back; events that were accepted and not carried out are appended again. From then on events are carried
out: an article that Redis lacks, or has older than the record, is restored before anybody decides about it.

An endpoint may have got what Redis lost before it was noted. So the feeds wait until the events that were accepted
before the loss are carried out again: nobody gets an older version after a newer one.

The rest is done feed by feed, those that somebody follows first: the window, what receivers have still to get, the
receivers with their cursors. Until a feed is done nobody reads its window and nobody is claimed: no reader sees an
empty feed, and no receiver is taken for one that has all. Then come embargoes. One worker does it, and another goes on
where it has died, because every step may be done again.
"""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

import structlog

from feeds.definition import FeedDefinition
from worker import clock
from worker.record import agreement as record_agreement
from worker.record import rebuilding
from worker.record.articles import read_lists, read_pattern_feeds, read_updates
from worker.retention.feed_rebuild import FeedRebuild
from worker.retention.lost_events import LostEvents
from worker.retention.restoration import Restoration
from worker.store.agreement import CLOCKS_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

    from worker.record import Record
    from worker.record.agreement import RecordStanding
    from worker.retention.agreement import Verdict
    from worker.store import Store
    from worker.store.agreement import Progress, RedisStanding
    from worker.store.restoring import NumberedDecision

log = structlog.get_logger()

_LEASE_MS = 10_000
"""A worker that has got nowhere for so long is taken to be dead, and another goes on."""
_FOUNDING_LEASE_MS = 20_000
"""The same while nobody works with Redis: so long one step of that may take, on a large record too."""
_SLICE_SECONDS = 5.0
"""How long a worker goes on before it logs how far it is."""
_BEFORE_MS = 120_000
"""What was noted so long before Redis stopped is in it, whatever the order in which things were written."""
_EVENTS_MS = 30_000
"""So long feeds wait for the events that were accepted before Redis lost time."""
_EVENTS_SECONDS = 0.05
"""How often it is looked for them meanwhile."""
_ARTICLES_AT_ONCE = 200
_UPDATES_AT_ONCE = 5000
_STEPS = ("due", "changed")
"""What is done after the feeds, in this order."""


class Rebuild:
    """One worker's part in a rebuild. `store` is behind the fence, `founding` is not (agreement.py).

    `window_of` returns how many articles the documents of a feed show, 0 of a feed that the settings do not have;
    `offer` is called with each feed that is done, so that its receivers are served.
    """

    def __init__(
        self,
        store: Store,
        founding: Store,
        record: Record,
        window_of: Callable[[str], int],
        offer: Callable[[str], object],
    ) -> None:
        self._store = store
        self._founding = founding
        self._record = record
        self._offer = offer
        self._articles = Restoration(store, record)
        self._feeds = FeedRebuild(store, record, self._articles, window_of)
        self._lost_events = LostEvents(founding, record)
        self._begun = 0
        self._stopped = Event()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()
        self._lost_events.stop()

    def begin(self, verdict: Verdict, redis: RedisStanding, record: RecordStanding) -> bool:
        """Do what is to be done before anybody works with Redis; False while another worker does it.

        Raises errors of Redis and of the record's database: then it is begun anew.
        """
        agreement = self._founding.agreement
        if (token := agreement.rebuilding.acquire(_FOUNDING_LEASE_MS)) is None:
            return False
        try:
            # Another worker may have done it since it was looked.
            if agreement.read() != redis:
                return False
            now = agreement.now()
            if verdict in ("redis_empty", "redis_older"):
                since = 0 if verdict == "redis_empty" else max(1, agreement.alive_last() - _BEFORE_MS)
                log.error(
                    "rebuild_begun",
                    lost="everything" if verdict == "redis_empty" else f"what it had from {since} (ms) on",
                    next_step="it is rebuilt from the record",
                )
                agreement.begin("rebuild", verdict, now, since)
                self._lay_ground(token, record.time - CLOCKS_MS, is_blocking=True, is_emptied=verdict == "redis_empty")
            elif verdict != "new":
                agreement.begin("note", verdict, now, 0)
                log.warning("record_behind", what=verdict, next_step="all that Redis has is noted")
            if record.restored:
                with self._record.write() as connection:
                    record_agreement.forget_restored(connection)
            agreement.join(record.epoch, record.noted)
        finally:
            agreement.rebuilding.release(token)
        return True

    def order(self) -> bool:
        """Begin a rebuild because a person asks, of a Redis that agrees with the record; False while one goes on."""
        agreement = self._founding.agreement
        if agreement.read().work or (token := agreement.rebuilding.acquire(_FOUNDING_LEASE_MS)) is None:
            return False
        try:
            now = agreement.now()
            agreement.begin("rebuild", "ordered", now, 1)
            # Nothing was decided on a Redis that had lost time.
            self._lay_ground(token, now, is_blocking=False, is_emptied=False)
        finally:
            agreement.rebuilding.release(token)
        return True

    def carry_on(self) -> float | None:
        """Go on with a rebuild that was begun, for a while, unless another worker does.

        Returns after how many seconds to go on; None when there is nothing more.
        """
        agreement = self._store.agreement
        if agreement.read().work != "rebuild" or (token := agreement.rebuilding.acquire(_LEASE_MS)) is None:
            return None
        try:
            if self._awaits_events(agreement.progress()):
                return _EVENTS_SECONDS
            end = time.monotonic() + _SLICE_SECONDS
            for _ in self._parts():
                if self._stopped.is_set() or not agreement.rebuilding.extend(token, _LEASE_MS):
                    return None
                if time.monotonic() > end:
                    break
            progress = agreement.progress()
            about = {"done": progress.done, "of": progress.all, "articles": progress.articles}
            if progress.finished:
                seconds = round((progress.finished - progress.begun) / 1000, 1)
                log.info("rebuilt", seconds=seconds, articles=progress.articles, reason=progress.reason)
            else:
                log.info("rebuilding", **about)
        finally:
            agreement.rebuilding.release(token)
        return 0.0

    def _lay_ground(self, token: str, noted_until: int, *, is_blocking: bool, is_emptied: bool) -> None:
        """Found all that no event may be carried out without. Each step may be done again, by two at once too."""
        restoring, agreement = self._founding.restoring, self._founding.agreement

        def goes_on() -> None:
            agreement.rebuilding.extend(token, _FOUNDING_LEASE_MS)

        with self._record.read() as connection:
            feeds = rebuilding.feeds(connection)
            followed = rebuilding.followed(connection)
            restoring.lists({row.name: (row.microseconds, row.articles) for row in read_lists(connection)})
            last = ""
            while updates := read_updates(connection, last, _UPDATES_AT_ONCE):
                restoring.updates(updates)
                goes_on()
                last = max(updates)
            goes_on()
            restoring.pattern_feeds(list(read_pattern_feeds(connection)))
            restoring.definitions(
                {
                    feed: FeedDefinition.model_validate_json(text).filling
                    for feed, text in rebuilding.latest_definitions(connection).items()
                }
            )
            endpoints = rebuilding.endpoint_beginnings(connection)
        goes_on()
        heads = {feed: row.head for feed, row in feeds.items()}
        decided = restoring.decided_after(heads, noted_until, is_emptied=is_emptied)
        with self._record.read() as connection:
            in_record = {feed: _numbers_in_record(connection, feed, decisions) for feed, decisions in decided.items()}
        if strays := restoring.open_feeds(
            heads, noted_until, in_record, is_blocking=is_blocking, is_emptied=is_emptied
        ):
            # The record may have them with the numbers that they had.
            self._founding.unnoted.mark(*strays)
        # After the numbers of their feeds: nobody takes them for up to date with a feed that seems to have had nothing.
        restoring.announce_endpoints(endpoints)
        goes_on()
        self._founding.known_ids.distrust()
        self._lost_events.append_all()
        agreement.queue({feed: 0 if feed in followed else 1 for feed in feeds})
        agreement.note_progress({"all": len(feeds) + len(_STEPS)})
        log.info("rebuild_founded", feeds=len(feeds))

    def _awaits_events(self, progress: Progress) -> bool:
        if progress.done or clock.ms(clock.agreed()) > progress.begun + _EVENTS_MS:
            return False
        with self._record.read() as connection:
            return rebuilding.is_any_unfinished(connection, progress.begun + CLOCKS_MS)

    def _parts(self) -> Iterator[None]:
        """Do what is left, and yield after each part that is done."""
        agreement = self._store.agreement
        progress = agreement.progress()
        if progress.begun != self._begun:
            self._begun = progress.begun
            self._feeds.begin()
        while (feed := agreement.next_feed()) is not None:
            for articles in self._feeds.rebuild(feed, progress.since, progress.begun):
                agreement.advance(articles=articles)
                yield
            if agreement.finish_feed(feed):
                agreement.advance(parts=1)
            self._offer(feed)
            yield
        for step in _STEPS[_STEPS.index(progress.step) + 1 if progress.step else 0 :]:
            for articles in self._embargoes() if step == "due" else self._changed(progress):
                agreement.advance(articles=articles)
                yield
            agreement.note_progress({"step": step})
            agreement.advance(parts=1)
        agreement.note_progress({"finished": clock.ms(clock.agreed())})

    def _embargoes(self) -> Iterator[int]:
        """Restore the articles whose visibility changes by itself, the next first."""
        last = (0, "")
        while True:
            with self._record.read() as connection:
                due = rebuilding.due_after(connection, last, _ARTICLES_AT_ONCE)
            if not due:
                return
            last = due[-1]
            yield self._articles.restore([article_id for _, article_id in due])

    def _changed(self, progress: Progress) -> Iterator[int]:
        """Restore the articles that have changed since Redis stopped; of one that was empty the rest is cold."""
        last = (progress.since, "")
        while progress.since > 1:
            with self._record.read() as connection:
                changed = rebuilding.accepted_since(connection, progress.since, last, _ARTICLES_AT_ONCE)
            if not changed:
                return
            last = changed[-1]
            yield self._articles.restore([article_id for _, article_id in changed])


def _numbers_in_record(connection: Connection, feed: str, decisions: Mapping[str, NumberedDecision]) -> dict[str, int]:
    """The numbers of the decisions that the record has, or later ones of the same articles."""
    latest = rebuilding.decisions(connection, feed, decisions)
    return {
        article: row.number
        for article, row in decisions.items()
        if latest.get(article, (-1, -1)) >= (row.version, row.decided)
    }
