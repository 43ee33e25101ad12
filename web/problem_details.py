"""Errors as application/problem+json (RFC 9457), as pages in browsers, and JSON answers that can always be sent."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from feeds.errors import brief
from web.header_fields import qualities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from feeds.errors import FieldError
    from web.pages import Pages

_PLAIN = "text/plain"
_PROBLEM = "application/problem+json"
_MACHINES = (
    _PROBLEM,
    "application/json",
    _PLAIN,
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
)
"""The media types that an error may have for machines."""
_SENTENCES = {
    400: "The request can't be understood.",
    401: "This address needs a token or a signature.",
    403: "You are not allowed to see this address.",
    404: "There is nothing at this address.",
    405: "This address is for programs, which send other kinds of requests than a browser does.",
    408: "The request did not arrive in time.",
    410: "What was at this address has been removed.",
    413: "The request is too large.",
    415: "The request is in a format that this address does not accept.",
    429: "There were too many requests from you; try again in a minute.",
    500: "This is our fault, and it is in the log.",
    503: "This can't be shown at the moment; try again in a few minutes.",
}
"""The text of a page when the error has nothing but its status."""


def json_response(
    status: int, value: Any, media_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """Return `value` as JSON, in ASCII: errors quote what a sender wrote, which may not be valid Unicode."""
    return Response(json.dumps(value, separators=(",", ":")) + "\n", status, headers, media_type)


def problem(
    status: int,
    detail: str = "",
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return a problem; `errors` names every bad field."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = brief(detail)
    if bad_fields := field_list(errors):
        body["errors"] = bad_fields
    return json_response(status, body | more, _PROBLEM, headers)


def field_list(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Return field errors in the form that responses have."""
    return [{"field": brief(error.field, 200), "problem": brief(error.problem)} for error in errors]


def wants_page(accept: str) -> bool:
    """Whether a browser asks: it prefers text/html to what machines get (RFC 9110, section 12.5.1)."""
    accepted = qualities(accept)

    def quality(media_type: str) -> float:
        ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
        return next((accepted[name] for name in ranges if name in accepted), 0)

    return "text/html" in accepted and accepted["text/html"] > max(map(quality, _MACHINES), default=0)


class ErrorPages:
    """Turns every error of the application behind it into a page for browsers. Machines get it unchanged."""

    def __init__(self, behind: ASGIApp, pages: Pages) -> None:
        self._behind = behind
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        start: Message | None = None
        parts: list[bytes] = []
        page = wants_page(",".join(Headers(scope=scope).getlist("accept")))

        async def send_or_collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] >= 400:
                MutableHeaders(scope=message).add_vary_header("Accept")
                if page:
                    start = message
                    return
            if start is None:
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = MutableHeaders(scope=start)
            body = self._page(start["status"], headers.get("content-type", ""), b"".join(parts))
            headers["content-type"], headers["content-length"] = "text/html; charset=utf-8", str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._behind(scope, receive, send_or_collect)

    def _page(self, status: int, content_type: str, body: bytes) -> bytes:
        text, errors = "", []
        if content_type.startswith(_PROBLEM):
            details = json.loads(body)
            text, errors = details.get("detail", ""), details.get("errors", [])
        elif content_type.startswith(_PLAIN):
            text = body.decode("utf-8", "replace").strip()
        title = HTTPStatus(status).phrase
        return self._pages.error(status, title, text or _SENTENCES.get(status, f"{title}."), errors)
