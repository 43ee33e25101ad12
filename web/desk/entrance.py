"""What every request to the desk passes first: where it comes from, whose session it has; and the headers of answers.

- A write, and a sign-in, must come from a page of ours: its Origin (RFC 6454) is the host that it is sent to. Browsers
  send it with every POST, so one without is refused.
- Who has no session is shown the way to the sign-in, and comes back from there to where they were.
- A policy (Content Security Policy Level 3) lets nothing run or load but our own files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web.api.names import escaped_path
from web.desk.cookies import session_token
from web.desk.news import message
from web.desk.parts import PREFIX, SIGN_IN, DeskParts, Visitor, place_before
from web.request_body import BodyReader, BodyRefused
from worker import clock
from worker.management.people import caller_of
from worker.store import redis_errors

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer" browsers would say no Origin either.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_READING = frozenset({"GET", "HEAD"})
_FIELDS_MOST = 3_000


class Entrance:
    """Lets people in to the pages behind it."""

    def __init__(self, behind: ASGIApp, parts: DeskParts, bodies: BodyReader) -> None:
        self._behind = behind
        self._parts = parts
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        request = Request(scope, receive)
        refusal = await self._refusal(request)
        await (self._behind if refusal is None else refusal)(scope, receive, with_headers(send))

    async def _refusal(self, request: Request) -> Response | None:
        """Return why a request does not come in; None: it does, and its state says who asks."""
        path = request.url.path
        if path.startswith(f"{PREFIX}/static/"):
            return None
        pages = self._parts.pages
        if request.method not in _READING:
            if not comes_from_us(request, self._parts.api_parts.publication.base_url):
                return pages.problem(request, 403, "This did not come from a page of the desk, so nothing was done.")
            try:
                await self._read_form(request)
            except BodyRefused as refused:
                return pages.problem(request, refused.status, refused.detail)
        try:
            visitor = await run_in_threadpool(self._visitor, request)
        except RedisError as error:
            if not redis_errors.is_outage(error):
                raise
            return pages.problem(request, 503, "Redis does not answer, so nobody can sign in. Try again in a moment.")
        request.state.visitor = visitor
        if visitor is None and not path.startswith(SIGN_IN):
            has_ended = bool(session_token(request, self._parts.api_parts.publication.base_url))
            return _to_sign_in(request, has_ended=has_ended)
        return None

    def _visitor(self, request: Request) -> Visitor | None:
        token = session_token(request, self._parts.api_parts.publication.base_url)
        if not token:
            return None
        parts = self._parts
        sessions = parts.api_parts.management.sessions
        pair = sessions.of(token, parts.lifetimes, clock.ms(clock.agreed()))
        if pair is None:
            return None
        session, person = pair
        return Visitor(person, session, caller_of(person, parts.addresses.of(request)), token)

    async def _read_form(self, request: Request) -> None:
        address = self._parts.addresses.of(request)
        limit = self._parts.api_parts.settings.web.max_body_bytes
        authenticated = bool(session_token(request, self._parts.api_parts.publication.base_url))
        body = await self._bodies.read(request, limit, address, authenticated=authenticated)
        request.state.form = fields_in(body.content)


def fields_in(content: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form as it was sent, in order. Raises BodyRefused."""
    try:
        return parse_qsl(content.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MOST)
    except ValueError:
        raise BodyRefused(400, "What was sent is no form in UTF-8.") from None


def with_headers(send: Send) -> Send:
    """Return what sends the same messages, with the headers that every answer has here."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers


def comes_from_us(request: Request, base_url: str) -> bool:
    """Whether a request comes from a page of the host that it is sent to, or of the site's own address."""
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or origin.scheme not in {"http", "https"}:
        return False
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    site = urlsplit(base_url)
    if (origin.scheme, origin.netloc) == (site.scheme, site.netloc):
        return True
    return origin.netloc == request.headers.get("host", "")


def _to_sign_in(request: Request, *, has_ended: bool) -> Response:
    if request.headers.get("accept") == "text/event-stream":
        # A status would not reach the page: an event does, and it says so there (static/desk.js).
        return Response(message("ended", {}), media_type="text/event-stream")
    if request.method in _READING and "hx-request" not in request.headers:
        path = escaped_path(request.scope)
        place = f"{path}?{request.url.query}" if request.url.query else path
    else:
        place = place_before(request) or PREFIX
    # Who ordered something hears that it is not done; who comes for the first time has lost nothing.
    lost = "&lost=1" if request.method not in _READING else "&ended=1" if has_ended else ""
    address = f"{SIGN_IN}?next={quote(place, safe='')}{lost}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
