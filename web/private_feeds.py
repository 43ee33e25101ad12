"""Private feeds: who may read one, by which key, on which terms; and how its answers are kept from everybody else.

A key comes as a bearer token, as the password of basic authentication, or, for readers that can do no better, as
`?key=` in the address. Addresses are written down in many places, so nothing of ours writes the query of a request
anywhere, and `without_referrer` keeps browsers from telling it to the pages that they go to next.
"""

from __future__ import annotations

import base64
import binascii
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders

from web.access import bearer_token
from web.problem_details import problem
from web.wrong_keys import WINDOW_SECONDS
from worker import clock
from worker.documents.feed_documents import Terms
from worker.management.callers import FILTERED, Forbidden
from worker.management.scopes import FEEDS_PRIVATE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from feeds.definition import FeedDefinition
    from web.client_address import ClientAddresses
    from web.wrong_keys import WrongKeys
    from worker.management.callers import Caller
    from worker.management.management import Management

_CHALLENGE = 'Bearer realm="private feeds", Basic realm="private feeds", charset="UTF-8"'
_DELAYED_SECONDS = 10
"""For so long a document is kept from which articles are left out for a time: they come by no change of the feed."""


class Reader(NamedTuple):
    """Who reads a private feed. `share`: what it has in common with those who are served the same bytes."""

    terms: Terms
    share: str


class PrivateFeeds:
    """Lets readers of private feeds in."""

    def __init__(self, management: Management, addresses: ClientAddresses, wrong_keys: WrongKeys) -> None:
        self._management = management
        self._addresses = addresses
        self._wrong_keys = wrong_keys

    async def reader(self, request: Request, feed: FeedDefinition) -> Reader | Response:
        """Return who asks for a private feed, or the refusal: 401, 403, 429."""
        key = shown_key(request)
        if not key:
            return _refusal(401, f"This feed is private: send a key for it. {_WAYS}")
        address = self._addresses.of(request)
        caller = self._management.ring.caller(key, clock.ms(clock.agreed()), address)
        if caller is None:
            if await self._wrong_keys.slow(address):
                return _refusal(401, "This key is not valid.")
            return _refusal(429, "Too many wrong keys.", {"Retry-After": str(WINDOW_SECONDS)})
        try:
            self._see_that_may_read(caller, feed.name)
        except Forbidden as error:
            return _refusal(403, str(error))
        contract = self._management.contract_of(caller)
        delay = int(contract.delay.total_seconds() * 1000) if contract.delay else 0
        terms = Terms(contract.rights(), delay)
        until = int(time.time()) // _DELAYED_SECONDS if delay else 0
        return Reader(terms, f"{terms} {until}")

    def _see_that_may_read(self, caller: Caller, feed: str) -> None:
        """Raise Forbidden unless a caller may read a feed that is private."""
        caller.require(FEEDS_PRIVATE, feed=feed, partner=FILTERED)
        if not self._management.reach(caller).has(feed):
            raise Forbidden(
                f"{caller.name} is for {', '.join(caller.bounds.partners or ())}, and this feed is not: neither does "
                "it name that partner, nor does an endpoint of theirs get it"
            )


_WAYS = "Authorization: Bearer dl_..., or basic authentication with the key as password, or ?key= in the address."


def shown_key(request: Request) -> str:
    """Return the key that a request shows; "" when it shows none."""
    if token := bearer_token(request.headers):
        return token
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    query: str = request.scope["query_string"].decode("latin-1")
    return parse_qs(query).get("key", [""])[0]


def kept_private(response: Response) -> Response:
    """Return an answer about a private feed so that no cache gives it to others (RFC 9111, section 5.2.2.7)."""
    response.raw_headers = [*response.raw_headers]  # those of a cached document are shared
    headers = response.headers
    if "private" not in headers.get("cache-control", ""):
        headers["Cache-Control"] = "private, no-store"
    headers.add_vary_header("Authorization")
    headers["Referrer-Policy"] = "no-referrer"
    return response


def without_referrer(application: ASGIApp) -> ASGIApp:
    """Return the application with answers that do not give an address with a key in it away to others."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_it(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"]]}
                MutableHeaders(scope=message)["Referrer-Policy"] = "no-referrer"
            await send(message)

        shows_key = scope["type"] == "http" and b"key=" in scope["query_string"]
        await application(scope, receive, send_it if shows_key else send)

    return answer


def _refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    challenge = {"WWW-Authenticate": _CHALLENGE} if status == 401 else {}
    return problem(status, detail, headers={"Cache-Control": "no-store", **challenge, **(headers or {})})
