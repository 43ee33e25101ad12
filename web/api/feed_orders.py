"""What is ordered of the past of a feed that was defined anew: its receivers get it, or lose it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import FeedsReader, FeedsWriter
from web.api.parts import Parts
from web.api.problems import RequestProblem, not_there
from web.api.visibility import sees_any
from worker.newsroom.feed_orders import order_past, progress_of

if TYPE_CHECKING:
    from web.api.parts import ApiParts
    from worker.management.callers import Caller

router = APIRouter(tags=["feeds"])


class FeedOrderTerms(BaseModel):
    """What is ordered: to push what a new definition has taken in, or to withdraw what it has left out."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["push", "withdraw"]
    rate: float = Field(default=50, ge=0.1, le=1000, description="Articles a second at the most.")
    dry_run: bool = Field(default=False, description="Only say how many articles that are, and whose.")


class OrderedOfFeed(BaseModel):
    """How many articles an order is about, and which endpoints and how many subscriptions hear of it."""

    articles: int
    endpoints: list[str]
    subscriptions: int
    dry_run: bool


class FeedOrderState(BaseModel):
    """How far the last order is."""

    action: Literal["push", "withdraw"]
    state: Literal["going on", "done"]
    articles: int
    left: int
    rate: float
    ordered: datetime | None
    workers: bool = Field(description="Whether a worker is running that carries it out.")


@router.post("/feeds/{feed:name}/orders", status_code=202, summary="Push or withdraw the past of a feed")
def order(feed: str, parts: Parts, caller: FeedsWriter, terms: FeedOrderTerms) -> OrderedOfFeed:
    """Have receivers get what a new definition has taken in, or lose what it has left out. 409: an order goes on."""
    _see_that_it_is_there(parts, caller, feed)
    terms_of_order = (feed, terms.action, terms.rate)
    row = order_past(
        parts.store, parts.recorded, parts.management.audit, caller, *terms_of_order, dry_run=terms.dry_run
    )
    return OrderedOfFeed(**row)


@router.get("/feeds/{feed:name}/orders", summary="How far an order of a feed is")
def progress(feed: str, parts: Parts, caller: FeedsReader) -> FeedOrderState:
    """Return how far the last order is. 404: there was none."""
    _see_that_it_is_there(parts, caller, feed)
    last = progress_of(parts.store, feed)
    if last is None:
        raise RequestProblem(404, f"Nothing was ever ordered of {feed}.")
    return FeedOrderState(**last)


def _see_that_it_is_there(parts: ApiParts, caller: Caller, feed: str) -> None:
    if parts.publication.feed(feed) is None or not sees_any(caller, [feed]):
        raise not_there("feed", feed)
