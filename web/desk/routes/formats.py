"""The newsroom's own formats that are kept in the record: tried with an article, created, changed, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.api_calls import ApiProblem
from web.desk.parts import PREFIX, api_of, form_of, parts_of, visitor_of
from web.desk.routes.partners import json_text, marked, read_json
from worker.management.scopes import FORMATS_WRITE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_LOOKS = ("template", "correction", "withdrawal", "kill", "envelope", "rules")
_PLAIN = ("of", "media_type", *_LOOKS)
"""The settings of a format that have a field of their own; all others stand in `more`, as JSON."""
_BEGINNING = {"of": "article", "media_type": "application/xml; charset=utf-8"}


async def formats(request: Request) -> Response:
    """GET /desk/formats."""
    page = await api_of(request).get("formats", limit=100, after=request.query_params.get("after", ""))
    return parts_of(request).pages.page(request, "formats.html", page=page)


async def edit_format(request: Request) -> Response:
    """GET /desk/formats/FORMAT, /desk/new-format."""
    visitor_of(request).caller.require(FORMATS_WRITE)
    name = request.path_params.get("format", "")
    if not name:
        return _form(request, "", _BEGINNING, "")
    state = await api_of(request).call("GET", "formats", name)
    settings = dict(state.content["settings"])
    # A look may be a mapping, which is JSON.
    fields = {field: str(settings.pop(field)) for field in _PLAIN if isinstance(settings.get(field), str)}
    return _form(request, name, fields | {"more": json_text(settings)}, state.revision)


async def save_format(request: Request) -> Response:
    """POST to either: try it, create it, change it or remove it."""
    visitor_of(request).caller.require(FORMATS_WRITE)
    api, fields = api_of(request), form_of(request)
    name, revision = request.path_params.get("format", ""), fields.get("revision", "")
    errors: dict[str, str] = {}
    settings = read_json(fields.get("more", ""), "more", errors)
    # A browser ends lines as the web does.
    written = {field: fields.get(field, "").replace("\r\n", "\n") for field in _PLAIN}
    settings |= {field: text for field, text in written.items() if text.strip()}
    new_name = fields.get("name", "").strip()
    sample: dict[str, Any] | None = None
    try:
        if errors:
            pass
        elif fields.get("do") == "try":
            trial = {"article": fields.get("article", "").strip() or None, "change": fields.get("change", "published")}
            sample = await api.post("format-trials", body={"settings": settings, **trial})
        elif name and fields.get("do") == "remove":
            await api.call("DELETE", "formats", name, revision=revision)
            return RedirectResponse(f"{PREFIX}/formats", 303)
        elif name:
            await api.call("PUT", "formats", name, body={"settings": settings}, revision=revision)
        else:
            await api.post("formats", body={"name": new_name, "settings": settings})
    except ApiProblem as problem:
        has_no_article = problem.status == 404 and fields.get("do") == "try"
        errors = {"article": problem.detail} if has_no_article else marked(problem)
    if errors or sample is not None:
        return _form(request, name, fields, revision, errors, sample)
    return RedirectResponse(f"{PREFIX}/formats/{quote(name or new_name, safe='')}", 303)


def _form(
    request: Request,
    name: str,
    fields: dict[str, str],
    revision: str,
    errors: dict[str, str] | None = None,
    sample: dict[str, Any] | None = None,
) -> Response:
    return parts_of(request).pages.page(
        request,
        "format_form.html",
        status=422 if errors else 200,
        name=name,
        fields=fields,
        revision=revision,
        errors=errors or {},
        sample=sample,
        looks=_LOOKS,
    )


ROUTES = [
    Route(f"{PREFIX}/formats", formats),
    Route(f"{PREFIX}/new-format", edit_format),
    Route(f"{PREFIX}/new-format", save_format, methods=["POST"]),
    Route(f"{PREFIX}/formats/{{format:segment}}", edit_format),
    Route(f"{PREFIX}/formats/{{format:segment}}", save_format, methods=["POST"]),
]
