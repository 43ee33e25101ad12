"""What goes on now: GET /desk. Each part of the page is made anew when something happens that concerns it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from web.desk.parts import PREFIX, api_of, is_fragment, parts_of, visitor_of
from web.desk.routes.alarms import standing
from worker import clock
from worker.management.scopes import ALARMS_READ, ENDPOINTS_READ, LIVE_READ

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_SPANS = ("hour", "day", "week")
_HAPPENED_MS = 600_000
_HAPPENED_MOST = 40
_SHOWN_FIELDS = ("article", "endpoint", "status", "error", "milliseconds")
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
        values = await _READERS[part](request, span)
        return parts_of(request).pages.page(request, _PARTS[part], **values)
    values = {}
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
    """The last of what has happened, the newest first; the page adds to it what comes."""
    live = parts_of(request).api_parts.store.live
    start = clock.ms(clock.agreed()) - _HAPPENED_MS
    events = await run_in_threadpool(live.latest, _HAPPENED_MOST)
    rows = []
    for event in events:
        time = int(event.id.partition("-")[0])
        if time >= start:
            fields = {name: event.fields.get(name) for name in _SHOWN_FIELDS}
            rows.append({"kind": event.kind, "time": clock.moment(time).isoformat(), **fields})
    return {"happened": rows}


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
