"""What goes on now: GET /desk. Its parts are sent anew when something happens that concerns them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from web.desk.parts import PREFIX, api_of, is_fragment, parts_of, visitor_of
from web.desk.routes.alarms import standing
from worker import clock
from worker.management.scopes import ALARMS_READ, ENDPOINTS_READ, LIVE_READ

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from starlette.requests import Request
    from starlette.responses import Response

_SPANS = ("hour", "day", "week")
_HAPPENED_MS = 600_000
_HAPPENED_MOST = 300
_LINES_MOST = 20
_COUNT_SECONDS = 0.02


async def now(request: Request) -> Response:
    """GET /desk: all of it; ?part=rates as a fragment: the charts alone, for another span."""
    visitor_of(request).caller.require(LIVE_READ)
    span = request.query_params.get("span", "")
    span = span if span in _SPANS else "hour"
    if is_fragment(request) and request.query_params.get("part") == "rates":
        return parts_of(request).pages.page(request, "now_rates.html", **await _rates(request, span))
    values: dict[str, Any] = {}
    readers = (_rates(request, span), _happened(request), *(part.read(request) for part in NOW_PARTS.values()))
    for answer in await asyncio.gather(*readers):
        values |= answer
    return parts_of(request).pages.page(request, "now.html", **values)


async def part_of_now(request: Request, name: str) -> str:
    """Return a part as it is now, for whoever has asked to follow the page."""
    part = NOW_PARTS[name]
    answer = parts_of(request).pages.page(request, part.template, **await part.read(request))
    return bytes(answer.body).decode()


async def _kills(request: Request) -> dict[str, Any]:
    return {"kills": (await api_of(request).get("kills"))["items"]}


async def _alarms(request: Request) -> dict[str, Any]:
    if ALARMS_READ not in visitor_of(request).caller.scopes:
        return {"groups": None}
    return await standing(request)


async def _endpoints(request: Request) -> dict[str, Any]:
    if ENDPOINTS_READ not in visitor_of(request).caller.scopes:
        return {"endpoints": None}
    return {"endpoints": await run_in_threadpool(parts_of(request).standing.endpoints)}


async def _state(request: Request) -> dict[str, Any]:
    parts = parts_of(request)
    system, absence = await asyncio.gather(run_in_threadpool(parts.standing.system), parts.record_health.absence())
    record = None
    if absence is not None:
        record = {"reason": absence.reason, "since": clock.moment(absence.since).isoformat()}
    return {"system": system, "record": record}


async def _happened(request: Request) -> dict[str, Any]:
    """What has gone out of late, the newest first; the page adds to it what comes."""
    news = parts_of(request).news
    lines = news.lines
    start = clock.ms(clock.agreed()) - _HAPPENED_MS

    def read() -> list[dict[str, Any]]:
        # While some page is open, they are taken in as they happen, and every page hears of them.
        if not news.has_followers:
            lines.take(reversed(parts_of(request).api_parts.store.live.summary.latest(_HAPPENED_MOST)))
            lines.count(_COUNT_SECONDS)
        return lines.newest(start)[:_LINES_MOST]

    return {"happened": await run_in_threadpool(read)}


async def _rates(request: Request, span: str) -> dict[str, Any]:
    points = (await api_of(request).get("rates", span=span))["points"]
    return {"points": points, "span": span, "spans": _SPANS}


class NowPart(NamedTuple):
    """A part of the page that is sent anew when there is news of `kinds`, every so many seconds at the most.

    routine: kinds of which there is news all the time, while all goes well: by these alone it is sent anew every so
    many `routine_seconds` at the most.
    """

    template: str
    read: Callable[[Request], Awaitable[dict[str, Any]]]
    kinds: frozenset[str]
    seconds: float
    routine: frozenset[str] = frozenset()
    routine_seconds: float = 0.0

    def due_after(self, kinds: Collection[str]) -> float | None:
        """Return how many seconds after news of these kinds it is sent anew at the latest; None: it is not."""
        if not self.kinds.isdisjoint(kinds):
            return self.seconds
        return None if self.routine.isdisjoint(kinds) else self.routine_seconds


NOW_PARTS = {
    "kills": NowPart(
        "now_kills.html",
        _kills,
        frozenset({"kills", "killed", "kill_confirmed"}),
        0.8,
    ),
    "now-alarms": NowPart("now_alarms.html", _alarms, frozenset({"alarms"}), 0.4),
    "state": NowPart("now_state.html", _state, frozenset({"state"}), 0.4),
    "troubled": NowPart(
        "now_endpoints.html",
        _endpoints,
        frozenset({"failed", "parked", "paused"}),
        4.0,
        # A script for each endpoint: every four seconds of it cost as much as all else that open pages do.
        routine=frozenset({"delivered", "carried_out"}),
        routine_seconds=15.0,
    ),
}
"""By the ids that they have in the page."""

ROUTES = [Route(f"{PREFIX}/", now), Route(PREFIX, now), Route(f"{PREFIX}/now", now)]
