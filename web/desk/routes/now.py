"""What goes on now: GET /desk. Each part of the page is made anew when something happens that concerns it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from web.desk.parts import PREFIX, api_of, is_fragment, parts_of, visitor_of
from web.desk.phrases import language_of
from web.desk.routes.alarms import standing
from worker import clock
from worker.management.scopes import ALARMS_READ, ENDPOINTS_READ, LIVE_READ

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_SPANS = ("hour", "day", "week")
_HAPPENED_MS = 600_000
_HAPPENED_MOST = 300
_LINES_MOST = 20
_COUNT_SECONDS = 0.02
_PARTS = {
    "kills": "now_kills.html",
    "alarms": "now_alarms.html",
    "endpoints": "now_endpoints.html",
    "state": "now_state.html",
    "rates": "now_rates.html",
}


async def now(request: Request) -> Response:
    """GET /desk: all of it; ?part=NAME as a fragment: that part alone."""
    visitor_of(request).caller.require(LIVE_READ)
    part = request.query_params.get("part", "")
    span = request.query_params.get("span", "")
    span = span if span in _SPANS else "hour"
    if is_fragment(request) and part in _PARTS:

        async def make() -> Response:
            values = await _READERS[part](request, span)
            return parts_of(request).pages.page(request, _PARTS[part], **values)

        key = ("now", part, span, visitor_of(request).caller.scopes, language_of(request))
        return await parts_of(request).shared.get(key, make)
    values: dict[str, Any] = {}
    for answer in await asyncio.gather(*(read(request, span) for read in _READERS.values())):
        values |= answer
    return parts_of(request).pages.page(request, "now.html", **values)


async def _kills(request: Request, _: str) -> dict[str, Any]:
    return {"kills": (await api_of(request).get("kills"))["items"]}


async def _alarms(request: Request, _: str) -> dict[str, Any]:
    if ALARMS_READ not in visitor_of(request).caller.scopes:
        return {"groups": None}
    return await standing(request)


async def _endpoints(request: Request, _: str) -> dict[str, Any]:
    if ENDPOINTS_READ not in visitor_of(request).caller.scopes:
        return {"endpoints": None}
    return {"endpoints": await run_in_threadpool(parts_of(request).standing.endpoints)}


async def _state(request: Request, _: str) -> dict[str, Any]:
    parts = parts_of(request)
    system, absence = await asyncio.gather(run_in_threadpool(parts.standing.system), parts.record_health.absence())
    record = None
    if absence is not None:
        record = {"reason": absence.reason, "since": clock.moment(absence.since).isoformat()}
    return {"system": system, "record": record}


async def _happened(request: Request, _: str) -> dict[str, Any]:
    """What has gone out of late, the newest first; the page adds to it what comes."""
    news = parts_of(request).news
    lines = news.lines
    start = clock.ms(clock.agreed()) - _HAPPENED_MS

    def read() -> list[dict[str, Any]]:
        # While some page is open, they are taken in as they happen, and every page hears of them.
        if not news.has_followers:
            lines.take(reversed(parts_of(request).api_parts.store.live.latest(_HAPPENED_MOST)))
            lines.count(_COUNT_SECONDS)
        return lines.newest(start)[:_LINES_MOST]

    return {"happened": await run_in_threadpool(read)}


async def _rates(request: Request, span: str) -> dict[str, Any]:
    points = (await api_of(request).get("rates", span=span))["points"]
    return {"points": points, "span": span, "spans": _SPANS}


_READERS = {
    "kills": _kills,
    "alarms": _alarms,
    "endpoints": _endpoints,
    "state": _state,
    "rates": _rates,
    "happened": _happened,
}

ROUTES = [Route(f"{PREFIX}/", now), Route(PREFIX, now), Route(f"{PREFIX}/now", now)]
