"""The hot path: an ASGI application in front of the other that answers from the shelf what stands there."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from web import feed_delta
from web.connection_limits import Connections
from web.document_cache import Shelf
from web.representation import fields

_READING = frozenset({"GET", "HEAD"})


class Front:
    """Answers what is asked most without asking anybody, and leaves the rest to the application behind it."""

    def __init__(self, shelf: Shelf, behind: ASGIApp, connections: Connections) -> None:
        self.behind = behind
        """Another takes its place when the settings are read again; requests that it has begun with it ends."""
        self._shelf = shelf
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        if scope["type"] != "http":
            await self.behind(scope, receive, send)
            return
        peer = scope["client"]
        if scope["method"] in _READING:
            query = scope["query_string"]
            document = self._shelf.current(f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"])
            if document is not None:
                headers = fields(scope["headers"])
                answer = None if feed_delta.wanted(headers) else document.answer(headers)
                if answer is not None:
                    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                    await send({"type": "http.response.body", "body": answer.body})
                    self._connections.answered[peer] = time.monotonic()
                    return
        self._connections.busy[peer] = time.monotonic()
        try:
            await self.behind(scope, receive, send)
        finally:
            self._connections.answered[peer] = time.monotonic()
            self._connections.busy.pop(peer, None)
