"""Curated lists: put in order, added to, taken from. What another editor has changed meanwhile is shown, not undone."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.api_calls import ApiProblem, DeskApi
from web.desk.parts import PREFIX, api_of, pairs_of, parts_of, visitor_of
from web.desk.routes.articles import as_one_types
from worker.management.scopes import LISTS_WRITE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_CANDIDATES = 12
_SEEN_SECONDS = 3.0
"""How long it is waited until a list that was arranged is so."""


async def lists(request: Request) -> Response:
    """GET /desk/lists."""
    rows = await api_of(request).get_all("lists")
    return parts_of(request).pages.page(request, "lists.html", lists=rows)


async def curated(request: Request) -> Response:
    """GET /desk/lists/LIST."""
    return await _list(request)


async def candidates(request: Request) -> Response:
    """GET /desk/candidates?q=: articles that may be put into a list, as one types."""
    words = request.query_params.get("q", "").strip()
    articles: list[dict[str, Any]] = []
    if words:
        try:
            page = await api_of(request).get(
                "articles", search=as_one_types(words), pubstatus="usable", limit=_CANDIDATES
            )
            articles = page["items"]
        except ApiProblem as problem:
            if problem.status != 422:
                raise
    return parts_of(request).pages.page(request, "candidates.html", articles=articles)


async def arrange(request: Request) -> Response:
    """POST /desk/lists/LIST: the articles in a new order, with one more, or with one less."""
    visitor_of(request).caller.require(LISTS_WRITE)
    api, name, pairs = api_of(request), request.path_params["name"], pairs_of(request)
    fields = dict(pairs)
    picks = [value for field, value in pairs if field == "article"]
    if fields.get("add"):
        picks = [fields["add"], *(pick for pick in picks if pick != fields["add"])]
    if fields.get("remove"):
        picks = [pick for pick in picks if pick != fields["remove"]]
    before = [value for field, value in pairs if field == "before"]
    there = _ids(await api.get("lists", name))
    if there not in (before, picks) and not fields.get("anyway"):
        return await _list(request, mine=picks, status=409)
    await api.call("PUT", "lists", name, body={"articles": picks})
    await _until_arranged(api, name, picks)
    return RedirectResponse(f"{PREFIX}/lists/{quote(name, safe='')}?saved=1", 303)


async def _list(request: Request, mine: list[str] | None = None, status: int = 200) -> Response:
    api, name = api_of(request), request.path_params["name"]
    content = await api.get("lists", name)
    titles = {entry["article"]: entry["headline"] for entry in content["articles"]}
    saved = bool(request.query_params.get("saved"))
    return parts_of(request).pages.page(
        request, "list.html", status=status, curated=content, mine=mine, titles=titles, saved=saved
    )


async def _until_arranged(api: DeskApi, name: str, picks: list[str]) -> None:
    """Wait a moment for the order to be carried out, so that the page that follows shows it."""
    end = time.monotonic() + _SEEN_SECONDS
    while time.monotonic() < end and _ids(await api.get("lists", name)) != picks:  # noqa: ASYNC110 (nothing announces it)
        await asyncio.sleep(0.05)


def _ids(content: dict[str, Any]) -> list[str]:
    return [entry["article"] for entry in content["articles"]]


ROUTES = [
    Route(f"{PREFIX}/lists", lists),
    Route(f"{PREFIX}/candidates", candidates),
    Route(f"{PREFIX}/lists/{{name:name}}", curated),
    Route(f"{PREFIX}/lists/{{name:name}}", arrange, methods=["POST"]),
]
