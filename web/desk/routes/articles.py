"""Articles: found as one types, one with all that is known of it, how it is shown, and what is ordered of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Route

from feeds.formats import ARTICLE_FORMATS
from web.desk.api_calls import ApiProblem, DeskApi, unless_away
from web.desk.parts import PREFIX, api_of, form_of, is_fragment, parts_of, visitor_of
from web.desk.phrases import language_of
from web.desk.rendering import rendered
from web.desk.routes.kills import RECEIVERS_MOST, contacts_of, progress_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

_ORDERS = {
    "hold": "Held: it leaves its feeds until it is released.",
    "release": "Released: it is back in its feeds.",
    "repeat": "Sent again to the endpoints that get single articles.",
}
_PER_PAGE = 30
_REVISIONS = 50
"""So many revisions are shown at once; a live story has hundreds."""


async def search(request: Request) -> Response:
    """GET /desk/articles: those that a person looks for, the newest first."""
    api, query = api_of(request), request.query_params
    words = query.get("q", "").strip()
    wrong: dict[str, str] = {}
    page: dict[str, Any] = {"items": [], "next": None}
    try:
        page = await api.get(
            "articles",
            search=as_one_types(words),
            feed=query.get("feed", ""),
            edition=query.get("edition", ""),
            section=query.get("section", ""),
            author=query.get("author", ""),
            pubstatus=query.get("state", ""),
            since=_day(request, "since"),
            until=_day(request, "until", after=1),
            limit=_PER_PAGE,
            after=query.get("after", ""),
        )
    except ApiProblem as problem:
        if problem.status != 422:
            raise
        wrong = dict(problem.errors) or {"": problem.detail}
    if words and not query.get("after") and " " not in words and (exact := await _by_id(api, words)):
        wrong = {}
        page["items"] = [exact, *(item for item in page["items"] if item["id"] != exact["id"])]
    values: dict[str, Any] = {"page": page, "wrong": wrong, "words": words, "query": dict(query)}
    if is_fragment(request):
        return parts_of(request).pages.page(request, "article_rows.html", **values)
    feeds, sections = await asyncio.gather(api.get_all("feeds"), api.get("sections", limit=100))
    editions = sorted(parts_of(request).api_parts.settings.editions)
    names = {feed["name"]: feed["title"] for feed in feeds if not feed["pattern"]}
    if (chosen := query.get("feed", "")) and chosen not in names:
        names[chosen] = chosen  # it may be one that a pattern made
    return parts_of(request).pages.page(
        request, "articles.html", feeds=names, sections=sections["items"], editions=editions, **values
    )


async def article(request: Request) -> Response:
    """GET /desk/articles/ARTICLE: all that is known of one; ?part=standing as a fragment: who has it alone."""
    if is_fragment(request) and request.query_params.get("part") == "standing":
        visitor = visitor_of(request)
        key = ("article", request.url.path, request.url.query, visitor.caller.scopes, language_of(request))
        return await parts_of(request).shared.get(key, lambda: _article(request, "article_standing.html"))
    return await _article(request, "article.html")


async def _article(request: Request, template: str, errors: Mapping[str, str] | None = None) -> Response:
    api, name = api_of(request), request.path_params["article"]
    most = None if request.query_params.get("all") else RECEIVERS_MOST
    older = request.query_params.get("older", "")
    state, coverage, revisions, last = await asyncio.gather(
        api.get("articles", name),
        unless_away(api.get("articles", name, "coverage", most=most)),
        api.get("articles", name, "revisions", newest="true", limit=_REVISIONS, after=older),
        api.get("articles", name, "revisions", newest="true", limit=1),
    )
    event = last["items"][0]["event"] if last["items"] else None
    receipt = await unless_away(api.get("events", event, receivers="false")) if event else None
    ordered, current = request.query_params.get("ordered", ""), f"{state['version']} {state['standing']}"
    return parts_of(request).pages.page(
        request,
        template,
        status=422 if errors else 200,
        errors=errors or {},
        fields=form_of(request),
        article=state,
        current=current,
        seen=request.query_params.get("seen", current),
        every=bool(request.query_params.get("all")),
        coverage=coverage,
        revisions=revisions,
        steps=_steps(receipt, coverage),
        receivers=sorted(coverage["receivers"], key=lambda row: bool(row["confirmed"])) if coverage else [],
        formats=list(ARTICLE_FORMATS),
        ordered=_ORDERS.get(ordered, "The embargo is corrected." if ordered == "embargo" else ""),
        event=request.query_params.get("event", ""),
        contacts=contacts_of(request),
        **progress_values(coverage, request.query_params.get("event", "")),
    )


async def preview(request: Request) -> Response:
    """GET /desk/articles/ARTICLE/preview: the article as a format or an endpoint has it, and the bytes."""
    api, name = api_of(request), request.path_params["article"]
    chosen = _chosen(request)
    state = await api.get("articles", name)
    wrong, shown = "", None
    try:
        shown = await api.get("articles", name, "preview", **chosen)
    except ApiProblem as problem:
        wrong = next(iter(problem.errors.values()), problem.detail)
    feeds = {place["feed"] for place in state["feeds"]}
    in_use = parts_of(request).api_parts.management.endpoints_in_use().settings
    endpoints = sorted(endpoint.name for endpoint in in_use.values() if endpoint.feed in feeds)
    return parts_of(request).pages.page(
        request, "preview.html", article=state, formats=list(ARTICLE_FORMATS), endpoints=endpoints, chosen=chosen,
        shown=shown, wrong=wrong,
    )  # fmt: skip


async def shown_to_readers(request: Request) -> Response:
    """GET /desk/articles/ARTICLE/rendered: what stands in the frame of the preview. Nothing runs in it."""
    shown = await api_of(request).get("articles", request.path_params["article"], "preview", **_chosen(request))
    return rendered(shown)


async def order(request: Request) -> Response:
    """POST /desk/articles/ARTICLE/hold, /release, /repeat."""
    name, _, ordered = request.path_params["rest"].rpartition("/")
    if ordered not in _ORDERS:
        raise HTTPException(404)
    await api_of(request).post("articles", name, ordered)
    return RedirectResponse(f"{PREFIX}/articles/{quote(name, safe='')}?ordered={ordered}", 303)


async def embargo(request: Request) -> Response:
    """POST /desk/articles/ARTICLE/embargo: move it, or end it."""
    name, fields = request.path_params["article"], form_of(request)
    try:
        until = None if fields.get("end") else _moment(request, fields.get("until", ""))
        await api_of(request).call("PUT", "articles", name, "embargo", body={"until": until})
    except ApiProblem as problem:
        if problem.status != 422:
            raise
        return await _article(request, "article.html", problem.errors or {"until": problem.detail})
    return RedirectResponse(f"{PREFIX}/articles/{quote(name, safe='')}?ordered=embargo", 303)


def _moment(request: Request, text: str) -> str:
    """A moment as a person gives it, by the newsroom's clocks. Raises ApiProblem."""
    try:
        return parts_of(request).pages.at_home(datetime.fromisoformat(text)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise ApiProblem(422, "This can't be taken.", {"until": "must be a day and a time"}) from None


def _chosen(request: Request) -> dict[str, str]:
    query = request.query_params
    if endpoint := query.get("endpoint", ""):
        return {"endpoint": endpoint}
    return {"format": query.get("format", "") or "json"}


async def _by_id(api: DeskApi, name: str) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = await api.get("articles", name)
    except ApiProblem:
        return None
    return state


def as_one_types(words: str) -> str:
    """Return what is looked for while the last word is not yet written to its end."""
    return f"{words}*" if words and words[-1].isalnum() else words


def _day(request: Request, field: str, after: int = 0) -> str:
    """Return when a day begins by the newsroom's clocks, or the day `after` it; "" without one. Raises ApiProblem."""
    text = request.query_params.get(field, "").strip()
    if not text:
        return ""
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=None) + timedelta(days=after)
        # In years long past the offset of a place has seconds, which no request may have.
        return parts_of(request).pages.at_home(day).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise ApiProblem(422, "This can't be taken.", {field: "must be a day"}) from None


