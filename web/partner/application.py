"""Puts the page of a partner together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from web.api.names import NamesWithSlashes
from web.desk.application import PROBLEM_HANDLERS
from web.desk.pages import TEMPLATES, DeskPages
from web.desk.static_files import StaticFiles
from web.logo import readable
from web.partner.entrance import PartnerEntrance
from web.partner.parts import PREFIX, PartnerParts
from web.partner.routes import ROUTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from web.api.parts import ApiParts
    from web.client_address import ClientAddresses
    from web.request_body import BodyReader

_TEMPLATES = Path(__file__).with_name("templates")


def application(api: ASGIApp, api_parts: ApiParts, addresses: ClientAddresses, bodies: BodyReader) -> ASGIApp:
    """Return the page. `api`: the application of the API, behind its gate."""
    desk, base_url = api_parts.settings.desk, api_parts.publication.base_url
    files = StaticFiles(PREFIX, desk.accent, readable(desk.logo))
    pages = DeskPages(api_parts.settings, files, base_url, PREFIX, (_TEMPLATES, TEMPLATES))
    parts = PartnerParts(api, api_parts, pages, addresses)
    partner = Starlette(
        routes=[Route(f"{PREFIX}/static/{{path:path}}", files.get), *ROUTES], exception_handlers=PROBLEM_HANDLERS
    )
    partner.router.redirect_slashes = False
    partner.state.parts = parts
    return PartnerEntrance(NamesWithSlashes(partner), parts, bodies)
