"""How the newsroom stands now: the endpoints that lag or fail and why, what waits, what is there. Kept for a moment.

However many desks are open, it is read once in a while for all of them.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from worker import clock
from worker.management.callers import DATELINE
from worker.receivers.endpoint_states import is_refusing
from worker.store import redis_errors

if TYPE_CHECKING:
    from web.api.parts import ApiParts
    from worker.store.endpoints import EndpointOverview

_FRESH_SECONDS = 1.5
_PARKED_MOST = 5_000
"""So many parked articles are read to count them by reason."""
_REASON_MOST = 80


class Standing:
    """Reads how it stands."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._lock = Lock()
        self._endpoints: tuple[float, dict[str, Any]] | None = None
        self._system: tuple[float, dict[str, Any]] | None = None

    def endpoints(self) -> dict[str, Any]:
        """Return the endpoints, those in trouble first, and how many these are. Raises redis.RedisError.

        Whoever asks has seen that the person may see endpoints.
        """
        with self._lock:
            if self._endpoints is None or time.monotonic() - self._endpoints[0] > _FRESH_SECONDS:
                self._endpoints = time.monotonic(), self._read_endpoints()
            return self._endpoints[1]

    def parked(self) -> tuple[list[dict[str, Any]], bool]:
        """Return what is parked by its reason, the most frequent first, and whether all of it was counted.

        Raises redis.RedisError.
        """
        reasons: dict[str, dict[str, Any]] = {}
        left, is_whole = _PARKED_MOST, True
        for row in self.endpoints()["rows"]:
            if not row["parked"]:
                continue
            left -= row["parked"]
            if left < 0:
                is_whole = False
                break
            for article, attempt in self._parts.store.attempts.parked(row["feed"], row["name"]).items():
                text = " ".join((attempt.answer or attempt.error).split())[:_REASON_MOST]
                reason = f"{attempt.status or ''} {text}".strip() or attempt.outcome
                of_reason = reasons.setdefault(reason, {"reason": reason, "count": 0, "endpoints": [], "time": 0})
                of_reason["count"] += 1
                if row["name"] not in of_reason["endpoints"]:
                    of_reason["endpoints"].append(row["name"])
                if attempt.time > of_reason["time"]:
                    of_reason |= {"time": attempt.time, "article": article}
        ordered = sorted(reasons.values(), key=lambda each: (-each["count"], each["reason"]))
        return [each | {"time": _iso(each["time"])} for each in ordered], is_whole

    def system(self) -> dict[str, Any]:
        """Return what is there of Redis and workers, and what waits."""
        with self._lock:
            if self._system is None or time.monotonic() - self._system[0] > _FRESH_SECONDS:
                self._system = time.monotonic(), self._read_system()
            return self._system[1]

    def _read_endpoints(self) -> dict[str, Any]:
        views = self._parts.endpoints()
        named = [views.view(DATELINE, name) for name in views.names(DATELINE)]
        overviews = self._parts.store.endpoints.overviews([(view.settings.feed, view.name) for view in named])
        now = clock.ms(clock.agreed())
        rows: list[dict[str, Any]] = [
            {
                "name": view.name,
                "feed": view.settings.feed,
                "partner": view.partner,
                "url": view.settings.url,
                "format": view.settings.format,
                "last_success": _iso(overview.health.success),
                "delivered": overview.health.successes,
                "failed": overview.health.failed_tries,
                "state": overview.state,
                "behind": overview.behind,
                "lag": max(0, now - overview.waiting) / 1000 if overview.waiting else 0.0,
                "failing_since": _iso(overview.failing.since),
                "next_try": _iso(overview.next_try),
                "status": overview.health.status or None,
                "reason": overview.reason or overview.health.error or "",
                "parked": overview.parked,
                "refusing": overview.state == "settled" and is_refusing(overview),
                "cause": cause(overview),
            }
            for view, overview in zip(named, overviews, strict=True)
        ]
        rows.sort(key=lambda row: (not row["cause"], -row["lag"], row["name"]))
        return {"all": len(rows), "troubled": sum(bool(row["cause"]) for row in rows), "rows": rows}

    def _read_system(self) -> dict[str, Any]:
        store, now = self._parts.store, clock.ms(clock.agreed())
        try:
            return {
                "redis": "",
                "workers": len(store.workers.alive(now)),
                "lost": store.workers.lost_workers(now),
                "waiting": store.events.waiting(),
                "unnoted": store.unnoted.waiting(),
            }
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                raise
            return {
                "redis": redis_errors.sentence(error),
                "workers": None,
                "lost": [],
                "waiting": None,
                "unnoted": None,
            }


def cause(overview: EndpointOverview) -> str:
    """Return why an endpoint lags, or what else is wrong with it; "" when nothing is. A phrase of the desk."""
    reasons = (
        (overview.state is None, "no worker has enrolled it yet"),
        (overview.suspended, "suspended after failures: somebody must resume it"),
        (overview.state == "paused", "paused by somebody"),
        (overview.failing.since, "it fails, and is tried again"),
        (overview.disputed, "it refuses some articles while it takes others"),
        (overview.replays, "articles are being sent again"),
        (overview.parked, "articles are parked"),
        (overview.behind, "it is being served"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _iso(milliseconds: int) -> str | None:
    return clock.moment(milliseconds).isoformat() if milliseconds else None
