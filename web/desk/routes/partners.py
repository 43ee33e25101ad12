"""Partners and the endpoints that are managed here: created and changed, with every bad field marked."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.routing import Route

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from web.desk.api_calls import ApiProblem
from web.desk.parts import PREFIX, api_of, form_of, parts_of, visitor_of
from worker.management.scopes import ENDPOINTS_READ, ENDPOINTS_WRITE, PARTNERS_WRITE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_CONTACT = ("name", "role", "phone", "email")
_PLAIN = ("feed", "mode", "format", "url", "check_url")
"""The settings of an endpoint that have a field of their own; all others stand in `more`, as JSON."""


async def partners(request: Request) -> Response:
    """GET /desk/partners."""
    page = await api_of(request).get("partners", limit=100, after=request.query_params.get("after", ""))
    return parts_of(request).pages.page(request, "partners.html", page=page)


async def partner(request: Request) -> Response:
    """GET /desk/partners/PARTNER: whom to call, what they may have, their endpoints, the links to their own page."""
    return await _partner(request)


async def make_link(request: Request) -> Response:
    """POST /desk/partners/PARTNER/links: make a link to their page, and show it this once."""
    days = form_of(request).get("days", "")
    try:
        new_link = await api_of(request).post(
            "partners",
            request.path_params["partner"],
            "links",
            body={"days": int(days) if re.fullmatch("[0-9]{1,6}", days) else days},
        )
    except ApiProblem as problem:
        if problem.status not in {409, 422}:
            raise
        return await _partner(request, 422, errors={"days": problem.errors.get("days", problem.detail)}, days=days)
    return await _partner(request, link=new_link["url"])


async def revoke_link(request: Request) -> Response:
    """POST /desk/partners/PARTNER/links/LINK/revoke."""
    name, link = request.path_params["partner"], request.path_params["link"]
    await api_of(request).call("DELETE", "partners", name, "links", link)
    return RedirectResponse(f"{PREFIX}/partners/{quote(name, safe='')}", 303)


async def _partner(request: Request, status: int = 200, **more: Any) -> Response:
    state = await api_of(request).get("partners", request.path_params["partner"])
    links = (await api_of(request).get("partners", state["name"], "links"))["items"]
    rows = []
    if ENDPOINTS_READ in visitor_of(request).caller.scopes:
        rows = (await run_in_threadpool(parts_of(request).standing.endpoints))["rows"]
    own = [row for row in rows if row["partner"] == state["name"]]
    values: dict[str, Any] = {"partner": state, "rows": own, "links": links, "link": "", "errors": {}, "days": "30"}
    return parts_of(request).pages.page(request, "partner.html", status=status, **(values | more))


async def edit_partner(request: Request) -> Response:
    """GET /desk/partners/PARTNER/edit, /desk/new-partner."""
    visitor_of(request).caller.require(PARTNERS_WRITE)
    name = request.path_params.get("partner", "")
    if not name:
        return _partner_form(request, "", {}, "")
    state = await api_of(request).call("GET", "partners", name)
    fields = {
        "title": state.content["title"],
        "notes": state.content["notes"],
        "contacts": "\n".join(
            " | ".join(contact.get(part, "") for part in _CONTACT) for contact in state.content["contacts"]
        ),
        "rights": json_text(state.content["rights"]),
    }
    return _partner_form(request, name, fields, state.revision)


async def save_partner(request: Request) -> Response:
    """POST to either: create or change it."""
    visitor_of(request).caller.require(PARTNERS_WRITE)
    api, fields = api_of(request), form_of(request)
    name, revision = request.path_params.get("partner", ""), fields.get("revision", "")
    errors: dict[str, str] = {}
    body: dict[str, Any] = {"title": fields.get("title", ""), "notes": fields.get("notes", "").replace("\r\n", "\n")}
    body["contacts"] = _contacts(fields.get("contacts", ""))
    body["rights"] = read_json(fields.get("rights", ""), "rights", errors)
    try:
        if not errors and name:
            await api.call("PUT", "partners", name, body=body, revision=revision)
        elif not errors:
            body["name"] = fields.get("name", "").strip()
            await api.post("partners", body=body)
    except ApiProblem as problem:
        errors = marked(problem)
    if errors:
        return _partner_form(request, name, fields, revision, errors)
    return RedirectResponse(f"{PREFIX}/partners/{quote(name or body['name'], safe='')}", 303)


async def edit_endpoint(request: Request) -> Response:
    """GET /desk/endpoints/ENDPOINT/edit, /desk/new-endpoint."""
    visitor_of(request).caller.require(ENDPOINTS_WRITE)
    name = request.path_params.get("endpoint", "")
    if not name:
        query = request.query_params
        return await _endpoint_form(request, "", {"mode": "article", "partner": query.get("partner", "")}, "")
    state = await api_of(request).call("GET", "endpoints", name)
    settings = dict(state.content["settings"])
    settings.pop("name", None)
    fields = {field: str(settings.pop(field, "")) for field in _PLAIN}
    fields |= {"partner": state.content["partner"] or "", "more": json_text(settings)}
    return await _endpoint_form(request, name, fields, state.revision)


async def save_endpoint(request: Request) -> Response:
    """POST to either: create or change it; a secret that is made is shown this once."""
    visitor_of(request).caller.require(ENDPOINTS_WRITE)
    api, fields = api_of(request), form_of(request)
    name, revision = request.path_params.get("endpoint", ""), fields.get("revision", "")
    errors: dict[str, str] = {}
    settings = read_json(fields.get("more", ""), "more", errors)
    settings |= {field: fields[field].strip() for field in _PLAIN if fields.get(field, "").strip()}
    body: dict[str, Any] = {"settings": settings, "partner": fields.get("partner", "").strip() or None}
    secret = None
    try:
        if not errors and name and fields.get("do") == "remove":
            await api.call("DELETE", "endpoints", name, revision=revision)
            return RedirectResponse(f"{PREFIX}/endpoints?ordered=removed", 303)
        if not errors and name:
            await api.call("PUT", "endpoints", name, body=body, revision=revision)
        elif not errors:
            body["name"] = fields.get("name", "").strip()
            secret = (await api.post("endpoints", body=body))["secret"]
    except ApiProblem as problem:
        errors = marked(problem)
    if errors:
        return await _endpoint_form(request, name, fields, revision, errors)
    if secret:
        return parts_of(request).pages.page(request, "secret.html", endpoint=body["name"], secret=secret)
    return RedirectResponse(f"{PREFIX}/endpoints/{quote(name or body['name'], safe='')}?ordered=saved", 303)


def _partner_form(
    request: Request, name: str, fields: dict[str, str], revision: str, errors: dict[str, str] | None = None
) -> Response:
    return parts_of(request).pages.page(
        request,
        "partner_form.html",
        status=422 if errors else 200,
        name=name,
        fields=fields,
        revision=revision,
        errors=errors or {},
    )


async def _endpoint_form(
    request: Request, name: str, fields: dict[str, str], revision: str, errors: dict[str, str] | None = None
) -> Response:
    api = api_of(request)
    feeds, partner_rows = await asyncio.gather(api.get_all("feeds"), api.get_all("partners"))
    # What is chosen stays chosen, though it is in no list any more.
    partners = {*(row["name"] for row in partner_rows), *filter(None, [fields.get("partner")])}
    formats = {*ARTICLE_FORMATS, *FEED_FORMATS, *filter(None, [fields.get("format")])}
    return parts_of(request).pages.page(
        request,
        "endpoint_form.html",
        status=422 if errors else 200,
        name=name,
        fields=fields,
        revision=revision,
        errors=errors or {},
        feeds=[feed["name"] for feed in feeds],
        partners=sorted(partners),
        formats=sorted(formats),
    )


def marked(problem: ApiProblem) -> dict[str, str]:
    """Return what is wrong, by the fields of the form; what has none there stands under `more`. Raises ApiProblem."""
    if problem.status not in {409, 412, 422}:
        raise problem
    if not problem.errors:
        return {"": problem.detail}
    return {name.removeprefix("settings.").removeprefix("body."): text for name, text in problem.errors.items()}


def _contacts(text: str) -> list[dict[str, str]]:
    """The people in lines as `name | role | phone | email`."""
    contacts = []
    for line in text.splitlines():
        values = [value.strip() for value in line.split("|")]
        if any(values):
            contacts.append({part: value for part, value in zip(_CONTACT, values, strict=False) if value})
    return contacts


def json_text(value: Any) -> str:
    """Return a value as somebody may edit it; empty for nothing."""
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def read_json(text: str, field: str, errors: dict[str, str]) -> dict[str, Any]:
    """Return the object in a field of JSON; note in `errors` what is wrong with it."""
    try:
        value = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        errors[field] = f"is no JSON: {error}"
        return {}
    if not isinstance(value, dict):
        errors[field] = "must be an object of JSON: { ... }"
        return {}
    return value


ROUTES = [
    Route(f"{PREFIX}/partners", partners),
    Route(f"{PREFIX}/new-partner", edit_partner),
    Route(f"{PREFIX}/new-partner", save_partner, methods=["POST"]),
    Route(f"{PREFIX}/partners/{{partner:name}}/links", make_link, methods=["POST"]),
    Route(f"{PREFIX}/partners/{{partner:name}}/links/{{link:segment}}/revoke", revoke_link, methods=["POST"]),
    Route(f"{PREFIX}/partners/{{partner:name}}/edit", edit_partner),
    Route(f"{PREFIX}/partners/{{partner:name}}/edit", save_partner, methods=["POST"]),
    Route(f"{PREFIX}/new-endpoint", edit_endpoint),
    Route(f"{PREFIX}/new-endpoint", save_endpoint, methods=["POST"]),
    Route(f"{PREFIX}/endpoints/{{endpoint:name}}/edit", edit_endpoint),
    Route(f"{PREFIX}/endpoints/{{endpoint:name}}/edit", save_endpoint, methods=["POST"]),
    # The last: a name may have a slash, as the addresses above have behind it.
    Route(f"{PREFIX}/partners/{{partner:name}}", partner),
]
