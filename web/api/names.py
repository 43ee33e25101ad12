"""Names in addresses that have a slash, as articles, feeds and endpoints may: `%2F` is of a name, `/` ends it.

So it is in RFC 3986 (section 2.2): the article `world/preview` is at `/articles/world%2Fpreview`, and what is at
`/articles/world/preview` is how `world` would be sent. Where nothing follows that is an address of its own, a slash may
stand as it is: `/articles/world/harbour`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.convertors import PathConvertor, register_url_convertor

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_WITH_NAMES = re.compile(rb"/(?:api/v1/(?:articles|feeds|lists|endpoints|partners)|desk|partner)/.*%2f", re.IGNORECASE)
"""Of these every part of an address is a name or a number."""
_SLASH = "\udc2f"
"""A slash of a name, while the route is found: what no decoded address can have."""


class NameConvertor(PathConvertor):
    """A name in a route: `{article:name}`."""

    def convert(self, value: str) -> str:
        """Return the name."""
        return value.replace(_SLASH, "/")


class SegmentConvertor(NameConvertor):
    """A name in which a slash is always escaped: `{endpoint:segment}`."""

    regex = "[^/]+"


class NamesWithSlashes:
    """Has the application behind it find routes so. A server gives it the address as it was sent, as `raw_path`."""

    def __init__(self, app: ASGIApp) -> None:
        self._application = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        if scope["type"] == "http" and _WITH_NAMES.match(raw := _sent(scope)):
            parts = re.split("%2f", raw.decode("ascii", "replace"), flags=re.IGNORECASE)
            scope = {**scope, "path": _SLASH.join(map(unquote, parts))}
        await self._application(scope, receive, send)


def escaped_path(scope: Scope) -> str:
    """Return the address of a request as it can stand in a header."""
    # A server may pass on what ought to have been escaped.
    return quote(_sent(scope) or scope["path"].encode(), safe="/%:@!$&'()*+,;=~")


def _sent(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or b""
    return raw.partition(b"?")[0]


register_url_convertor("name", NameConvertor())
register_url_convertor("segment", SegmentConvertor())
