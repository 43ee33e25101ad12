"""Errors as application/problem+json (RFC 9457), as pages in browsers, and JSON answers that can always be sent."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from web.content_coding import qualities

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
    401: "This address is for those who show a token or a signature.",
    403: "This address is not for everybody.",
    404: "There is nothing at this address.",
    405: "This address is for programs, which send other requests to it than a browser does.",
    408: "The request did not arrive in time.",
    410: "What was here is here no more.",
    413: "What was sent is too large.",
    415: "What was sent is of a kind that is not taken here.",
    429: "Too much was asked from here; try again in a minute.",
    500: "This is our fault, and it is in the log.",
    503: "This can't be shown at the moment; try again in a little while.",
}
"""What a page says where the error itself says no more than its status."""


def answer(
    status: int, value: Any, media_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """Return `value` as JSON. In ASCII: what a sender wrote wrongly is repeated in errors, and may be no valid text."""
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
        body["detail"] = detail
    named = field_list(errors)
    if named:
        body["errors"] = named
    return answer(status, body | more, _PROBLEM, headers)


def field_list(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Return field errors as they stand in an answer."""
    return [{"field": error.field, "problem": error.problem} for error in errors]


def wants_page(accept: str) -> bool:
    """Whether a request is a browser's: it likes text/html better than what machines get (RFC 9110, section 12.5.1)."""
    liked = qualities(accept)

    def quality(media_type: str) -> float:
        ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
        return next((liked[name] for name in ranges if name in liked), 0)

    return "text/html" in liked and liked["text/html"] > max(map(quality, _MACHINES), default=0)


class ErrorPages:
    """Shows every error of the application behind it as a page to browsers; machines get it as it is."""

    def __init__(self, behind: ASGIApp, pages: Pages) -> None:
        self._behind = behind
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        begun: Message | None = None
        parts: list[bytes] = []
        page = wants_page(",".join(Headers(scope=scope).getlist("accept")))

        async def sent(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start" and message["status"] >= 400:
                MutableHeaders(scope=message).add_vary_header("Accept")
                if page:
                    begun = message
                    return
            if begun is None:
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = MutableHeaders(scope=begun)
            body = self._page(begun["status"], headers.get("content-type", ""), b"".join(parts))
            headers["content-type"], headers["content-length"] = "text/html; charset=utf-8", str(len(body))
            await send(begun)
            await send({"type": "http.response.body", "body": body})

        await self._behind(scope, receive, sent)

    def _page(self, status: int, content_type: str, said: bytes) -> bytes:
        text, errors = "", []
        if content_type.startswith(_PROBLEM):
            value = json.loads(said)
            text, errors = value.get("detail", ""), value.get("errors", [])
        elif content_type.startswith(_PLAIN):
            text = said.decode("utf-8", "replace").strip()
        title = HTTPStatus(status).phrase
        return self._pages.error(status, title, text or _SENTENCES.get(status, f"{title}."), errors)
