"""What happens, as it happens: GET /api/v1/live, server-sent events (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from web.access import bearer_token
from web.api.access import LiveReader
from web.api.partner_view import partner_view
from web.api.parts import Parts
from web.api.problems import RequestProblem, invalid
from web.api.visibility import unbound
from worker import clock
from worker.store.live import is_id, place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Send

    from web.api.partner_view import PartnerView
    from web.api.parts import ApiParts
    from web.live_listener import LiveSubscription
    from worker.management.callers import Caller
    from worker.store.live import LiveEvent

router = APIRouter(tags=["live"])

KINDS = ("accepted", "carried_out", "delivered", "failed", "parked", "paused", "kill_confirmed")
_BEAT_SECONDS = 1.0
"""How often it is looked whether the key is still valid."""
_COMMENT_BEATS = 15
"""After so many of them without news a comment is sent, so that proxies keep the connection."""
_BATCH = 500
_FOLLOWERS_MOST = 500
"""How many follow at once in one process."""
_followers = 0
SLOW_SECONDS = 10.0
"""How long a reader may take for one part of the stream before it ends."""


class EventStream(StreamingResponse):
    """A stream that ends when its reader does not take the next part in time: what waits for them is bounded."""

    media_type = "text/event-stream"

    async def stream_response(self, send: Send) -> None:
        """Send the parts as they come."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with suppress(TimeoutError):
            async for part in self.body_iterator:
                async with asyncio.timeout(SLOW_SECONDS):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@router.get(
    "/live",
    summary="What happens, as it happens",
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events."}},
)
async def live(
    request: Request,
    parts: Parts,
    caller: LiveReader,
    last_event_id: Annotated[str, Header(max_length=40, description="Go on after this event.")] = "",
    kinds: Annotated[str, Query(max_length=200, description=f"Only these, by commas, of {', '.join(KINDS)}.")] = "",
) -> EventStream:
    """Send events: `accepted`, `carried_out`, `delivered`, `failed`, `parked`, `paused`, `kill_confirmed`.

    The last ten thousand are kept, about: a client that was away names the last it has in `Last-Event-ID`, as browsers
    do. A key that is bound to feeds hears of these, one that is bound to a partner of its
    endpoints. Whoever reads too slowly loses the connection.
    """
    chosen = frozenset(filter(None, (kind.strip() for kind in kinds.split(","))))
    if unknown := sorted(chosen - set(KINDS)):
        raise invalid("kinds", f"there is no {unknown[0]}; known: {', '.join(KINDS)}")
    if last_event_id and not is_id(last_event_id):
        raise invalid("last-event-id", "is no id of an event of ours")
    if _followers >= _FOLLOWERS_MOST:
        raise RequestProblem(503, "Too many follow already.", headers={"Retry-After": "30"})
    start = last_event_id or await run_in_threadpool(parts.store.live.last)
    token = bearer_token(request.headers)

    def is_valid() -> bool:
        return parts.management.ring.caller(token, clock.ms(clock.agreed())) is not None

    stream = _happenings(parts, caller, is_valid, start, chosen or frozenset(KINDS))
    return EventStream(stream, headers={"X-Accel-Buffering": "no"})


async def _happenings(
    parts: ApiParts, caller: Caller, is_valid: Callable[[], bool], last: str, kinds: frozenset[str]
) -> AsyncIterator[bytes]:
    """Yield what happens after `last`, as it is sent. `is_valid`: whether the caller may still hear of it."""
    global _followers  # noqa: PLW0603 (of this process)
    _followers += 1
    try:
        yield b"retry: 2000\n\n"
        with parts.live.subscription() as news:
            async for events in _news(parts, news, is_valid, last):
                if not events:
                    yield b": nothing new\n\n"
                view = partner_view(parts, caller)
                text = b"".join(_shown(event, caller, view, kinds) for event in events)
                if text:
                    yield text
    finally:
        _followers -= 1


async def _news(
    parts: ApiParts, news: LiveSubscription, is_valid: Callable[[], bool], last: str
) -> AsyncIterator[list[LiveEvent]]:
    """Yield what happens after `last`, without gaps; nothing now and then. It ends when the caller's right does."""
    quiet = 0
    while not news.ended:
        events = await news.wait(_BEAT_SECONDS)
        if not is_valid():
            return
        if news.began_anew:
            news.began_anew = False
            if place(await run_in_threadpool(parts.store.live.last)) < place(last):
                # It is of a stream that was lost with its Redis: all that there is has happened since.
                last = "0-0"
            while missed := await run_in_threadpool(parts.store.live.after, last, _BATCH):
                last = missed[-1].id
                yield missed
                await asyncio.sleep(0)
        fresh = [event for event in events if place(event.id) > place(last)]
        if fresh:
            last = fresh[-1].id
            quiet = 0
            yield fresh
            continue
        quiet += 1
        if quiet >= _COMMENT_BEATS:
            quiet = 0
            yield []


def _shown(event: LiveEvent, caller: Caller, view: PartnerView | None, kinds: frozenset[str]) -> bytes:
    """An event as it is sent; nothing of one that the caller may not see, or did not ask for."""
    if event.kind not in kinds:
        return b""
    fields: dict[str, Any] | None = event.fields
    if view is not None:
        fields = view.fields_of(event)
    elif not unbound(caller):
        feeds = [feed for feed in event.fields.get("feeds", ()) if caller.sees(feed=feed, partner=None)]
        if not feeds:
            return b""
        fields = event.fields | {"feeds": feeds}
    if fields is None:
        return b""
    time = clock.moment(int(event.id.partition("-")[0])).isoformat()
    content = json.dumps({"time": time, **fields}, separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.kind}\ndata: {content}\n\n".encode()
