"""What new endpoints get of the articles that were published before they came: their setting `backfill`.

It waits until the feed is filled, and is then sent again beside the changes, as a replay that a person has ordered.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from feeds.patterns import pattern_of
from worker.record.availability import RecordAway
from worker.record.feed_past import members_published

if TYPE_CHECKING:
    from worker.retention.recorded import RecordedArticles
    from worker.store import Store
    from worker.wakeups import Wakeups

log = structlog.get_logger()

_PER_SECOND = 50.0
"""How many articles a second an endpoint gets this way at the most."""
_LEASE_MS = 10_000
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_REPLAY_ORDERED = "asked"
"""In place of the setting: the replay has been ordered, and the endpoint has still to be set back so that it begins."""


class EndpointBackfills:
    """The endpoints that wait for theirs. What is left to do stands in their details, so any worker can go on."""

    def __init__(self, store: Store, recorded: RecordedArticles, wakeups: Wakeups) -> None:
        self._store = store
        self._recorded = recorded
        self._wakeups = wakeups
        self._waiting: set[tuple[str, str]] = set()

    def expect(self, feed: str, endpoint: str) -> None:
        """An endpoint may wait for it."""
        self._waiting.add((feed, endpoint))

    def carry_out(self) -> None:
        """Order the replays of those endpoints whose feeds are filled, unless another worker does so."""
        if not self._waiting or (token := self._store.definitions.indexing.acquire(_LEASE_MS)) is None:
            return
        try:
            being_filled = self._store.definitions.progress().feeds
            for feed, endpoint in list(self._waiting):
                if being_filled.keys().isdisjoint((feed, pattern_of(feed))) and self._serve(feed, endpoint):
                    self._waiting.discard((feed, endpoint))
        except RecordAway as error:
            log.warning("backfill_waits_for_the_record", reason=str(error), next_step="tried again in a second")
        finally:
            self._store.definitions.indexing.release(token)

    def _serve(self, feed: str, endpoint: str) -> bool:
        """Order the replay of one endpoint; True when nothing is left to do for it."""
        receivers, receiver = self._store.receivers, f"endpoint:{endpoint}"
        details = receivers.details(feed, receiver)
        backfill = details.get("backfill", "")
        if not backfill:
            return True
        if backfill != _REPLAY_ORDERED:
            articles = self._past(feed, backfill, details["enrolled"], details["since"])
            log.info("endpoint_backfilled", endpoint=endpoint, feed=feed, articles=len(articles))
            if articles:
                name = f"backfill-{details['enrolled']}"
                self._store.replays.request(feed, endpoint, articles, name, same_ids=True, rate=_PER_SECOND)
            receivers.note_backfill(feed, receiver, _REPLAY_ORDERED if articles else "")
            if not articles:
                return True
        if not self._store.replays.rewind(feed, endpoint):
            # The worker that is serving it may have looked for replays before: try again in a moment.
            return False
        receivers.note_backfill(feed, receiver, "")
        self._wakeups.distribute(feed)
        return True

    def _past(self, feed: str, backfill: str, enrolled: int, since: int) -> dict[str, int]:
        """The articles that an endpoint gets which was enrolled at `enrolled` (ms), when the head was at `since`.

        Each with when it was published (ms), which is their order. What has changed after that is sent to it anyway.
        """
        members = self._store.changes.members(feed)
        seqs = self._store.changes.seqs(feed, members)
        before = [article_id for article_id, seq in zip(members, seqs, strict=True) if seq <= since]
        published = dict(zip(before, self._store.articles.published(before), strict=True))
        number, unit = int(backfill.rstrip(" articlesmhd")), backfill.lstrip("0123456789")
        by_count = unit == " articles"
        earliest = 0 if by_count else enrolled - number * _UNIT_MS[unit]
        published |= self._cold(feed, earliest, number + len(members) if by_count else None, since)
        if by_count:
            newest_first = sorted(published.items(), key=lambda article_time: article_time[1], reverse=True)
            return dict(newest_first[:number])
        return {article_id: time_ms for article_id, time_ms in published.items() if time_ms >= earliest}

    def _cold(self, feed: str, earliest: int, limit: int | None, since: int) -> dict[str, int]:
        """The members that are cold, the newest that were published from `earliest` on, each with when (ms).

        `limit`: at least so many with those that are hot; None: all.
        """
        members = self._recorded.ask(partial(members_published, feed=feed, since=earliest, limit=limit))
        past = {member.article_id: member.published for member in members or () if member.sequence <= since}
        states = self._store.changes.states(feed, list(past))
        return {name: published for name, published in past.items() if name not in states}