def _steps(receipt: dict[str, Any] | None, coverage: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The way of the last event: accepted, carried out, and each receiver with the time from the event to it."""
    if not receipt or not receipt["events"]:
        return []
    event = receipt["events"][-1]
    steps = [{"time": event["accepted"], "what": "accepted", "by": event["sender"] or event["way"], "shade": ""}]
    if event["carried_out"]:
        steps.append({"time": event["carried_out"], "what": event["result"], "by": event["reason"], "shade": ""})
    if event["version"] is not None and coverage:
        steps += sorted(
            (_step(row, event) for row in coverage["receivers"]), key=lambda step: (step["time"] is None, step["time"])
        )
    for step in steps:
        step["began"] = event["accepted"]
    return steps


def _step(row: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """How far one receiver is with what an event made."""
    has_taken = bool(row["status"]) and "-" not in row["status"] and row["version"] >= event["version"]
    is_new = has_taken and row["since"] and row["since"] >= event["accepted"]
    return {
        "time": row["since"] if is_new else None,
        "what": "delivered" if has_taken else row["standing"],
        "by": row["receiver"],
        "count": row["count"],
        "feed": row["feed"],
        "reason": "" if has_taken or row["standing"] == "up to date" else row["why"],
    }


ROUTES = [
    Route(f"{PREFIX}/articles", search),
    Route(f"{PREFIX}/articles/{{article:name}}/preview", preview),
    Route(f"{PREFIX}/articles/{{article:name}}/rendered", shown_to_readers),
    Route(f"{PREFIX}/articles/{{article:name}}/embargo", embargo, methods=["POST"]),
    Route(f"{PREFIX}/articles/{{rest:name}}", order, methods=["POST"]),
    Route(f"{PREFIX}/articles/{{article:name}}", article),
]
