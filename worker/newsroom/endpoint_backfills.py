"""What new endpoints get of what was published before they came: their `backfill`.

It is read of the feed once that is filled, and goes out beside the changes, as what a person has sent again does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from feeds.patterns import pattern_of

if TYPE_CHECKING:
    from worker.store import Store
    from worker.wakeups import Wakeups

log = structlog.get_logger()

_PER_SECOND = 50.0
"""How many articles a second an endpoint gets so at the most."""
_LEASE_MS = 10_000
_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class EndpointBackfills:
    """The endpoints that wait for theirs. What is left to do stands in their details, so any worker can go on."""

    def __init__(self, store: Store, wakeups: Wakeups) -> None:
        self._store = store
        self._wakeups = wakeups
        self._waiting: set[tuple[str, str]] = set()

    def expect(self, feed: str, endpoint: str) -> None:
        """An endpoint may wait for it."""
        self._waiting.add((feed, endpoint))

    def carry_out(self) -> None:
        """Have those served whose feeds are filled, unless another worker does so."""
        if not self._waiting or (token := self._store.definitions.indexing.acquire(_LEASE_MS)) is None:
            return
        try:
            being_filled = self._store.definitions.progress().feeds
            for feed, endpoint in list(self._waiting):
                if being_filled.keys().isdisjoint((feed, pattern_of(feed))) and self._serve(feed, endpoint):
                    self._waiting.discard((feed, endpoint))
        finally:
            self._store.definitions.indexing.release(token)

    def _serve(self, feed: str, endpoint: str) -> bool:
        """Ask for what an endpoint is to get; True when there is nothing more to do."""
        receivers, receiver = self._store.receivers, f"endpoint:{endpoint}"
        details = receivers.details(feed, receiver)
        wanted = details.get("backfill", "")
        if not wanted:
            return True
        if wanted != "asked":
            articles = self._past(feed, wanted, details["enrolled"], details["since"])
            log.info("endpoint_backfilled", endpoint=endpoint, feed=feed, articles=len(articles))
            if articles:
                name = f"backfill-{details['enrolled']}"
                self._store.replays.request(feed, endpoint, articles, name, same_ids=True, rate=_PER_SECOND)
            receivers.note_backfill(feed, receiver, "asked" if articles else "")
            if not articles:
                return True
        if not self._store.replays.rewind(feed, endpoint):
            # A worker holds it that may have looked before: once more in a moment.
            return False
        receivers.note_backfill(feed, receiver, "")
        self._wakeups.distribute(feed)
        return True

    def _past(self, feed: str, wanted: str, enrolled: int, since: int) -> dict[str, int]:
        """The articles of the feed that an endpoint gets which came at `enrolled` (ms), when the head was at `since`.

        Each with when it was published (ms), which is their order. What has changed after that it is told anyway.
        """
        members = self._store.changes.members(feed)
        seqs = self._store.changes.seqs(feed, members)
        before = [name for name, seq in zip(members, seqs, strict=True) if seq <= since]
        published = dict(zip(before, self._store.articles.published(before), strict=True))
        number, unit = int(wanted.rstrip(" articlesmhd")), wanted.lstrip("0123456789")
        if unit == " articles":
            return dict(sorted(published.items(), key=lambda item: item[1], reverse=True)[:number])
        return {name: moment for name, moment in published.items() if moment >= enrolled - number * _MS[unit]}
