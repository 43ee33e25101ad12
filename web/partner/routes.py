"""The addresses of the page of a partner: what it sees, and what its buttons order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.api_calls import unless_away
from web.desk.parts import form_of
from web.desk.phrases import COOKIE, LANGUAGES
from web.desk.replays import order_replay
from web.partner.parts import PREFIX, api_of, parts_of
from worker import clock
from worker.outbound.public_keys import key_set

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_PROGRAMS = Path(__file__).with_name("programs")
_LANGUAGE_SECONDS = 31_536_000
_OVERLAP_SECONDS = 86_400
_ORDERED = {
    "replay": "The articles are being sent again.",
    "stop": "Stopped: what was not sent yet is not sent.",
}
PROGRAMS = {
    "Python": (_PROGRAMS / "python.txt").read_text("utf-8"),
    "PHP": (_PROGRAMS / "php.txt").read_text("utf-8"),
    "JavaScript": (_PROGRAMS / "javascript.txt").read_text("utf-8"),
}
"""How the signature of a push is checked by the secret, in each language."""


async def overview(request: Request) -> Response:
    """GET /partner: the partner's endpoints, and how they do."""
    page = await api_of(request).get("endpoints", limit=100, after=request.query_params.get("after", ""))
    now = clock.agreed().isoformat()
    return parts_of(request).pages.page(request, "overview.html", page=page, now=now)


async def endpoint(request: Request) -> Response:
    """GET /partner/endpoints/ENDPOINT: one of them, with the last attempts."""
    return await _endpoint(request)


async def standing(request: Request) -> Response:
    """GET /partner/endpoints/ENDPOINT/standing: how it does and how far a replay is, as a fragment."""
    api, name = api_of(request), request.path_params["endpoint"]
    state, replay = await asyncio.gather(api.get("endpoints", name), unless_away(api.get("endpoints", name, "replays")))
    return parts_of(request).pages.page(request, "endpoint_standing.html", endpoint=state, replay=replay)


async def test(request: Request) -> Response:
    """POST /partner/endpoints/ENDPOINT/test: send a test article, and show what it answers."""
    outcome = await api_of(request).post("endpoints", request.path_params["endpoint"], "test")
    return await _endpoint(request, outcome=outcome)


async def rotate(request: Request) -> Response:
    """POST /partner/endpoints/ENDPOINT/rotate: make a new secret, and show it this once."""
    body = {"overlap_seconds": _OVERLAP_SECONDS}
    rotated = await api_of(request).post("endpoints", request.path_params["endpoint"], "rotate", body=body)
    return await _endpoint(request, secret=rotated["secret"])


async def replay(request: Request) -> Response:
    """POST /partner/endpoints/ENDPOINT/replays: first how many articles that is, then, once confirmed, send them."""
    name, fields = request.path_params["endpoint"], form_of(request)
    answer = await order_replay(api_of(request), parts_of(request).pages, name, fields)
    if answer.errors:
        return await _endpoint(request, 422, errors=answer.errors, fields=fields)
    if answer.planned is not None:
        return await _endpoint(request, planned=answer.planned, fields=fields)
    return _back(request, "replay")


async def stop(request: Request) -> Response:
    """POST /partner/endpoints/ENDPOINT/replays/stop."""
    await api_of(request).call("DELETE", "endpoints", request.path_params["endpoint"], "replays")
    return _back(request, "stop")


async def signatures(request: Request) -> Response:
    """GET /partner/signatures: the newsroom's public keys, and how a signature is checked."""
    settings = parts_of(request).api_parts.settings
    keys = key_set(tuple(key.get_secret_value() for key in settings.signing_keys)).decode()
    return parts_of(request).pages.page(
        request, "signatures.html", keys=keys, has_keys=bool(settings.signing_keys), programs=PROGRAMS
    )


async def speak(request: Request) -> Response:
    """POST /partner/language: the page speaks another language to this browser."""
    language, response = form_of(request).get("language"), RedirectResponse(PREFIX, 303)
    if language in LANGUAGES:
        response.set_cookie(COOKIE, language, _LANGUAGE_SECONDS, path=PREFIX, httponly=True, samesite="lax")
    return response


async def _endpoint(request: Request, status: int = 200, **more: Any) -> Response:
    api, name = api_of(request), request.path_params["endpoint"]
    after = request.query_params.get("after", "")
    state, attempts, replayed = await asyncio.gather(
        api.get("endpoints", name),
        unless_away(api.get("endpoints", name, "attempts", limit=50, after=after)),
        unless_away(api.get("endpoints", name, "replays")),
    )
    values: dict[str, Any] = {
        "endpoint": state,
        "attempts": attempts,
        "replay": replayed,
        "ordered": _ORDERED.get(request.query_params.get("ordered", ""), ""),
        "outcome": None,
        "secret": None,
        "planned": None,
        "errors": {},
        "fields": {},
    }
    return parts_of(request).pages.page(request, "own_endpoint.html", status=status, **(values | more))


def _back(request: Request, order: str) -> Response:
    name = quote(request.path_params["endpoint"], safe="")
    return RedirectResponse(f"{PREFIX}/endpoints/{name}?ordered={order}", 303)


_ENDPOINT = f"{PREFIX}/endpoints/{{endpoint:name}}"
ROUTES = [
    Route(PREFIX, overview),
    Route(f"{PREFIX}/signatures", signatures),
    Route(f"{PREFIX}/language", speak, methods=["POST"]),
    Route(f"{_ENDPOINT}/standing", standing),
    Route(f"{_ENDPOINT}/test", test, methods=["POST"]),
    Route(f"{_ENDPOINT}/rotate", rotate, methods=["POST"]),
    Route(f"{_ENDPOINT}/replays", replay, methods=["POST"]),
    Route(f"{_ENDPOINT}/replays/stop", stop, methods=["POST"]),
    # The last: a name may have a slash, as the addresses above have behind it.
    Route(_ENDPOINT, endpoint),
]
