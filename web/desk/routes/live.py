"""What happens, as it happens, for the pages that are open: GET /desk/live, server-sent events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from web.api.live import EventStream
from web.desk.parts import PREFIX, parts_of, visitor_of
from web.desk.phrases import language_of
from worker.management.scopes import ARTICLES_READ, ENDPOINTS_READ, LIVE_READ

if TYPE_CHECKING:
    from starlette.requests import Request

    from web.desk.parts import DeskParts, Visitor

_LONGEST_SECONDS = 60.0
"""A stream ends then, and the browser asks again at once: so one does not outlive its session."""


async def live(request: Request) -> Response:
    """GET /desk/live: of what there is news, and what goes out."""
    parts, visitor = parts_of(request), visitor_of(request)
    for scope in (LIVE_READ, ARTICLES_READ, ENDPOINTS_READ):
        visitor.caller.require(scope)
    if not parts.news.has_room:
        return Response("Too many follow already.\n", 503, {"Retry-After": "30"}, "text/plain")
    since = request.headers.get("last-event-id", "") or request.query_params.get("since", "")
    group = None
    if request.query_params.get("page") == "now":
        group = (visitor.caller.scopes, language_of(request))
    end = time.monotonic() + _LONGEST_SECONDS
    return EventStream(
        parts.news.follow(request, group, since, lambda: time.monotonic() < end and _may_follow(parts, visitor)),
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


def _may_follow(parts: DeskParts, visitor: Visitor) -> bool:
    """Whether the person may follow, as this process knows."""
    person = parts.api_parts.management.person(visitor.person.name)
    return person is not None and person.password == visitor.person.password


ROUTES = [Route(f"{PREFIX}/live", live)]
