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


@router.get("/lists", summary="The curated lists")
def lists(
    request: Request, response: Response, parts: Parts, caller: ListsReader, limit: Limit = 50, after: After = ""
) -> Page[ListRow]:
    """List the curated lists, by name."""
    rows = [ListRow(name=name, feeds=feeds) for name, feeds in sorted(_lists(parts, caller).items())]
    return page(request, response, *by_name(rows, lambda row: row.name, after, limit))


@router.get("/lists/{name:path}", summary="One list")
def curated_list(name: str, parts: Parts, caller: ListsReader) -> CuratedList:
    """Return a list with its articles."""
    feeds = _feeds_of(parts, caller, name)
    picks = parts.store.lists.get_many([name])[name]
    originals = parts.store.lineage.originals(picks)
    stored = parts.store.articles.get_many(set(originals.values()))
    entries = []
    for pick in picks:
        article = stored.get(originals[pick])
        entries.append(ListEntry(article=pick, headline=article.article.headline if article else None))
    return CuratedList(name=name, feeds=feeds, articles=entries)


@router.put("/lists/{name:path}", status_code=202, summary="Arrange a list anew")
def arrange(
    name: str, response: Response, parts: Parts, caller: ListsWriter, arrangement: Arrangement
) -> AcceptedOrder:
    """Set which articles a list has. Those that are not published here as yet appear when they are."""
    _feeds_of(parts, caller, name)
    return accepted(response, parts.orders.arrange_list(caller, name, arrangement.articles))


def _lists(parts: ApiParts, caller: Caller) -> dict[str, list[str]]:
    by_list: dict[str, list[str]] = {}
    for definition in parts.publication.configured:
        if definition.list and sees_any(caller, [definition.name]):
            by_list.setdefault(definition.list, []).append(definition.name)
    return by_list


def _feeds_of(parts: ApiParts, caller: Caller, name: str) -> list[str]:
    feeds = _lists(parts, caller).get(name)
    if feeds is None:
        raise not_there("list", name)
    return feeds
