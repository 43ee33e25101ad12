"""Killing an article: asked once, then watched until it is proven."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.advice import advice
from web.desk.api_calls import ApiProblem, DeskApi
from web.desk.parts import PREFIX, api_of, form_of, parts_of, visitor_of
from web.desk.phrases import language_of
from worker.management.scopes import ARTICLES_KILL, PARTNERS_READ
from worker.takedown.coverage_report import SUBSCRIPTIONS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

OLD = timedelta(days=1)
"""An older article is killed only by whoever types its id or headline,"""
MANY = 20
"""and so is one that more receivers have."""
RECEIVERS_MOST = 40
"""So many receivers are shown at first, those that wait before those that are done; `?all=1` shows all."""


async def ask(request: Request) -> Response:
    """GET /desk/articles/ARTICLE/kill: who has it, and whether it is meant. Of one that is killed: how far that is."""
    visitor_of(request).caller.require(ARTICLES_KILL)
    api, name = api_of(request), request.path_params["article"]
    state, coverage = await _standing_of(api, name)
    if state is not None and state["pubstatus"] == "canceled":
        return RedirectResponse(f"{PREFIX}/articles/{quote(name, safe='')}/killed", 303)
    return _asking(request, state, coverage)


async def kill(request: Request) -> Response:
    """POST /desk/articles/ARTICLE/kill."""
    visitor_of(request).caller.require(ARTICLES_KILL)
    api, name, fields = api_of(request), request.path_params["article"], form_of(request)
    state, coverage = await _standing_of(api, name)
    if needs_typing(state, coverage) and not _is_typed(fields.get("typed", ""), name, state):
        wrong = "Type the id or the headline just as it stands here."
        return _asking(request, state, coverage, wrong, status=422)
    unknown_too = bool(fields.get("unknown_too"))
    try:
        accepted = await api.post("articles", name, "kill", body={"unknown_too": unknown_too})
    except ApiProblem as problem:
        if problem.status != 404:
            raise
        return _asking(request, *await _standing_of(api, name), status=404)
    return RedirectResponse(f"{PREFIX}/articles/{quote(name, safe='')}/killed?event={accepted['event']}", 303)


async def killed(request: Request) -> Response:
    """GET /desk/articles/ARTICLE/killed: how far the kill is. As a fragment, that part alone."""
    if request.headers.get("hx-request") == "true":
        visitor = visitor_of(request)
        key = ("killed", request.url.path, request.url.query, visitor.caller.scopes, language_of(request))
        return await parts_of(request).shared.get(key, lambda: _killed(request, "kill_progress.html"))
    return await _killed(request, "killed.html")


async def _killed(request: Request, template: str) -> Response:
    api, name, event = api_of(request), request.path_params["article"], request.query_params.get("event", "")
    state, coverage = await _standing_of(api, name, every=bool(request.query_params.get("all")))
    values = {
        "name": name,
        "article": state,
        "coverage": coverage,
        "event": event,
        "contacts": contacts_of(request),
        **progress_values(coverage, event),
    }
    return parts_of(request).pages.page(request, template, **values)


def contacts_of(request: Request) -> dict[str, list[dict[str, Any]]]:
    """Return whom to call at the partner of each endpoint that has one."""
    parts = parts_of(request).api_parts
    copy = parts.management.current
    if copy is None or PARTNERS_READ not in visitor_of(request).caller.scopes:
        return {}
    contacts = {partner.name: partner.settings.get("contacts", []) for partner in copy.partners}
    return {endpoint.name: contacts.get(endpoint.partner or "", []) for endpoint in copy.endpoints}


def progress_values(coverage: dict[str, Any] | None, event: str = "") -> dict[str, Any]:
    """Return what the progress of a kill is shown by. `progress` is None of an article that is not killed."""
    is_killed = coverage is not None and coverage["article"]["pubstatus"] == "canceled"
    if coverage is None or not (is_killed or event):
        return {"progress": None}
    rows = coverage["receivers"]
    unproven = [row for row in rows if not row["confirmed"]] if is_killed else []
    return {
        "progress": {
            "carried_out": is_killed,
            "began": coverage["accepted"] if is_killed else datetime.now(UTC).isoformat(),
            "receivers": coverage["confirmed"] + coverage["unconfirmed"],
            "confirmed": coverage["confirmed"] if is_killed else 0,
            "proven": is_killed and not coverage["unconfirmed"],
            "seconds": coverage["seconds_to_the_last"],
            "unproven": [(row, advice(row)) for row in unproven],
            "more": max(0, coverage["unconfirmed"] - len(unproven)) if is_killed else 0,
            "there": coverage["still_shown"],
            "done": [row for row in rows if row["confirmed"]] if is_killed else [],
        }
    }


def needs_typing(state: dict[str, Any] | None, coverage: dict[str, Any] | None) -> bool:
    """Whether the id or the headline has to be typed."""
    if state is None:
        return True
    is_old = datetime.now(UTC) - datetime.fromisoformat(state["published"]) > OLD
    return is_old or holders(coverage)["all"] > MANY


def holders(coverage: dict[str, Any] | None) -> dict[str, Any]:
    """Return who has the text: how many endpoints, some by name, and how many subscriptions were sent it in a feed."""
    if coverage is None:
        return {"endpoints": 0, "named": [], "subscribers": 0, "all": 0}
    endpoints, subscribers = coverage["holding"], coverage["subscribers"]
    named = [row for row in coverage["receivers"] if row["receiver"] != SUBSCRIPTIONS and row["status"]]
    return {"endpoints": endpoints, "named": named, "subscribers": subscribers, "all": endpoints + subscribers}


def _asking(
    request: Request,
    state: dict[str, Any] | None,
    coverage: dict[str, Any] | None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    return parts_of(request).pages.page(
        request,
        "kill.html",
        status=status,
        name=request.path_params["article"],
        article=state,
        coverage=coverage,
        holders=holders(coverage),
        must_type=needs_typing(state, coverage),
        wrong=wrong,
    )


async def _standing_of(
    api: DeskApi, name: str, *, every: bool = False
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What is known of an article: a kill waits neither for the record nor for Redis. `every`: of all receivers."""
    most = None if every else RECEIVERS_MOST
    answers: list[dict[str, Any] | None] = []
    for path, query in ((("articles", name), {}), (("articles", name, "coverage"), {"most": most})):
        try:
            answers.append(await api.get(*path, **query))
        except ApiProblem as problem:
            if problem.status not in {404, 503}:
                raise
            answers.append(None)
    return answers[0], answers[1]


def _is_typed(typed: str, name: str, state: dict[str, Any] | None) -> bool:
    words = " ".join(typed.split()).casefold()
    right = {name, (state or {}).get("id") or name, (state or {}).get("headline") or name}
    return words in {" ".join(text.split()).casefold() for text in right}


ROUTES = [
    Route(f"{PREFIX}/articles/{{article:name}}/kill", ask),
    Route(f"{PREFIX}/articles/{{article:name}}/kill", kill, methods=["POST"]),
    Route(f"{PREFIX}/articles/{{article:name}}/killed", killed),
]
