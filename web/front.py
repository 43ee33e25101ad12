"""The hot path: an ASGI application in front of the other that answers from the shelf what stands there."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from web import delta
from web.representation import fields
from web.shelf import Shelf

_READING = frozenset({"GET", "HEAD"})


class Front:
    """Answers what is asked most without asking anybody, and leaves the rest to the application behind it."""

    def __init__(self, shelf: Shelf, behind: ASGIApp) -> None:
        self._shelf = shelf
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        if scope["type"] == "http" and scope["method"] in _READING:
            query = scope["query_string"]
            document = self._shelf.current(f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"])
            if document is not None:
                headers = fields(scope["headers"])
                answer = None if delta.wanted(headers) else document.answer(headers)
                if answer is not None:
                    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                    await send({"type": "http.response.body", "body": answer.body})
                    return
        await self._behind(scope, receive, send)
