"""Which endpoints fail, and which lag: a few commands for each feed, however many endpoints and articles there are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from feeds.moments import iso
from worker.store.alarms import Cause
from worker.store.endpoints import SUSPENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from config.endpoint_settings import EndpointSettings
    from worker.store import Store
    from worker.store.endpoints import EndpointStanding

FAILING, LAG = "endpoint_failing", "endpoint_lag"


def failing_and_lagging(
    store: Store, endpoints: Iterable[EndpointSettings], now: int, failing_ms: int, lag_ms: int
) -> list[Cause]:
    """Return the causes at `now` (ms): endpoints that take nothing for so long, others that lag so much; 0: none do."""
    by_feed = defaultdict(list)
    for endpoint in endpoints:
        by_feed[endpoint.feed].append(endpoint)
    causes, suspects = [], []
    for feed, of_feed in by_feed.items():
        standings = store.endpoints.standings(feed, [endpoint.name for endpoint in of_feed])
        for endpoint, standing in zip(of_feed, standings, strict=True):
            if standing.suspended or standing.failing_since:
                causes += _failing(endpoint.name, standing, now, failing_ms)
            elif _may_lag(endpoint, standing, now, lag_ms):
                suspects.append(endpoint)
    return causes + _lagging(store, suspects, now, lag_ms)


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


def _lagging(store: Store, suspects: Sequence[EndpointSettings], now: int, limit: int) -> list[Cause]:
    # What a receiver with several articles in flight has already, only its ledger tells: of few it is asked.
    overviews = store.endpoints.overviews([(endpoint.feed, endpoint.name) for endpoint in suspects])
    causes = []
    for endpoint, overview in zip(suspects, overviews, strict=True):
        delay = int(endpoint.rights.delay.total_seconds() * 1000) if endpoint.rights.delay else 0
        if overview.behind and overview.waiting and now - overview.waiting - delay >= limit:
            causes.append(Cause(LAG, endpoint.name, f"an article waits since {iso(overview.waiting)}"))
    return causes
