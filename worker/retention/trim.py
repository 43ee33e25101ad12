"""Takes out of Redis what is cold, a bounded batch at a time, with rests so that events and kills get through.

An article is cold when it has not changed for long, the record has it exactly as Redis does, and nothing moves it or
may move it soon: a window, a schedule, a list, a receiver that is behind, what is set aside, a page that is looked at.

It goes in two steps. First it is marked, and so gets another rev: who works on it from then on takes the mark away, and
who has read it before finds that it was saved, or has ended when the grace is over. Then it goes, if it is still marked
and still cold: its hash first, if its rev is as it was read, then what feeds have of it, if that is as it was read. So
an article whose hash is there is whole; what a worker leaves that dies in between, the next round takes out.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from threading import Event
from typing import TYPE_CHECKING, Protocol

import structlog

from worker import clock
from worker.record.articles import window
from worker.record.availability import RecordAway
from worker.retention.recorded import differs
from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import timedelta

    from worker.retention.known_id_filter import KnownIdFilter
    from worker.retention.outdated import OutdatedRows
    from worker.retention.recorded import RecordedArticle, RecordedArticles
    from worker.retention.warm import HotArticles
    from worker.store import Store
    from worker.store.cooling import HotArticle, PlaceInFeed

log = structlog.get_logger()

TRIM_SECONDS = 10.0
"""How often what is cold is looked for."""
SPARE = 10
"""So many members below a window stay hot: they are in it as soon as others leave."""
GRACE_SECONDS = 60.0
"""How long an article is marked before it goes: longer than anybody works on what they have read."""
_BATCH = 100
"""Articles gone through at once."""
_REST = 1.0
"""How long the worker rests after a batch, as a part of the time that it took."""
_SLICE_SECONDS = 10.0
"""How long it goes on before it logs how far it is."""
_LEASE_MS = 30_000
_WARM_MS = 3_600_000
"""So long an article stays hot at least that came back from the record."""
_MORE_MEMBERS = 100
"""So many more members of a feed are asked for than are missing in its window."""
_MOST_ORPHANS = 10_000
"""Of so many articles without a hash it is remembered since when they are seen."""


class TrimTerms(Protocol):
    """What has to be known of the newsroom."""

    def may_trim(self) -> bool:
        """Whether this worker has the newest definitions of feeds."""

    def limit(self, feed: str) -> int:
        """Return how many members the documents of a feed show; 0 when it is no longer a feed."""

    def picks(self) -> Collection[str]:
        """Return the ids of the articles in curated lists that feeds are made of."""

    def formats(self) -> Iterable[str]:
        """Return the names of the formats whose quality gate may refuse an article."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An article that may be cold: what the record and the feeds have of it."""

    hot: HotArticle
    recorded: RecordedArticle
    places: dict[str, PlaceInFeed]


