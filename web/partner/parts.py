"""The parts that the pages of a partner use, and the partner who visits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from web.desk.api_calls import DeskApi

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from web.api.parts import ApiParts
    from web.client_address import ClientAddresses
    from web.desk.pages import DeskPages
    from worker.management.callers import Caller

PREFIX = "/partner"


@dataclass(frozen=True)
class PartnerVisitor:
    """A partner who has opened its page. `title`: its name, for people."""

    name: str
    title: str
    caller: Caller


@dataclass(frozen=True)
class PartnerParts:
    """What the pages use. `api`: the application whose routes they call."""

    api: ASGIApp
    api_parts: ApiParts
    pages: DeskPages
    addresses: ClientAddresses


def parts_of(request: Request) -> PartnerParts:
    """Return the parts."""
    parts: PartnerParts = request.app.state.parts
    return parts


def api_of(request: Request) -> DeskApi:
    """Return the API, for the partner."""
    visitor: PartnerVisitor = request.state.visitor
    return DeskApi(parts_of(request).api, visitor.caller)
