"""Feeds and their subscriptions: definitions, how they stand, how one would be served."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from feeds.formats import FEED_FORMATS
from web.api.access import FeedsReader, SubscriptionsReader
from web.api.paging import After, Limit, Page, by_name, cursor, page, read_cursor
from web.api.partner_view import partner_view
from web.api.parts import Parts
from web.api.problems import invalid, not_there
from web.api.visibility import sees_any, unbound
from worker import clock
from worker.documents.feed_documents import EVERYBODY
from worker.documents.quality_gate import FeedRefused
from worker.management.scopes import FEEDS_READ, SUBSCRIPTIONS_READ
from worker.receivers import feed_rows, parked_rows, subscription_rows
from worker.record import subscriptions as recorded

if TYPE_CHECKING:
    from feeds.definition import FeedDefinition
    from web.api.partner_view import PartnerView
    from web.api.parts import ApiParts
    from worker.management.callers import Caller

router = APIRouter(tags=["feeds"])

_OF_ITSELF = {"name", "title", "description", "edition", "order", "limit", "url", "private"}
"""What a partner sees of a definition."""


class FeedFilling(BaseModel):
    """How many articles were gone through to fill new feeds, of how many, for all of them together."""

    done: int
    articles: int


class FeedRow(BaseModel):
    """A feed and how it stands. A pattern of feeds has no standing of its own; `feeds` says how many it has made."""

    name: str
    title: str
    pattern: bool
    edition: str | None
    feeds: int | None = Field(description="Of a pattern: how many feeds it has made.")
    articles: int | None
    sequence: int | None = Field(description="The number of its last change.")
    changed: datetime | None
    receivers: int | None
    behind: int | None = Field(description="How many of them have not got its last change.")
    parked: int | None = Field(description="How many articles its endpoints have set aside.")
    filling: FeedFilling | None = Field(description="While it takes in what was published before; null: it has all.")


class Feed(FeedRow):
    """A feed with its definition."""

    definition: dict[str, Any]
    addresses: dict[str, str] = Field(description="By format; readers and partners fetch it there.")


class FeedPreview(BaseModel):
    """A feed as it is served; `document` in UTF-8 is what readers get. `refused`: why the gate does not let it out."""

    media_type: str
    document: str | None
    refused: str | None


class SubscriptionRow(BaseModel):
    """A subscription."""

    id: str
    feed: str
    callback: str
    format: str
    protocol: Literal["websub", "rsscloud"] = Field(
        description="By WebSub it gets what has changed, by rssCloud the address of the document."
    )
    signed: bool
    began: datetime | None
    lease_ends: datetime | None
    state: Literal["settled", "claimed", "backoff", "paused"] | None = Field(
        description="null: Redis does not know it yet, or any more."
    )
    behind: int | None = Field(description="Changes that it must still be sent.")
    reason: str | None = Field(description="Why it got nothing.")
    failing_since: datetime | None
    next_try: datetime | None


@router.get("/feeds", summary="The feeds, and how they stand")
def feeds(
    request: Request, response: Response, parts: Parts, caller: FeedsReader, limit: Limit = 50, after: After = ""
) -> Page[FeedRow]:
    """List the feeds and the patterns of feeds, by name."""
    view = partner_view(parts, caller)
    visible = [definition for definition in parts.publication.configured if _sees(caller, view, definition.name)]
    shown, following = by_name(sorted(visible, key=lambda feed: feed.name), lambda feed: feed.name, after, limit)
    rows = [FeedRow(**_within(row, view)) for row in _rows(parts, shown)]
    return page(request, response, rows, following)


_FORMATS = f"One of {', '.join(FEED_FORMATS.ours)}, or of the newsroom's own."


class ParkedRow(BaseModel):
    """An article that the quality gate keeps out of a feed format: which version, since when, and why."""

    format: str
    article: str
    version: int
    since: datetime
    reasons: list[str]


@router.get("/parked", summary="The articles that the gate keeps out of feeds")
def parked(
    request: Request, response: Response, parts: Parts, caller: FeedsReader, limit: Limit = 50, after: After = ""
) -> Page[ParkedRow]:
    """List the articles that the gate keeps out of the documents of a format, by format and article.

    They are of all feeds: a key that is bound to some sees none of them. What endpoints have parked is with these.
    """
    if not unbound(caller):
        caller.require(FEEDS_READ, feed=None, partner=None)
    rows = parked_rows.parked_rows(parts.store)
    shown, following = by_name(rows, lambda row: f"{row['format']} {row['article']}", after, limit)
    return page(request, response, [ParkedRow(**row) for row in shown], following)


@router.get("/feeds/{feed:name}/preview", summary="A feed as it is served")
def preview(
    feed: str,
    parts: Parts,
    caller: FeedsReader,
    format_name: Annotated[str, Query(alias="format", description=_FORMATS)],
) -> FeedPreview:
    """Return the very bytes that readers are served now, or what the quality gate has against them."""
    definition = _definition(parts, caller, feed)
    if format_name not in FEED_FORMATS:
        raise invalid("format", f"there is no format {format_name}; known: {', '.join(FEED_FORMATS)}")
    feed_format = FEED_FORMATS[format_name]
    try:
        view = partner_view(parts, caller)
        terms = EVERYBODY if view is None else view.terms
        document = parts.documents.current(definition, feed_format, terms, quiet=True).body
    except FeedRefused as error:
        return FeedPreview(media_type=feed_format.media_type, document=None, refused=str(error))
    return FeedPreview(media_type=feed_format.media_type, document=document.decode("utf-8"), refused=None)


@router.get("/feeds/{feed:name}", summary="One feed, with its definition")
def one_feed(feed: str, parts: Parts, caller: FeedsReader) -> Feed:
    """Return a feed; also one that a pattern has made, or would make."""
    definition = _definition(parts, caller, feed)
    (row,) = _rows(parts, [definition])
    view = partner_view(parts, caller)
    formats = () if row["pattern"] else FEED_FORMATS.values()
    addresses = {
        feed_format.name: parts.publication.topic(definition.name, feed_format.name)
        for feed_format in formats
        if parts.publication.fetched(feed_format)
    }
    include = None if view is None else _OF_ITSELF
    dumped = definition.model_dump(mode="json", exclude_defaults=True, include=include)
    return Feed(**_within(row, view), definition=dumped, addresses=addresses)


@router.get("/subscriptions", tags=["subscriptions"], summary="The WebSub subscriptions")
def subscriptions(
    request: Request,
    response: Response,
    parts: Parts,
    caller: SubscriptionsReader,
    feed: Annotated[str, Query(max_length=200, description="Those of this feed.")] = "",
    limit: Limit = 50,
    after: After = "",
) -> Page[SubscriptionRow]:
    """List the subscriptions that have a lease, by feed. A key that is bound to feeds names one of them."""
    if not unbound(caller):
        caller.require(SUBSCRIPTIONS_READ, feed=feed or None, partner=None)
    last = read_cursor(after, str, str)
    with parts.record.availability.read() as connection:
        now = clock.ms(clock.agreed())
        rows = recorded.running(connection, now, limit + 1, feed=feed, after=(last[0], last[1]) if last else None)
    shown = rows[:limit]
    following = cursor(shown[-1].feed, shown[-1].receiver) if len(rows) > limit else None
    return page(
        request, response, [SubscriptionRow(**row) for row in subscription_rows.rows_of(parts.store, shown)], following
    )


def _definition(parts: ApiParts, caller: Caller, name: str) -> FeedDefinition:
    definition = parts.publication.feed(name) or parts.publication.patterns.get(name)
    if definition is None or not _sees(caller, partner_view(parts, caller), name):
        raise not_there("feed", name)
    return definition


def _sees(caller: Caller, view: PartnerView | None, feed: str) -> bool:
    return sees_any(caller, [feed]) if view is None else view.reach.has(feed)


def _within(row: dict[str, Any], view: PartnerView | None) -> dict[str, Any]:
    """A row as somebody sees it: a partner is not shown how many others there are."""
    return (
        row if view is None else row | dict.fromkeys(("articles", "feeds", "receivers", "behind", "parked", "filling"))
    )


def _rows(parts: ApiParts, definitions: list[FeedDefinition]) -> list[dict[str, Any]]:
    return feed_rows.rows_of(
        parts.store, definitions, {endpoint.name: endpoint.feed for endpoint in parts.settings.endpoints}
    )