class Trimmer:
    """Takes cold articles out, and fills windows that others have left. One worker at a time does so."""

    def __init__(
        self,
        store: Store,
        recorded: RecordedArticles,
        articles: HotArticles,
        known_ids: KnownIdFilter,
        outdated: OutdatedRows,
        terms: TrimTerms,
        *,
        hot: timedelta,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._store = store
        self._recorded = recorded
        self._articles = articles
        self._known_ids = known_ids
        self._outdated = outdated
        self._terms = terms
        self._hot_ms = int(hot.total_seconds() * 1000)
        self._grace_ms = int(grace_seconds * 1000)
        self._lease = store.lease(keys.TRIM)
        self._stopped = Event()
        self._start = 0
        self._orphans: dict[str, int] = {}
        self._taken_out = 0
        self._stay: Counter[str] = Counter()

    def stop(self) -> None:
        """Begin no more batches."""
        self._stopped.set()

    def trim(self) -> float | None:
        """Go on for a while, unless another worker does so or knows more of the feeds; return 0 when there is more.

        What an error of Redis or of the record leaves half done, a later round ends. Raises redis.RedisError.
        """
        if not self._terms.may_trim() or (token := self._lease.acquire(_LEASE_MS)) is None:
            return None
        try:
            return self._all(token)
        except RecordAway as error:
            log.warning("trim_waits_for_the_record", reason=str(error), next_step="it goes on when the record answers")
            return None
        finally:
            self._lease.release(token)

    def _all(self, token: str) -> float | None:
        if not self._known_ids.complete(self._rested(token)):
            return 0.0 if self._recorded.epoch() else None
        self.fill_windows()
        self._outdated.delete(self._rested(token))
        return self._trim(self._rested(token))

    def _rested(self, token: str) -> Callable[[], bool]:
        """Make a function that rests between two batches; False when the slice is over, or the lease is lost."""
        end = time.monotonic() + _SLICE_SECONDS
        begun = time.monotonic()

        def rested() -> bool:
            nonlocal begun
            if self._stopped.wait(min(1.0, (time.monotonic() - begun) * _REST)):
                return False
            begun = time.monotonic()
            return begun < end and self._terms.may_trim() and self._lease.extend(token, _LEASE_MS)

        return rested

    def _trim(self, rested: Callable[[], bool]) -> float | None:
        while rested():
            before = clock.ms(clock.agreed()) - self._hot_ms
            ids = self._store.cooling.oldest(self._start, _BATCH, before)
            if not ids:
                if self._taken_out:
                    log.info("articles_trimmed", articles=self._taken_out, stay=dict(self._stay))
                self._start, self._taken_out = 0, 0
                self._stay.clear()
                return None
            left = self.trim_articles(ids)
            # Those that are out are not in the list any longer.
            self._start += left
        log.info("articles_being_trimmed", articles=self._taken_out, looked_at=self._start, stay=dict(self._stay))
        return 0.0

    def trim_articles(self, article_ids: Sequence[str]) -> int:
        """Mark those of the articles that are cold, take out those that were marked before; return how many stay."""
        now = clock.ms(clock.agreed())
        there = self._store.cooling.read(article_ids)
        self._finish([name for name, hot in there.items() if hot is None], now)
        articles = [hot for hot in there.values() if hot is not None]
        # Who has been marked for too short a time is not looked at.
        due = [hot for hot in articles if not hot.cooling or hot.cooling + self._grace_ms <= now]
        cold = self._cold(due, now)
        self._store.cooling.mark([candidate.hot for candidate in cold if not candidate.hot.cooling], now)
        going = [candidate for candidate in cold if candidate.hot.cooling]
        cold_ids = {candidate.hot.article_id for candidate in cold}
        self._store.cooling.unmark([hot for hot in due if hot.cooling and hot.article_id not in cold_ids])
        self._take_out(going)
        return len(self._store.cooling.listed(article_ids))

    def _cold(self, articles: Sequence[HotArticle], now: int) -> list[_Candidate]:
        changed_before = now - self._hot_ms
        picks = self._terms.picks()
        waiting = self._store.cooling.in_motion([hot.article_id for hot in articles], self._terms.formats())
        still = []
        for hot in articles:
            if hot.accepted >= changed_before or hot.warmed >= now - min(_WARM_MS, self._hot_ms):
                self._stay["changed"] += 1
            elif hot.article_id in picks:
                self._stay["list"] += 1
            elif hot.article_id in waiting:
                self._stay["waiting"] += 1
            else:
                still.append(hot)
        if not still:
            return []
        recorded = self._recorded.read([hot.article_id for hot in still])
        documents = self._store.cooling.documents([hot.article_id for hot in still])
        same = [
            hot
            for hot in still
            if self._is_recorded(hot, recorded.get(hot.article_id), documents.get(hot.article_id, ""))
        ]
        places = self._places({hot.article_id: (hot.feeds, recorded[hot.article_id]) for hot in same})
        slowest = self._slowest({feed for hot in same for feed in hot.feeds}, now)
        return [
            _Candidate(hot, recorded[hot.article_id], places[hot.article_id])
            for hot in same
            if not self._need(recorded[hot.article_id], places[hot.article_id], slowest, changed_before)
        ]

    def _is_recorded(self, hot: HotArticle, recorded: RecordedArticle | None, doc: str) -> bool:
        same = (
            recorded is not None
            and recorded.document.rev in (hot.rev, hot.recorded)
            and recorded.document.doc == doc
            and recorded.sha256 == sha256(doc.encode()).hexdigest()
        )
        if not same:
            self._stay["record"] += 1
        return same

    def _places(
        self, articles: Mapping[str, tuple[Collection[str], RecordedArticle]]
    ) -> dict[str, dict[str, PlaceInFeed]]:
        """What feeds have of articles (id -> its feeds, what the record has of it)."""
        feeds = {feed for names, recorded in articles.values() for feed in {*names, *recorded.places}}
        endpoints = {feed: self._store.cooling.endpoints(feed) for feed in feeds}
        calls = []
        for name, (in_feeds, recorded) in articles.items():
            for feed in sorted({*in_feeds, *recorded.places}):
                place = recorded.places.get(feed)
                named = sorted({*endpoints[feed], *(place.ledger if place else ())})
                calls.append((name, feed, self._keep(feed), named))
        places: dict[str, dict[str, PlaceInFeed]] = {name: {} for name in articles}
        for (name, feed, _, _), place_in_feed in zip(calls, self._store.cooling.examine(calls), strict=True):
            places[name][feed] = place_in_feed
        return places

    def _slowest(self, feeds: Collection[str], now: int) -> dict[str, int | None]:
        return {feed: self._store.cooling.slowest(feed, now - self._hot_ms) for feed in feeds}

    def _keep(self, feed: str) -> int:
        limit = self._terms.limit(feed)
        return limit + SPARE if limit else 0

    def _need(
        self,
        recorded: RecordedArticle,
        places: Mapping[str, PlaceInFeed],
        slowest: Mapping[str, int | None],
        changed_before: int,
    ) -> str:
        """Why an article has to stay, "" when it is cold."""
        for feed, place in places.items():
            in_record = recorded.places.get(feed)
            behind = slowest.get(feed)
            if place.need:
                reason = place.need
            elif in_record is None:
                reason = "" if place.is_empty else "record"
            elif in_record.state == "early" or in_record.asof >= changed_before:
                reason = "changed"
            elif behind is not None and in_record.seq > behind:
                reason = "behind"
            else:
                reason = differs(in_record, place) and "record"
            if reason:
                self._stay[reason] += 1
                return reason
        return ""

    def _take_out(self, candidates: Sequence[_Candidate]) -> None:
        if not candidates:
            return
        self._store.known_ids.note_trimming()
        removed = self._store.cooling.remove([candidate.hot for candidate in candidates])
        gone = [candidate for candidate, is_gone in zip(candidates, removed, strict=True) if is_gone]
        needed = self._take_places({candidate.hot.article_id: candidate.places for candidate in gone})
        self._store.cooling.unlist([c.hot.article_id for c in gone if c.hot.article_id not in needed])
        if needed:
            self._articles.warm(needed)
        self._taken_out += len(gone) - len(needed)

    def _take_places(self, places: Mapping[str, Mapping[str, PlaceInFeed]]) -> set[str]:
        """Take articles out of feeds; return those that a feed needs after all."""
        calls = [
            (name, feed, self._keep(feed), place) for name, of_feed in places.items() for feed, place in of_feed.items()
        ]
        reasons = self._store.cooling.take_out(calls)
        return {name for (name, *_), reason in zip(calls, reasons, strict=True) if reason}

    def _finish(self, article_ids: Sequence[str], now: int) -> None:
        """Take out what is left of articles whose hash is gone, because a worker died that was taking them out.

        Only after a while: they may just be saved for the first time, or just come back.
        """
        due = [name for name in article_ids if self._orphans.get(name, now) + self._grace_ms <= now]
        due = [name for name in due if name in self._orphans]
        if len(self._orphans) > _MOST_ORPHANS:
            self._orphans.clear()
        for name in article_ids:
            self._orphans.setdefault(name, now)
        if not due:
            return
        recorded = self._recorded.read(due)
        places = self._places({name: ((), article) for name, article in recorded.items()})
        left: dict[str, dict[str, PlaceInFeed]] = {}
        for name, of_feed in places.items():
            there = {feed: place for feed, place in of_feed.items() if not place.is_empty}
            if all(not differs(recorded[name].places[feed], place) for feed, place in there.items()):
                left[name] = there
        # After their places were read: what comes back from now on has other stamps, or is written after this.
        still_gone = self._store.cooling.read(list(left))
        left = {name: places_left for name, places_left in left.items() if still_gone.get(name, "damaged") is None}
        needed = self._take_places(left)
        self._store.cooling.unlist([name for name in left if name not in needed])
        self._articles.warm(needed)
        for name in due:
            self._orphans.pop(name, None)

    def fill_windows(self) -> None:
        """Bring back the members that are missing in windows, because others have left."""
        for feed, (hot, _) in self._store.cooling.feeds_with_cold().items():
            missing = self._keep(feed) - hot
            if missing <= 0:
                continue
            lowest = self._store.cooling.lowest_place(feed)
            # With those that stand at the same place; some may have left, and the record not know it yet.
            below = None if lowest is None else lowest + 1
            next_ones = partial(window, feed=feed, limit=missing + _MORE_MEMBERS, below=below)
            ids = [member.article_id for member in self._recorded.ask(next_ones) or []]
            hot_ones = self._store.changes.states(feed, ids)
            if cold := [name for name in ids if name not in hot_ones][:missing]:
                log.info("window_filled", feed=feed, articles=len(cold))
                self._articles.warm(cold)
