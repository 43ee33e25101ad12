"""The parts that the pages of the desk use, and who visits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from web.desk.api_calls import DeskApi
from worker.management.desk_sessions import Lifetimes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from web.api.parts import ApiParts
    from web.client_address import ClientAddresses
    from web.desk.desk_news import DeskNews
    from web.desk.pages import DeskPages
    from web.desk.shared_answers import SharedAnswers
    from web.desk.sign_in_limits import SignInLimits
    from web.desk.standing import Standing
    from web.record_health import RecordHealth
    from worker.management.callers import Caller
    from worker.management.copies import Person
    from worker.management.desk_sessions import Session
    from worker.outbound.openid_provider import OpenIdProvider

PREFIX = "/desk"
SIGN_IN = f"{PREFIX}/sign-in"
OPENID = f"{SIGN_IN}/openid"
OPENID_DONE = f"{OPENID}/done"


@dataclass(frozen=True)
class Visitor:
    """Somebody who has signed in. `token`: of their session."""

    person: Person
    session: Session
    caller: Caller
    token: str


@dataclass(frozen=True)
class DeskParts:
    """What the pages use. `api`: the application whose routes they call."""

    api: ASGIApp
    api_parts: ApiParts
    pages: DeskPages
    addresses: ClientAddresses
    limits: SignInLimits
    record_health: RecordHealth
    standing: Standing
    news: DeskNews
    shared: SharedAnswers
    openid: OpenIdProvider | None

    @property
    def lifetimes(self) -> Lifetimes:
        """How long sessions last."""
        desk = self.api_parts.settings.desk
        return Lifetimes(int(desk.session_idle.total_seconds() * 1000), int(desk.session_most.total_seconds() * 1000))


def parts_of(request: Request) -> DeskParts:
    """Return the parts."""
    parts: DeskParts = request.app.state.parts
    return parts


def visitor_of(request: Request) -> Visitor:
    """Return who asks; the entrance has let them in."""
    visitor: Visitor = request.state.visitor
    return visitor


def api_of(request: Request) -> DeskApi:
    """Return the API, for whoever asks."""
    return DeskApi(parts_of(request).api, visitor_of(request).caller)


def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent; of those that came twice, the last."""
    return dict(pairs_of(request))


def pairs_of(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form that was sent, in order."""
    pairs: list[tuple[str, str]] = getattr(request.state, "form", [])
    return pairs


def place_in_desk(address: str, otherwise: str = PREFIX) -> str:
    """Return where somebody goes on: a page of the desk, whatever the form says."""
    parts = urlsplit(address)
    is_ours = parts.path == PREFIX or parts.path.startswith(f"{PREFIX}/")
    if parts.scheme or parts.netloc or not is_ours or "\\" in address:
        return otherwise
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def place_before(request: Request) -> str:
    """Return the page of the desk from which something was ordered, as browsers say it; "": that is not known."""
    before = request.headers.get("hx-current-url") or request.headers.get("referer", "")
    parts = urlsplit(before)
    return place_in_desk(f"{parts.path}?{parts.query}" if parts.query else parts.path, "")


def is_fragment(request: Request) -> bool:
    """Whether a part of a page is asked for, to be put in its place there."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true"
