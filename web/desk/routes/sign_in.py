"""Signing in, by a password or by a link that works once; signing out; which language the desk speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.cookies import drop_session, set_session
from web.desk.parts import PREFIX, SIGN_IN, DeskParts, form_of, parts_of, place_in_desk, visitor_of
from web.desk.phrases import COOKIE, LANGUAGES
from web.desk.sign_in_limits import TooManyWait
from worker import clock
from worker.management.people import WrongPassword

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from worker.management.copies import Person

log = structlog.get_logger()

_LANGUAGE_SECONDS = 31_536_000


async def form(request: Request) -> Response:
    """GET /desk/sign-in."""
    place = place_in_desk(request.query_params.get("next", ""))
    if request.state.visitor is not None:
        return RedirectResponse(place, 303)
    query = request.query_params
    lost, ended, changed = (bool(query.get(name)) for name in ("lost", "ended", "changed"))
    return sign_in_form(request, place, lost=lost, ended=ended, changed=changed)


async def sign_in(request: Request) -> Response:
    """POST /desk/sign-in: by name and password."""
    parts, fields = parts_of(request), form_of(request)
    name, place = fields.get("name", "").strip().lower(), place_in_desk(fields.get("next", ""))
    address = parts.addresses.of(request)
    people = parts.api_parts.management.people
    person = parts.api_parts.management.person(name)
    try:
        async with parts.limits.turn(address, name[:128]):
            await run_in_threadpool(people.sign_in, person, fields.get("password", ""), address)
    except WrongPassword:
        # The name of somebody who is not known may be a password in the wrong field.
        log.warning("sign_in_refused", person=person.name if person else "", address=address)
        await run_in_threadpool(parts.limits.note_wrong, address, name[:128])
        return sign_in_form(request, place, name=name[:128], wrong="Name and password do not match.", status=403)
    except TooManyWait:
        wrong = "Too many sign-ins from here are waiting; try again in a moment."
        return sign_in_form(request, place, name=name[:128], wrong=wrong, status=429)
    await run_in_threadpool(parts.limits.note_right, name[:128])
    assert person is not None
    return await begin_session(request, parts, person, place)


async def link(request: Request) -> Response:
    """GET /desk/sign-in/link/TOKEN: it asks, so that whoever only looks at a link does not use it up."""
    sessions = parts_of(request).api_parts.management.sessions
    name = await run_in_threadpool(sessions.whose_link, request.path_params["token"])
    return parts_of(request).pages.page(request, "link.html", person=name, status=200 if name else 404)


async def use_link(request: Request) -> Response:
    """POST /desk/sign-in/link/TOKEN: sign in."""
    parts = parts_of(request)
    sessions, address = parts.api_parts.management.sessions, parts.addresses.of(request)
    person = await run_in_threadpool(sessions.use_link, request.path_params["token"], address)
    if person is None:
        return parts.pages.page(request, "link.html", person=None, status=404)
    return await begin_session(request, parts, person, PREFIX)


async def sign_out(request: Request) -> Response:
    """POST /desk/sign-out."""
    sessions = parts_of(request).api_parts.management.sessions
    await run_in_threadpool(sessions.sign_out, visitor_of(request).token)
    response = RedirectResponse(SIGN_IN, 303)
    drop_session(request, response, parts_of(request).api_parts.publication.base_url)
    return response


async def speak(request: Request) -> Response:
    """POST /desk/sign-in/language: the desk speaks another language to this browser."""
    fields = form_of(request)
    response = RedirectResponse(place_in_desk(fields.get("next", "")), 303)
    if fields.get("language") in LANGUAGES:
        response.set_cookie(COOKIE, fields["language"], _LANGUAGE_SECONDS, path=PREFIX, httponly=True, samesite="lax")
    return response


async def begin_session(request: Request, parts: DeskParts, person: Person, place: str) -> Response:
    """Sign somebody in whom we know by now, and lead them to a page."""
    management, address = parts.api_parts.management, parts.addresses.of(request)
    agent = request.headers.get("user-agent", "")
    now = clock.ms(clock.agreed())
    token = await run_in_threadpool(management.sessions.begin, person, parts.lifetimes, now, address, agent)
    response = RedirectResponse(place, 303)
    set_session(request, response, parts.api_parts.publication.base_url, token)
    return response


def sign_in_form(
    request: Request,
    place: str,
    *,
    name: str = "",
    wrong: str = "",
    lost: bool = False,
    ended: bool = False,
    changed: bool = False,
    status: int = 200,
) -> Response:
    """Return the page on which people sign in. `wrong`: what was wrong with the last try.

    Their session has `ended`, or it had as they ordered something, which is `lost`; or they have `changed` the
    password.
    """
    parts = parts_of(request)
    values: dict[str, Any] = {"place": place, "name": name, "wrong": wrong, "lost": lost, "ended": ended}
    values["changed"] = changed
    return parts.pages.page(request, "sign_in.html", openid=parts.openid is not None, status=status, **values)


ROUTES = [
    Route(f"{PREFIX}/sign-in", form),
    Route(f"{PREFIX}/sign-in", sign_in, methods=["POST"]),
    Route(f"{PREFIX}/sign-in/language", speak, methods=["POST"]),
    Route(f"{PREFIX}/sign-in/link/{{token:segment}}", link),
    Route(f"{PREFIX}/sign-in/link/{{token:segment}}", use_link, methods=["POST"]),
    Route(f"{PREFIX}/sign-out", sign_out, methods=["POST"]),
]
