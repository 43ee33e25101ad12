"""What is ordered of the past of a feed that was defined anew: its receivers get it, or lose it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import FeedsReader, FeedsWriter
from web.api.moments import moment
from web.api.parts import Parts
from web.api.problems import RequestProblem, not_there
from web.api.visibility import sees_any
from worker.newsroom.feed_orders import articles_concerned, give_order

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


@router.post("/feeds/{feed:path}/orders", status_code=202, summary="Push or withdraw the past of a feed")
def order(feed: str, parts: Parts, caller: FeedsWriter, terms: FeedOrderTerms) -> OrderedOfFeed:
    """Have receivers get what a new definition has taken in, or lose what it has left out. 409: an order goes on."""
    _see_that_it_is_there(parts, caller, feed)
    receivers = parts.store.receivers
    endpoints = sorted(name.removeprefix("endpoint:") for name in receivers.endpoints(feed))
    articles = articles_concerned(parts.store, parts.recorded, feed, terms.action, endpoints)
    if articles and not terms.dry_run:
        give_order(parts.store, parts.management.audit, caller, feed, terms.action, articles, terms.rate)
    return OrderedOfFeed(
        articles=len(articles),
        endpoints=endpoints,
        subscriptions=receivers.count_subscriptions(feed),
        dry_run=terms.dry_run,
    )


@router.get("/feeds/{feed:path}/orders", summary="How far an order of a feed is")
def progress(feed: str, parts: Parts, caller: FeedsReader) -> FeedOrderState:
    """Return how far the last order is. 404: there was none."""
    _see_that_it_is_there(parts, caller, feed)
    last = parts.store.feed_orders.get(feed)
    if last is None:
        raise RequestProblem(404, f"Nothing was ever ordered of {feed}.")
    return FeedOrderState(
        action=last.action,
        state="going on" if last.waiting else "done",
        articles=last.articles,
        left=last.waiting,
        rate=last.rate,
        ordered=moment(last.ordered),
    )


def _see_that_it_is_there(parts: ApiParts, caller: Caller, feed: str) -> None:
    if parts.publication.feed(feed) is None or not sees_any(caller, [feed]):
        raise not_there("feed", feed)
