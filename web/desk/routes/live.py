"""What happens, as it happens, for the pages that are open: GET /desk/live, server-sent events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from web.api.live import KINDS, EventStream, happenings, has_room
from web.desk.parts import PREFIX, parts_of, visitor_of
from worker.management.scopes import LIVE_READ
from worker.store.live import is_id

if TYPE_CHECKING:
    from starlette.requests import Request

    from web.desk.parts import DeskParts, Visitor

_LONGEST_SECONDS = 60.0
"""A stream ends then, and the browser asks again at once: so one does not outlive its session."""


async def live(request: Request) -> Response:
    """GET /desk/live: what the API sends at /api/v1/live."""
    parts, visitor = parts_of(request), visitor_of(request)
    visitor.caller.require(LIVE_READ)
    if not has_room():
        return Response("Too many follow already.\n", 503, {"Retry-After": "30"}, "text/plain")
    last = request.headers.get("last-event-id", "")
    if not is_id(last):
        last = await run_in_threadpool(parts.api_parts.store.live.last)
    return EventStream(
        happenings(parts.api_parts, visitor.caller, _validity(parts, visitor), last, frozenset(KINDS)),
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
    )


def _validity(parts: DeskParts, visitor: Visitor) -> _Validity:
    return _Validity(parts, visitor, time.monotonic() + _LONGEST_SECONDS)


class _Validity:
    """Whether a stream goes on: while the person may follow, as this process knows, and not too long."""

    def __init__(self, parts: DeskParts, visitor: Visitor, end: float) -> None:
        self._parts = parts
        self._person = visitor.person
        self._end = end

    def __call__(self) -> bool:
        person = self._parts.api_parts.management.person(self._person.name)
        return time.monotonic() < self._end and person is not None and person.password == self._person.password


ROUTES = [Route(f"{PREFIX}/live", live)]
