"""The partners' endpoints: how they do, what they were sent and answered, and what is ordered of them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.api_calls import unless_away
from web.desk.parts import PREFIX, api_of, form_of, is_fragment, parts_of, place_in_desk, visitor_of
from web.desk.replays import order_replay
from worker.management.scopes import ENDPOINTS_READ

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_ROWS_MOST = 100
"""So many are shown at first; `?all=1` shows all."""
_HOURS_MOST = 720
"""So long an old secret signs beside the new one, at the most."""
_SPANS = ("day", "week", "month")
_ORDERS = {
    "pause": "Paused: it gets nothing until somebody resumes it.",
    "resume": "Resumed: it catches up.",
    "retry": "It is tried now.",
    "replay": "The articles are being sent again.",
    "stop": "Stopped: what was not sent yet is not sent.",
    "saved": "Saved: workers go by it within a second.",
    "removed": "Removed: it gets nothing more.",
}


async def endpoints(request: Request) -> Response:
    """GET /desk/endpoints: all of them, those in trouble first."""
    visitor_of(request).caller.require(ENDPOINTS_READ)
    query = request.query_params
    words, state = query.get("q", "").strip().lower(), query.get("state", "")
    rows = (await run_in_threadpool(parts_of(request).standing.endpoints))["rows"]
    visible = [
        row
        for row in rows
        if (not words or any(words in str(row[name] or "").lower() for name in ("name", "feed", "partner", "url")))
        and (state != "troubled" or row["cause"])
    ]
    values: dict[str, Any] = {
        "rows": visible if query.get("all") else visible[:_ROWS_MOST],
        "count": len(visible),
        "words": query.get("q", ""),
        "state": state,
    }
    template = "endpoint_rows.html" if is_fragment(request) else "endpoints.html"
    return parts_of(request).pages.page(request, template, **values, ordered=_ORDERS.get(query.get("ordered", ""), ""))


async def endpoint(request: Request) -> Response:
    """GET /desk/endpoints/ENDPOINT: one of them, with the last attempts."""
    return await _endpoint(request)


async def _endpoint(request: Request, status: int = 200, **more: Any) -> Response:
    api, name = api_of(request), request.path_params["endpoint"]
    after = request.query_params.get("after", "")
    span = request.query_params.get("span", "")
    span = span if span in _SPANS else "day"
    state, attempts, replay, outcomes = await asyncio.gather(
        api.call("GET", "endpoints", name),
        unless_away(api.get("endpoints", name, "attempts", limit=50, after=after)),
        unless_away(api.get("endpoints", name, "replays")),
        unless_away(api.get("endpoints", name, "outcomes", span=span)),
    )
    values: dict[str, Any] = {
        "outcomes": outcomes,
        "span": span,
        "spans": _SPANS,
        "endpoint": state.content,
        "revision": state.revision,
        "attempts": attempts,
        "replay": replay,
        "ordered": _ORDERS.get(request.query_params.get("ordered", ""), ""),
        "outcome": None,
        "secret": None,
        "planned": None,
        "errors": {},
        "wrong": {},
        "fields": {},
    }
    return parts_of(request).pages.page(request, "endpoint.html", status=status, **(values | more))


async def parked(request: Request) -> Response:
    """GET /desk/endpoints-parked: what endpoints have refused for good, by the reason."""
    visitor_of(request).caller.require(ENDPOINTS_READ)
    reasons, is_whole = await run_in_threadpool(parts_of(request).standing.parked)
    return parts_of(request).pages.page(request, "parked.html", reasons=reasons, is_whole=is_whole)


async def standing(request: Request) -> Response:
    """GET /desk/endpoints/ENDPOINT/standing: how it does and how far a replay is, as a fragment."""
    api, name = api_of(request), request.path_params["endpoint"]
    state, replay = await asyncio.gather(api.get("endpoints", name), unless_away(api.get("endpoints", name, "replays")))
    return parts_of(request).pages.page(request, "endpoint_standing.html", endpoint=state, replay=replay)


async def attempt(request: Request) -> Response:
    """GET /desk/endpoints/ENDPOINT/attempts/ATTEMPT: what was sent, and what was answered when."""
    name, identity = request.path_params["endpoint"], request.path_params["attempt"]
    row = await api_of(request).get("endpoints", name, "attempts", identity)
    values = {"name": name, "try": row}
    return parts_of(request).pages.page(request, "endpoint_attempt.html", **values)


async def pause(request: Request) -> Response:
    """POST /desk/endpoints/ENDPOINT/pause."""
    return await _order(request, "pause")


async def resume(request: Request) -> Response:
    """POST /desk/endpoints/ENDPOINT/resume."""
    return await _order(request, "resume")


async def retry(request: Request) -> Response:
    """POST /desk/endpoints/ENDPOINT/retry."""
    return await _order(request, "retry")


async def test(request: Request) -> Response:
    """POST /desk/endpoints/ENDPOINT/test: send a test article, and show what it answers."""
    outcome = await api_of(request).post("endpoints", request.path_params["endpoint"], "test")
    return await _endpoint(request, outcome=outcome)


async def rotate(request: Request) -> Response:
    """POST /desk/endpoints/ENDPOINT/rotate: make a new secret, and show it this once."""
    hours = form_of(request).get("hours", "24").strip()
    if not re.fullmatch("[0-9]{1,3}", hours) or int(hours) > _HOURS_MOST:
        wrong = {"hours": f"must be 0 to {_HOURS_MOST} hours"}
        return await _endpoint(request, 422, wrong=wrong, fields=form_of(request))
    body = {"overlap_seconds": int(hours) * 3600}
    rotated = await api_of(request).post("endpoints", request.path_params["endpoint"], "rotate", body=body)
    return await _endpoint(request, secret=rotated["secret"])


async def replay(request: Request) -> Response:
    """POST /desk/endpoints/ENDPOINT/replays: first how many articles that is, then, once confirmed, send them."""
    name, fields = request.path_params["endpoint"], form_of(request)
    more = {term: fields[term] for term in ("section", "rate") if fields.get(term)}
    answer = await order_replay(api_of(request), parts_of(request).pages, name, fields, more)
    if answer.errors:
        return await _endpoint(request, 422, errors=answer.errors, fields=fields)
    if answer.planned is not None:
        return await _endpoint(request, planned=answer.planned, fields=fields)
    return _back(request, "replay")


async def stop(request: Request) -> Response:
    """POST /desk/endpoints/ENDPOINT/replays/stop."""
    await api_of(request).call("DELETE", "endpoints", request.path_params["endpoint"], "replays")
    return _back(request, "stop")


async def _order(request: Request, order: str) -> Response:
    await api_of(request).post("endpoints", request.path_params["endpoint"], order)
    return _back(request, order)


def _back(request: Request, order: str) -> Response:
    """Back to where the button was."""
    own = f"{PREFIX}/endpoints/{quote(request.path_params['endpoint'], safe='')}?ordered={order}"
    return RedirectResponse(place_in_desk(form_of(request).get("next", ""), own), 303)


_ENDPOINT = f"{PREFIX}/endpoints/{{endpoint:name}}"
ROUTES = [
    Route(f"{PREFIX}/endpoints", endpoints),
    Route(f"{PREFIX}/endpoints-parked", parked),
    Route(f"{_ENDPOINT}/standing", standing),
    Route(f"{_ENDPOINT}/attempts/{{attempt:segment}}", attempt),
    Route(f"{_ENDPOINT}/pause", pause, methods=["POST"]),
    Route(f"{_ENDPOINT}/resume", resume, methods=["POST"]),
    Route(f"{_ENDPOINT}/retry", retry, methods=["POST"]),
    Route(f"{_ENDPOINT}/test", test, methods=["POST"]),
    Route(f"{_ENDPOINT}/rotate", rotate, methods=["POST"]),
    Route(f"{_ENDPOINT}/replays", replay, methods=["POST"]),
    Route(f"{_ENDPOINT}/replays/stop", stop, methods=["POST"]),
    # The last: a name may have a slash, as the addresses above have behind it.
    Route(_ENDPOINT, endpoint),
]
