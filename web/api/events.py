"""The receipt of an event: GET /api/v1/events/{event}."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from web.api.access import EventsReader
from web.api.parts import Parts
from web.api.problems import RequestProblem, not_there
from web.api.visibility import sees_any
from web.api.waits import seconds_of
from worker.takedown.coverage_report import SUBSCRIPTIONS
from worker.takedown.event_receipts import DeliveryReceipt, ReceiverStanding, answer, done

if TYPE_CHECKING:
    from web.api.parts import ApiParts
    from web.live_listener import LiveSubscription
    from worker.management.callers import Caller

router = APIRouter(tags=["events"])

_WAITING_MOST = 500
"""How many requests of one process wait at once."""
_PAUSE_SECONDS = 0.2
"""A receipt is not made more often than this for one request, however much happens."""
_UNTOLD_SECONDS = 2.0
"""How often it is made anew while it is subscriptions that are waited for: of these there is no news."""
_waiting = 0


class ReceiverState(BaseModel):
    """How far an endpoint, or all subscriptions of a feed together, are with what an event made."""

    feed: str
    receiver: str = Field(description=f"The endpoint's name, or {SUBSCRIPTIONS}.")
    standing: ReceiverStanding
    version: int | None = Field(description="Which version of the article it has.")
    since: datetime | None
    reason: str | None = Field(description="Why it is not delivered.")
    page: str | None = Field(description="After a kill: what was seen on its page.")


class EventState(BaseModel):
    """What became of one event."""

    event: str
    kind: Literal["kill", "reinstatement"] | None
    accepted: datetime
    way: str = Field(description="By which way it came: post, api, cli, xadd, celery, ...")
    sender: str | None
    in_redis: bool = Field(description="Whether Redis has it, or had it; if not, it is appended when Redis is there.")
    carried_out: datetime | None
    result: str | None = Field(description="published, corrected, killed, held, duplicate, stale, conflict ...")
    reason: str | None
    article: str | None
    version: int | None = Field(description="The revision that it made.")
    held_until: datetime | None = Field(description="The end of the article's embargo.")
    receivers: list[ReceiverState]
    done: bool | None = Field(
        description="It is carried out, and nothing more is done for a receiver: each has it, or waits for a person "
        "(parked, paused). null: it can't be said while Redis is away."
    )
    proven: bool | None = Field(description="Of a kill: whether every receiver has confirmed it, on its page too.")


class Receipt(BaseModel):
    """The receipt of an event; `events` has more than one entry where an id was used for several."""

    id: str
    done: bool | None
    events: list[EventState]


@router.get("/events/{event}", summary="What became of an event")
async def receipt(
    event: str,
    parts: Parts,
    caller: EventsReader,
    wait: Annotated[
        str, Query(description="Hold the answer until it is done, or for so long: `10s`, `500ms`, at most `60s`.")
    ] = "",
    receivers: Annotated[
        bool, Query(description="`false`: what became of the event alone; `done` and `proven` are null then.")
    ] = True,
) -> Receipt:
    """Return the receipt: accepted, carried out, and how far each receiver is."""
    seconds = seconds_of(wait)
    if not receivers:
        return await _without_receivers(parts, caller, event)
    receipts = await _receipts(parts, caller, event)
    if seconds and not done(receipts):
        receipts = await _wait(parts, caller, event, seconds)
    if not receipts:
        raise not_there("event", event)
    return Receipt.model_validate(answer(event, receipts, lambda feed: sees_any(caller, [feed])))


async def _without_receivers(parts: ApiParts, caller: Caller, event: str) -> Receipt:
    receipts = await run_in_threadpool(parts.receipts.without_receivers, event)
    visible = [item for item in receipts if sees_any(caller, item.feeds)]
    if not visible:
        raise not_there("event", event)
    return Receipt.model_validate(answer(event, visible))


async def _receipts(parts: ApiParts, caller: Caller, event: str) -> list[DeliveryReceipt]:
    receipts = await run_in_threadpool(parts.receipts.of, event)
    return [item for item in receipts if sees_any(caller, item.feeds)]


async def _wait(parts: ApiParts, caller: Caller, event: str, seconds: float) -> list[DeliveryReceipt]:
    """Return the receipts when all is done, or as they are when the time is over."""
    global _waiting  # noqa: PLW0603 (of this process)
    if _waiting >= _WAITING_MOST:
        raise RequestProblem(503, "Too many requests wait; ask without `wait`.", headers={"Retry-After": "5"})
    now = asyncio.get_running_loop().time
    end = now() + seconds
    _waiting += 1
    try:
        with parts.live.subscription() as news:
            while True:
                receipts = await _receipts(parts, caller, event)
                if done(receipts) or now() >= end or news.ended:
                    return receipts
                await _news_of(news, event, receipts, end)
    finally:
        _waiting -= 1


async def _news_of(news: LiveSubscription, event: str, receipts: list[DeliveryReceipt], end: float) -> None:
    """Return when something has happened to an event or its articles, or at the end."""
    now = asyncio.get_running_loop().time
    articles = {item.event.article_id for item in receipts} - {None}
    opened = [receiver for item in receipts for receiver in item.receivers if receiver.is_open]
    if opened and all(receiver.receiver == SUBSCRIPTIONS for receiver in opened):
        end = min(end, now() + _UNTOLD_SECONDS)
    await asyncio.sleep(min(_PAUSE_SECONDS, max(0.0, end - now())))
    while (left := end - now()) > 0 and not news.ended:
        happened = await news.wait(left)
        if news.began_anew:
            news.began_anew = False
            return
        if any(
            live_event.fields.get("event") == event or live_event.fields.get("article") in articles
            for live_event in happened
        ):
            return
