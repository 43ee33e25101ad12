"""People, their sessions, and keys: who gets in, with what."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.routing import Route

from feeds.errors import InvalidInput
from web.desk.api_calls import ApiProblem
from web.desk.parts import PREFIX, api_of, form_of, pairs_of, parts_of, visitor_of
from worker import clock
from worker.management.desk_sessions import sign_in_address
from worker.management.scopes import PEOPLE_READ, ROLES, SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

_ANY = "*"
"""Whichever revision there is: a person changes what stands on the page."""


async def people(request: Request) -> Response:
    """GET /desk/people: who may sign in, and who is signed in."""
    visitor_of(request).caller.require(PEOPLE_READ)
    return await _people(request)


async def account(request: Request) -> Response:
    """GET /desk/account: one's own sessions, and one's password."""
    return await _account(request)


async def add(request: Request) -> Response:
    """POST /desk/people: somebody new."""
    fields = form_of(request)
    body = {"name": fields.get("name", "").strip(), "role": fields.get("role", "")}
    if fields.get("password"):
        body["password"] = fields["password"]
    try:
        await api_of(request).post("users", body=body)
    except ApiProblem as problem:
        if problem.status not in {409, 422}:
            raise
        return await _people(request, errors=problem.errors or {"name": problem.detail}, fields=fields)
    return RedirectResponse(f"{PREFIX}/people", 303)


async def change(request: Request) -> Response:
    """POST /desk/people/NAME: another role, a link that signs in once, or no longer."""
    api, name, fields = api_of(request), request.path_params["name"], form_of(request)
    if fields.get("do") == "remove":
        await api.call("DELETE", "users", name, revision=_ANY)
    elif fields.get("do") == "link":
        parts = parts_of(request)
        sessions, caller = parts.api_parts.management.sessions, visitor_of(request).caller
        token = await run_in_threadpool(sessions.make_link, caller, name)
        address = sign_in_address(parts.api_parts.publication.base_url, token)
        return await _people(request, link=address, linked=name)
    else:
        await api.call("PATCH", "users", name, body={"role": fields.get("role", "")}, revision=_ANY)
    return RedirectResponse(f"{PREFIX}/people", 303)


async def end_session(request: Request) -> Response:
    """POST /desk/sessions/SESSION/end."""
    sessions, caller = parts_of(request).api_parts.management.sessions, visitor_of(request).caller
    now = clock.ms(clock.agreed())
    await run_in_threadpool(sessions.end, caller, request.path_params["session"], now)
    place = "people" if form_of(request).get("from") == "people" else "account"
    return RedirectResponse(f"{PREFIX}/{place}", 303)


async def set_password(request: Request) -> Response:
    """POST /desk/account/password: another password for oneself; all sessions end."""
    management, visitor, fields = parts_of(request).api_parts.management, visitor_of(request), form_of(request)
    if fields.get("password") != fields.get("again"):
        return await _account(request, {"again": "is not the same"})
    try:
        await run_in_threadpool(
            management.people.set_password, visitor.caller, visitor.person.name, fields.get("password", "")
        )
    except InvalidInput as refused:
        return await _account(request, {error.field: error.problem for error in refused.errors})
    return RedirectResponse(f"{PREFIX}/sign-in?changed=1", 303)


async def keys(request: Request) -> Response:
    """GET /desk/keys."""
    return await _keys(request)


async def create_key(request: Request) -> Response:
    """POST /desk/keys: the key is shown this once."""
    fields = form_of(request)
    scopes = [value for name, value in pairs_of(request) if name == "scope"]
    bounds = {
        noun: [name.strip() for name in fields[noun].split(",") if name.strip()]
        for noun in ("feeds", "partners")
        if fields.get(noun, "").strip()
    }
    body: dict[str, Any] = {"name": fields.get("name", "").strip(), "scopes": scopes, "bounds": bounds}
    if days := fields.get("days", "").strip():
        if not re.fullmatch("[0-9]{1,4}", days) or int(days) == 0:
            return await _keys(request, errors={"days": "must be 1 to 9999 days"}, fields=fields, chosen=scopes)
        body["expires"] = (clock.agreed() + timedelta(days=int(days))).isoformat()
    try:
        created = await api_of(request).post("keys", body=body)
    except ApiProblem as problem:
        if problem.status not in {409, 422}:
            raise
        errors = problem.errors or {"name": problem.detail}
        return await _keys(request, errors=errors, fields=fields, chosen=scopes)
    return await _keys(request, created=created)


async def revoke_key(request: Request) -> Response:
    """POST /desk/keys/KEY/revoke."""
    await api_of(request).call("DELETE", "keys", request.path_params["key"], revision=_ANY)
    return RedirectResponse(f"{PREFIX}/keys", 303)


async def _people(request: Request, **more: Any) -> Response:
    after = request.query_params.get("after", "")
    page, sessions = await asyncio.gather(api_of(request).get("users", limit=100, after=after), _sessions(request))
    values: dict[str, Any] = {"errors": {}, "fields": {}, "link": "", "linked": ""}
    status = 422 if more.get("errors") else 200
    return parts_of(request).pages.page(
        request, "people.html", status=status, page=page, sessions=sessions, roles=ROLES, **(values | more)
    )


async def _account(request: Request, errors: Mapping[str, str] | None = None) -> Response:
    name = visitor_of(request).person.name
    sessions = [session for session in await _sessions(request) if session["person"] == name]
    return parts_of(request).pages.page(
        request, "account.html", status=422 if errors else 200, sessions=sessions, errors=errors or {}
    )


async def _keys(request: Request, **more: Any) -> Response:
    page = await api_of(request).get("keys", limit=100, after=request.query_params.get("after", ""))
    mine = {scope: meaning for scope, meaning in SCOPES.items() if scope in visitor_of(request).caller.scopes}
    values: dict[str, Any] = {"errors": {}, "fields": {}, "chosen": [], "created": None}
    status = 422 if more.get("errors") else 200
    return parts_of(request).pages.page(request, "keys.html", status=status, page=page, choices=mine, **(values | more))


async def _sessions(request: Request) -> list[dict[str, Any]]:
    sessions, visitor = parts_of(request).api_parts.management.sessions, visitor_of(request)
    rows = await run_in_threadpool(sessions.list, visitor.caller, clock.ms(clock.agreed()))
    return [
        {
            **session.model_dump(exclude={"password"}),
            "began": clock.moment(session.began).isoformat(),
            "used": clock.moment(session.used).isoformat(),
            "is_this": session.id == visitor.session.id,
        }
        for session in rows
    ]


ROUTES = [
    Route(f"{PREFIX}/people", people),
    Route(f"{PREFIX}/people", add, methods=["POST"]),
    Route(f"{PREFIX}/people/{{name:segment}}", change, methods=["POST"]),
    Route(f"{PREFIX}/account", account),
    Route(f"{PREFIX}/account/password", set_password, methods=["POST"]),
    Route(f"{PREFIX}/sessions/{{session:segment}}/end", end_session, methods=["POST"]),
    Route(f"{PREFIX}/keys", keys),
    Route(f"{PREFIX}/keys", create_key, methods=["POST"]),
    Route(f"{PREFIX}/keys/{{key:segment}}/revoke", revoke_key, methods=["POST"]),
]
