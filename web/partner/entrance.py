"""What every request to the page of a partner passes first: its link, its cookie, the Origin of writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web.desk.cookies import is_https
from web.desk.entrance import comes_from_us, fields_in, with_headers
from web.partner.parts import PREFIX, PartnerParts, PartnerVisitor
from web.request_body import BodyReader, BodyRefused
from worker import clock

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_OPEN = f"{PREFIX}/open/"
_SECURE, _PLAIN = "__Secure-dateline-partner", "dateline_partner"
"""What the cookie is called (RFC 6265bis, section 4.1.3): where there is https, and on this machine without it."""
_OPEN_METHODS = frozenset({"GET", "HEAD"})
_FORM_MOST = 65_536
_ENDED = "This link has ended or was revoked. Ask the newsroom for another one."


class PartnerEntrance:
    """Lets partners in to the pages behind it."""

    def __init__(self, behind: ASGIApp, parts: PartnerParts, bodies: BodyReader) -> None:
        self._behind = behind
        self._parts = parts
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        request = Request(scope, receive)
        answer = await self._answer(request)
        await (self._behind if answer is None else answer)(scope, receive, with_headers(send))

    async def _answer(self, request: Request) -> Response | None:
        """Return what is answered before any page is asked; None: the request comes in, its state says who asks."""
        path = request.scope["path"]
        if path.startswith(f"{PREFIX}/static/"):
            return None
        if path.startswith(_OPEN):
            # Whatever logs the request from here on does not see the secret.
            request.scope["path"] = _OPEN
            return self._open(request, path.removeprefix(_OPEN))
        visitor = self._visitor(request, request.cookies.get(self._cookie(request), ""))
        if visitor is None:
            return self._parts.pages.problem(request, 403, _ENDED)
        request.state.visitor = visitor
        return None if request.method in _OPEN_METHODS else await self._refusal(request)

    async def _refusal(self, request: Request) -> Response | None:
        """Return why a write does not come in; None: it does, and its form has been read."""
        if not comes_from_us(request, self._parts.api_parts.publication.base_url):
            return self._parts.pages.problem(request, 403, "This did not come from this page, so nothing was done.")
        try:
            address = self._parts.addresses.of(request)
            body = await self._bodies.read(request, _FORM_MOST, address, authenticated=True)
            request.state.form = fields_in(body.content)
        except BodyRefused as refused:
            return self._parts.pages.problem(request, refused.status, refused.detail)
        return None

    def _open(self, request: Request, secret: str) -> Response:
        """GET /partner/open/SECRET: keep the secret in a cookie, and lead on to an address without it."""
        if request.method not in _OPEN_METHODS:
            return self._parts.pages.problem(request, 405, "A link is opened, nothing is sent to it.")
        if self._visitor(request, secret) is None:
            response = self._parts.pages.problem(request, 403, _ENDED)
        else:
            response = RedirectResponse(PREFIX, 303)
            name = self._cookie(request)
            response.set_cookie(name, secret, path=PREFIX, httponly=True, samesite="lax", secure=name == _SECURE)
        # Of pages browsers would say no Origin either with this; the address of this one must go nowhere.
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _visitor(self, request: Request, secret: str) -> PartnerVisitor | None:
        management = self._parts.api_parts.management
        address = self._parts.addresses.of(request)
        caller = management.ring.partner(secret, clock.ms(clock.agreed()), address)
        if caller is None or not caller.bounds.partners:
            return None
        (name,) = caller.bounds.partners
        return PartnerVisitor(name, management.partner_title(name), caller)

    def _cookie(self, request: Request) -> str:
        return _SECURE if is_https(request, self._parts.api_parts.publication.base_url) else _PLAIN
