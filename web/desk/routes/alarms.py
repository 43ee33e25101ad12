"""Alarms: GET /desk/alarms, and who takes care of them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.parts import PREFIX, api_of, is_fragment, parts_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_DONE = {"acknowledge": "Somebody takes care of it.", "snooze": "It rests for an hour."}
_SNOOZE_MINUTES = 60


async def alarms(request: Request) -> Response:
    """GET /desk/alarms: those that stand, by rule, and the channels; as a fragment, these alone."""
    values = await standing(request)
    template = "alarm_rows.html" if is_fragment(request) else "alarms.html"
    ordered = _DONE.get(request.query_params.get("ordered", ""), "")
    return parts_of(request).pages.page(request, template, ordered=ordered, **values)


async def badge(request: Request) -> Response:
    """GET /desk/alarms/badge: how many nobody takes care of, for the navigation of every page."""
    values = await standing(request)
    return parts_of(request).pages.page(request, "alarm_badge.html", **values)


async def standing(request: Request) -> dict[str, Any]:
    """Return the alarms that stand by their rules, and how the channels do."""
    overview = await api_of(request).get("alarms")
    groups = [(rule, list(rows)) for rule, rows in groupby(overview["items"], key=lambda row: row["rule"])]
    return {"groups": groups, "open_alarms": overview["open"], "channels": overview["channels"]}


async def acknowledge(request: Request) -> Response:
    """POST /desk/alarms/ALARM/acknowledge."""
    await api_of(request).post("alarms", request.path_params["alarm"], "acknowledge")
    return RedirectResponse(f"{PREFIX}/alarms?ordered=acknowledge", 303)


async def snooze(request: Request) -> Response:
    """POST /desk/alarms/ALARM/snooze: for an hour."""
    await api_of(request).post("alarms", request.path_params["alarm"], "snooze", body={"minutes": _SNOOZE_MINUTES})
    return RedirectResponse(f"{PREFIX}/alarms?ordered=snooze", 303)


ROUTES = [
    Route(f"{PREFIX}/alarms", alarms),
    Route(f"{PREFIX}/alarms/badge", badge),
    Route(f"{PREFIX}/alarms/{{alarm:segment}}/acknowledge", acknowledge, methods=["POST"]),
    Route(f"{PREFIX}/alarms/{{alarm:segment}}/snooze", snooze, methods=["POST"]),
]
