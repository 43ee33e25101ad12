"""What happens, as it happens, for the pages that are open: GET /desk/live, server-sent events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from web.api.live import EventStream
from web.desk.news import News
from web.desk.parts import PREFIX, parts_of, visitor_of
from web.desk.phrases import language_of
from worker.management.scopes import ARTICLES_READ, ENDPOINTS_READ, LIVE_READ

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from web.desk.parts import DeskParts, Visitor

_NAMES_MOST = 20
"""So many articles, endpoints and events a page may name."""
_LONGEST_SECONDS = 60.0
"""A stream ends then, and the browser asks again at once: so one does not outlive its session."""


async def live(request: Request) -> Response:
    """GET /desk/live: of what there is news, and what goes out."""
    parts, visitor = parts_of(request), visitor_of(request)
    for scope in (LIVE_READ, ARTICLES_READ, ENDPOINTS_READ):
        visitor.caller.require(scope)
    if not parts.news.has_room:
        return Response("Too many follow already.\n", 503, {"Retry-After": "30"}, "text/plain")
    query = request.query_params
    since = request.headers.get("last-event-id", "") or query.get("since", "")
    group = None
    if query.get("page") == "now":
        group = (visitor.caller.scopes, language_of(request))
    end = time.monotonic() + _LONGEST_SECONDS
    return EventStream(
        parts.news.follow(
            request, group, _shown(query), since, lambda: time.monotonic() < end and _may_follow(parts, visitor)
        ),
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


def _shown(query: QueryParams) -> News | None:
    """What a page says that it shows; None: it does not say."""
    if "kinds" not in query:
        return None
    named = (frozenset(query.getlist(name)[:_NAMES_MOST]) for name in ("article", "endpoint", "event"))
    return News(frozenset(query["kinds"].split()), *named)


def _may_follow(parts: DeskParts, visitor: Visitor) -> bool:
    """Whether the person may follow, as this process knows."""
    person = parts.api_parts.management.person(visitor.person.name)
    return person is not None and person.password == visitor.person.password


ROUTES = [Route(f"{PREFIX}/live", live)]
