"""What a partner reads for itself instead of being pushed to: changes and kills in order, and its acknowledgement."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from feeds.formats import ARTICLE_FORMATS
from web.api.access import ArticlesPuller
from web.api.paging import LIMIT_MOST
from web.api.parts import Parts
from web.api.problems import RequestProblem, invalid, not_there
from web.api.waits import seconds_of
from worker import clock
from worker.destinations.endpoint import pulled
from worker.management.callers import FILTERED
from worker.management.scopes import ARTICLES_PULL
from worker.receivers.pull_position import CURSOR_MOST, PullPosition, WrongCursor
from worker.receivers.pull_stream import EndpointBusy

if TYPE_CHECKING:
    from collections.abc import Callable

    from web.api.parts import ApiParts
    from worker.destinations.endpoint import Endpoint
    from worker.management.callers import Caller
    from worker.receivers.pull_stream import Acknowledgement, PulledArticle, PulledPage

router = APIRouter(tags=["partners"])

_WAITING_MOST = 500
"""How many requests of one process wait at once."""
_LOOK_SECONDS = 0.5
"""How often a request that waits looks at the feeds; sooner when it hears that something has happened."""
_PAUSE_SECONDS = 0.1
"""It does not look more often than this, however much happens."""
_READ_SECONDS = 5.0
"""How often it reads although no feed has changed: what was delayed may be due, or a pause be over."""
_TRIES = 5
_AGAIN_SECONDS = 0.2
_waiting = 0

PubStatus = Literal["usable", "withheld", "canceled"]
_PUBSTATUS: dict[str, PubStatus] = {"killed": "canceled", "withdrawn": "withheld"}


class StreamedArticle(BaseModel):
    """A change of an article, with the article as it is now, within the partner's rights.

    `document` is what an endpoint in this format is pushed, as JSON, or as a text where the format is XML.
    """

    cursor: str = Field(description="Acknowledges all up to this article.")
    endpoint: str
    feed: str
    id: str = Field(description="The id of this message; the same again means the same document again.")
    type: Literal["article.published", "article.corrected", "article.killed", "article.withdrawn"]
    article: str
    version: int
    pubstatus: PubStatus
    updated: datetime
    media_type: str
    document: Any


class ArticleStream(BaseModel):
    """A part of the stream, in order."""

    items: list[StreamedArticle]
    next: str = Field(description="The cursor of the end of this part: goes into `after`, or is acknowledged.")
    more: bool = Field(description="Whether there is more at once.")
    paused: list[str] = Field(description="Endpoints that get nothing until the newsroom resumes them.")


class CursorToAcknowledge(BaseModel):
    """A cursor of the stream."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(max_length=CURSOR_MOST)


class Acknowledged(BaseModel):
    """How far the partner is by now. `complete`: all that the cursor names was handed out, and is confirmed."""

    cursor: str
    confirmed: int = Field(description="How many articles were confirmed by this.")
    complete: bool


