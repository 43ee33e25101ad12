"""Which endpoints fail, and which lag: a few commands for each feed, however many endpoints and articles there are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from feeds.moments import iso
from worker.store.alarms import Cause
from worker.store.endpoints import SUSPENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.endpoint_settings import EndpointSettings
    from worker.store import Store
    from worker.store.endpoints import EndpointStanding

FAILING, LAG = "endpoint_failing", "endpoint_lag"
_AGAIN_MS = 20_000
"""How soon the ledger of an endpoint is read again that lags behind the same change,"""
_AGAIN_MOST = 50
"""and of how many in one look."""


class _Wait(NamedTuple):
    """What waits for an endpoint behind a change: the first article since when (ms, 0: none); when that was read."""

    feed: str
    first_change: int
    waiting: int
    read_at: int


class EndpointCauses:
    """Looks at them, and remembers for a while which articles wait: of few endpoints at a time the ledger is read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waits: dict[str, _Wait] = {}

    def at(self, endpoints: Iterable[EndpointSettings], now: int, failing_ms: int, lag_ms: int) -> list[Cause]:
        """Return the causes at `now` (ms): endpoints that take nothing for so long, others that lag so much.

        0: none do. Raises redis.RedisError.
        """
        by_feed = defaultdict(list)
        for endpoint in endpoints:
            by_feed[endpoint.feed].append(endpoint)
        causes, suspects = [], []
        for feed, of_feed in by_feed.items():
            standings = self._store.endpoints.standings(feed, [endpoint.name for endpoint in of_feed])
            for endpoint, standing in zip(of_feed, standings, strict=True):
                if standing.suspended or standing.failing_since:
                    causes += _failing(endpoint.name, standing, now, failing_ms)
                elif _may_lag(endpoint, standing, now, lag_ms):
                    suspects.append((endpoint, standing.first_change))
        return causes + self._lagging(suspects, now, lag_ms)

    def _lagging(self, suspects: Sequence[tuple[EndpointSettings, int]], now: int, limit: int) -> list[Cause]:
        waits = {}
        for endpoint, first_change in suspects:
            wait = self._waits.get(endpoint.name)
            if wait and (wait.feed, wait.first_change) == (endpoint.feed, first_change):
                waits[endpoint.name] = wait
        unknown = [suspect for suspect in suspects if suspect[0].name not in waits]
        oldest_first = sorted(
            (suspect for suspect in suspects if suspect[0].name in waits),
            key=lambda suspect: waits[suspect[0].name].read_at,
        )
        due = [suspect for suspect in oldest_first if not 0 <= now - waits[suspect[0].name].read_at < _AGAIN_MS]
        self._waits = waits | self._read([*unknown, *due[:_AGAIN_MOST]], now)
        causes = []
        for endpoint, _ in suspects:
            waiting = self._waits[endpoint.name].waiting
            delay = int(endpoint.rights.delay.total_seconds() * 1000) if endpoint.rights.delay else 0
            if waiting and now - waiting - delay >= limit:
                causes.append(Cause(LAG, endpoint.name, f"an article waits since {iso(waiting)}"))
        return causes

    def _read(self, suspects: Sequence[tuple[EndpointSettings, int]], now: int) -> dict[str, _Wait]:
        """What a receiver with several articles in flight has already, only its ledger tells."""
        overviews = self._store.endpoints.overviews([(endpoint.feed, endpoint.name) for endpoint, _ in suspects])
        return {
            endpoint.name: _Wait(endpoint.feed, first_change, overview.waiting if overview.behind else 0, now)
            for (endpoint, first_change), overview in zip(suspects, overviews, strict=True)
        }


def _failing(name: str, standing: EndpointStanding, now: int, limit: int) -> list[Cause]:
    if not limit:
        return []
    if standing.suspended:
        reason = standing.reason.removeprefix(SUSPENDED).removeprefix(": ")
        return [Cause(FAILING, name, f"suspended: {reason}")]
    # One that somebody has paused is theirs.
    if standing.paused or now - standing.failing_since < limit:
        return []
    return [Cause(FAILING, name, f"it takes nothing since {iso(standing.failing_since)}")]


def _may_lag(endpoint: EndpointSettings, standing: EndpointStanding, now: int, limit: int) -> bool:
    if not limit or standing.paused or endpoint.kind == "pull" or not standing.first_change:
        return False
    return now - standing.first_change >= limit
