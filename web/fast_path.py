"""The fast path: an ASGI application in front of the slow one, which answers from the document cache what it can.

Nearly all requests are for a document that is in the cache. They need its path, validators and coding, and headers that
are there as bytes, but no router, no middleware and no Redis. Everything else, also the first request for a document,
goes to the application behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from web import feed_delta
from web.connection_limits import ConnectionLimits
from web.document_cache import DocumentCache
from web.feed_readers import FeedReaders, reader_note
from web.header_fields import relevant_fields, relevant_pairs
from web.known_requests import KnownRequests
from web.representation import RawResponse, RelevantFields, Representation

_READING = frozenset({"GET", "HEAD"})


class FastPath:
    """Answers from the cache. The connections of the server (web/connection.py) use its parts as well.

    `readers`: hears of all that is answered here.
    """

    def __init__(
        self, cache: DocumentCache, behind: ASGIApp, connections: ConnectionLimits, readers: FeedReaders
    ) -> None:
        self.behind = behind
        """Replaced when the settings are read again; requests that it has begun with the old one end there."""
        self.cache = cache
        self.known_requests = KnownRequests()
        self.connections = connections
        self.readers = readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request (ASGI 3)."""
        if scope["type"] == "http" and scope["method"] in _READING:
            document = self.cache.current(document_key(scope))
            if document is not None:
                pairs = relevant_pairs(scope["headers"])
                again = document.answer_to(pairs)
                response = again.response if again else _respond(document, pairs)
                if response is not None:
                    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
                    await send({"type": "http.response.body", "body": response.body})
                    self.readers.note(reader_note(scope["path"], scope["headers"]))
                    return
        await self.behind(scope, receive, send)


def document_key(scope: Mapping[str, Any]) -> str:
    """Return the key in the cache of what a request asks for."""
    query = scope["query_string"]
    path: str = scope["path"]
    return f"{path}?{query.decode('latin-1')}" if query else path


def _respond(document: Representation, pairs: RelevantFields) -> RawResponse | None:
    """The response to whoever asks so for the first time; None when the application behind must make it."""
    fields = relevant_fields(pairs)
    response = None if feed_delta.accepted(fields) else document.respond(fields)
    if response is not None:
        document.remember(pairs, response)
    return response