@router.get(
    "/partners/{partner:segment}/articles",
    summary="A partner's articles, as they change",
    response_model=ArticleStream,
)
async def stream(
    partner: str,
    parts: Parts,
    caller: ArticlesPuller,
    feed: Annotated[str, Query(max_length=200, description="Of this feed alone.")] = "",
    after: Annotated[
        str, Query(max_length=CURSOR_MOST, description="A cursor; without it after what was acknowledged.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=LIMIT_MOST, description="How many at the most.")] = 50,
    wait: Annotated[
        str, Query(description="Hold the answer until there is something, or for so long: `10s`, at most `60s`.")
    ] = "",
) -> Response:
    """Return changes, kills and withdrawals of the partner's endpoints of the kind `pull`, in their order."""
    seconds = seconds_of(wait)

    def endpoints() -> list[Endpoint]:
        return _endpoints(parts, caller, partner, feed)

    there = endpoints()
    position = _position("after", after) if after else None
    end = asyncio.get_running_loop().time() + seconds
    for _ in range(_TRIES):
        page = await run_in_threadpool(parts.pulls.read, there, position, limit)
        if not page.articles and seconds:
            page = await _wait(parts, endpoints, position, limit, end)
        body = await run_in_threadpool(_body, page)
        # Nothing comes between this and the first byte.
        if parts.pulls.may_leave(page):
            return Response(body, media_type="application/json")
        await asyncio.sleep(_AGAIN_SECONDS)
    detail = "Something is being withdrawn, or Redis is not heard; nothing is handed out until that is clear."
    raise RequestProblem(503, detail, headers={"Retry-After": "1"})


@router.post("/partners/{partner:segment}/articles/ack", summary="Acknowledge a partner's articles")
def acknowledge(partner: str, parts: Parts, caller: ArticlesPuller, named: CursorToAcknowledge) -> Acknowledged:
    """Note that the partner has everything up to a cursor safely, and has taken down what was killed.

    It counts as the 2xx of an endpoint does, so a kill is not proven before. What was never handed out is not passed:
    `complete` is false then, and `cursor` says how far it went.
    """
    endpoints = _endpoints(parts, caller, partner, "")
    position = _position("cursor", named.cursor)
    return _acknowledged(_acknowledge(parts, endpoints, position))


def _acknowledge(parts: ApiParts, endpoints: list[Endpoint], position: PullPosition) -> Acknowledgement:
    try:
        return parts.pulls.acknowledge(endpoints, position)
    except EndpointBusy as error:
        detail = f"{error} is being set up; acknowledge again in a moment."
        raise RequestProblem(503, detail, headers={"Retry-After": "1"}) from None


def _endpoints(parts: ApiParts, caller: Caller, partner: str, feed: str) -> list[Endpoint]:
    """The endpoints that the caller may read of a partner. Raises RequestProblem."""
    if not caller.may(ARTICLES_PULL, feed=FILTERED, partner=partner):
        raise not_there("partner", partner)
    endpoints = parts.management.endpoints_in_use()
    chosen = [
        pulled(endpoints.settings[name])
        for name, owner in endpoints.managed.items()
        if owner == partner and name in endpoints.settings and endpoints.settings[name].kind == "pull"
    ]
    visible = [endpoint for endpoint in chosen if caller.sees(feed=endpoint.feed) and feed in ("", endpoint.feed)]
    if not visible:
        of_feed = f" of the feed {feed}" if feed else ""
        raise RequestProblem(
            404, f'There is no partner {partner}, or it has no endpoint with kind = "pull"{of_feed} for this key.'
        )
    return visible


def _position(field: str, cursor: str) -> PullPosition:
    try:
        return PullPosition.parse(cursor)
    except WrongCursor as error:
        raise invalid(field, str(error)) from None


async def _wait(
    parts: ApiParts, endpoints: Callable[[], list[Endpoint]], position: PullPosition | None, limit: int, end: float
) -> PulledPage:
    """Read again when something has changed, until there is something or the time is over.

    Each time by the endpoints that there are then: rights may be others by now, and an endpoint gone.
    """
    global _waiting  # noqa: PLW0603 (of this process)
    if _waiting >= _WAITING_MOST:
        raise RequestProblem(503, "Too many requests wait; ask without `wait`.", headers={"Retry-After": "5"})
    now = asyncio.get_running_loop().time
    _waiting += 1
    try:
        with parts.live.subscription() as news:
            while True:
                in_use = parts.management.endpoints_in_use()
                there = await run_in_threadpool(endpoints)
                heads = await run_in_threadpool(parts.pulls.heads, there)
                page = await run_in_threadpool(parts.pulls.read, there, position, limit)
                again = now() + _READ_SECONDS
                if page.articles or now() >= end or news.ended:
                    return page
                while now() < min(again, end) and not news.ended:
                    await asyncio.sleep(min(_PAUSE_SECONDS, max(0.0, end - now())))
                    await news.wait(max(0.0, min(_LOOK_SECONDS, end - now())))
                    if parts.management.endpoints_in_use() is not in_use:
                        break
                    if await run_in_threadpool(parts.pulls.heads, there) != heads:
                        break
    finally:
        _waiting -= 1


def _body(page: PulledPage) -> bytes:
    part = ArticleStream(
        items=[_item(article) for article in page.articles], next=page.cursor, more=page.more, paused=page.paused
    )
    return part.model_dump_json().encode()


def _item(item: PulledArticle) -> StreamedArticle:
    message, entry = item.pending.message, item.pending.entry
    assert message is not None
    assert entry is not None
    media_type = ARTICLE_FORMATS[item.endpoint.format].media_type
    is_json = media_type.partition(";")[0].endswith("json")
    return StreamedArticle(
        cursor=item.cursor,
        endpoint=item.endpoint.name,
        feed=item.endpoint.feed,
        id=message.id,
        type=f"article.{entry.status}",
        article=item.pending.article_id,
        version=entry.version,
        pubstatus=_PUBSTATUS.get(entry.status, "usable"),
        updated=clock.moment(clock.ms(item.stored.article.updated)),
        media_type=media_type,
        document=json.loads(message.text) if is_json else message.text.decode("utf-8"),
    )


def _acknowledged(done: Acknowledgement) -> Acknowledged:
    return Acknowledged(cursor=done.cursor, confirmed=done.articles, complete=done.complete)
