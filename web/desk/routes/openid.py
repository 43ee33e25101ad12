"""Signing in by an OpenID provider: there and back. What belongs to one sign-in is in a cookie of its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Route

from web.desk.cookies import drop_flow, flow_cookie, set_flow
from web.desk.parts import OPENID, OPENID_DONE, parts_of, place_in_desk
from web.desk.routes.sign_in import begin_session, sign_in_form
from worker.management.callers import Forbidden
from worker.management.scopes import ROLES
from worker.outbound.openid_provider import OpenIdProvider, SignInRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from config.desk_settings import OidcSettings
    from worker.management.copies import Person
    from worker.management.management import Management

log = structlog.get_logger()

_AT_ONCE = 4
"""How many threads wait for the provider: whatever it does, the others are there for everything else."""


class OpenIdRoutes:
    """The two pages, with the threads that they may have."""

    def __init__(self) -> None:
        self._threads: CapacityLimiter | None = None

    async def begin(self, request: Request) -> Response:
        """GET /desk/sign-in/openid: to the provider."""
        provider, flow = _provider(request), secrets.token_urlsafe(32)
        place = place_in_desk(request.query_params.get("next", ""))
        try:
            address = await self._run(provider.address, flow)
        except SignInRefused as refused:
            return _refused(request, place, str(refused), 503)
        response = RedirectResponse(address, 303)
        set_flow(request, response, parts_of(request).api_parts.publication.base_url, f"{flow}.{quote(place, safe='')}")
        return response

    async def done(self, request: Request) -> Response:
        """GET /desk/sign-in/openid/done: back from the provider."""
        provider, parts = _provider(request), parts_of(request)
        base_url = parts.api_parts.publication.base_url
        flow, _, written = flow_cookie(request, base_url).partition(".")
        place, address = place_in_desk(unquote(written)), parts.addresses.of(request)
        oidc, management = parts.api_parts.settings.desk.oidc, parts.api_parts.management
        try:
            claims = await self._run(provider.claims, flow, dict(request.query_params))
            person = await self._run(_person, oidc, management, claims, address)
        except (SignInRefused, Forbidden) as refused:
            response = _refused(request, place, str(refused), 403)
        else:
            response = await begin_session(request, parts, person, place)
        drop_flow(request, response, base_url)
        return response

    async def _run(self, function: Any, *values: Any) -> Any:
        if self._threads is None:
            self._threads = CapacityLimiter(_AT_ONCE)
        return await to_thread.run_sync(function, *values, limiter=self._threads)


def role_of(oidc: OidcSettings, claims: Mapping[str, Any]) -> str | None:
    """Return the role that a provider's claims give, the one that may do most of several; None: none."""
    values = claims.get(oidc.role_claim) if oidc.role_claim else None
    named = [values] if isinstance(values, str) else values if isinstance(values, list) else []
    roles = {oidc.roles[value] for value in named if isinstance(value, str) and value in oidc.roles}
    return max(roles, key=ROLES.index, default=oidc.default_role)


def _person(oidc: OidcSettings, management: Management, claims: Mapping[str, Any], address: str) -> Person:
    """Whoever the claims are about; somebody new, where the provider gives them a role."""
    subject = f"{oidc.issuer} {claims['sub']}"
    person, role = management.person_of_subject(subject), role_of(oidc, claims)
    if person is not None and not oidc.role_claim:
        role = None
    elif person is not None and role is None:
        raise Forbidden("the provider gives this account no role here", "")
    name = next(str(claims[claim]) for claim in ("preferred_username", "email", "sub") if claims.get(claim))
    return management.people.sign_in_by_provider(person, subject, name, role, address)


def _provider(request: Request) -> OpenIdProvider:
    provider = parts_of(request).openid
    if provider is None:
        raise HTTPException(404)
    return provider


def _refused(request: Request, place: str, reason: str, status: int) -> Response:
    log.warning("openid_sign_in_refused", reason=reason, address=parts_of(request).addresses.of(request))
    return sign_in_form(request, place, wrong="This account did not get in.", status=status)


_routes = OpenIdRoutes()
ROUTES = [Route(OPENID, _routes.begin), Route(OPENID_DONE, _routes.done)]
