"""Curated lists: which there are, what is in them, arranging one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import ListsReader, ListsWriter
from web.api.orders import AcceptedOrder, accepted
from web.api.paging import After, Limit, Page, by_name, page
from web.api.parts import Parts
from web.api.problems import not_there
from web.api.visibility import sees_any
from worker.newsroom.curated_lists import articles_of, curated_lists, unpublished

if TYPE_CHECKING:
    from web.api.parts import ApiParts
    from worker.management.callers import Caller

router = APIRouter(tags=["lists"])


class ListRow(BaseModel):
    """A curated list, and the feeds that show it."""

    name: str
    feeds: list[str]


class ListEntry(BaseModel):
    """An article of a list. `headline`: null when it is not published here as yet."""

    article: str
    headline: str | None


class CuratedList(ListRow):
    """A curated list with its articles, the first pick first."""

    articles: list[ListEntry]


class Arrangement(BaseModel):
    """The articles of a list, the first pick first."""

    model_config = ConfigDict(extra="forbid")

    articles: list[str] = Field(max_length=1000)


class ArrangedList(AcceptedOrder):
    """An arrangement that was taken."""

    unpublished: list[str] = Field(description="Its articles that are not published here as yet.")


@router.get("/lists", summary="The curated lists")
def lists(
    request: Request, response: Response, parts: Parts, caller: ListsReader, limit: Limit = 50, after: After = ""
) -> Page[ListRow]:
    """List the curated lists, by name."""
    rows = [ListRow(name=name, feeds=feeds) for name, feeds in _lists(parts, caller).items()]
    return page(request, response, *by_name(rows, lambda row: row.name, after, limit))


@router.get("/lists/{name:name}", summary="One list")
def curated_list(name: str, parts: Parts, caller: ListsReader) -> CuratedList:
    """Return a list with its articles."""
    feeds = _feeds_of(parts, caller, name)
    entries = [ListEntry(**entry) for entry in articles_of(parts.store, name)]
    return CuratedList(name=name, feeds=feeds, articles=entries)


@router.put("/lists/{name:name}", status_code=202, summary="Arrange a list anew")
def arrange(name: str, response: Response, parts: Parts, caller: ListsWriter, arrangement: Arrangement) -> ArrangedList:
    """Set which articles a list has. Those that are not published here as yet appear when they are."""
    _feeds_of(parts, caller, name)
    order = accepted(response, parts.orders.arrange_list(caller, name, arrangement.articles))
    missing = [] if order.kept_by == "record" else unpublished(parts.store, arrangement.articles)
    return ArrangedList(**dict(order), unpublished=missing)


def _lists(parts: ApiParts, caller: Caller) -> dict[str, list[str]]:
    return curated_lists(parts.publication, lambda feed: sees_any(caller, [feed]))


def _feeds_of(parts: ApiParts, caller: Caller, name: str) -> list[str]:
    feeds = _lists(parts, caller).get(name)
    if feeds is None:
        raise not_there("list", name)
    return feeds
