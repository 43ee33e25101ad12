"""One connection of a client: uvicorn's protocol, with a shorter way to what has been answered before.

Feed readers and the proxies before them ask for the same document in the same words, byte for byte, over and over.
`KnownRequests` remembers what such bytes asked for, once the parser has read them, and the next time they are answered
from the cache without it: no parsing, no task, no ASGI. What is not known, begins in the middle of something, or asks
for what is not there, goes uvicorn's way.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from web.fast_path import FastPath, document_key
from web.feed_readers import reader_note
from web.header_fields import relevant_pairs
from web.known_requests import Question

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

HEAD_BYTES = 65_536
"""How long the head of a request may be, in bytes."""
_INVALID = "This is no request by HTTP/1.1."
_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
_STOPPING = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LINGER_SECONDS = 2.0
"""How long the rest of a body is waited for that nobody wants any more, or that comes while the server ends."""
_ANSWER_SECONDS = 5.0
"""How long an answer may take while the server ends."""
_KNOWN_BYTES = 2_000
"""How long a request may be whose bytes are remembered."""
_MORE = frozenset({b"connection", b"content-length", b"expect", b"transfer-encoding", b"upgrade"})
"""A request that has one of these fields is more than a question for a document, but for `_KEEP`."""
_KEEP = (b"connection", b"keep-alive")


class Connection(HttpToolsProtocol):
    """A connection of the web server. What it serves is a FastPath."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        fast_path = config.loaded_app
        assert isinstance(fast_path, FastPath)  # worker/runtime/web_server.py
        self._cache, self._limits, self._readers = fast_path.cache, fast_path.connections, fast_path.readers
        self._known_requests = fast_path.known_requests
        self.since = self.loop.time()
        """When it was made, in seconds of the loop's clock."""
        self.answered: float | None = None
        """When its last request was answered."""
        self._between = True
        """Whether the parser is between two requests."""
        self._lingers = False
        """Whether the last answer has been given, and only what is left of its request is read."""
        self._head_bytes = 0
        """What has come of a head that is not whole yet, at most."""
        self._whole = b""
        """What has come since the parser was between two requests, if it may be a whole request for a document."""

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is room."""
        super().connection_made(transport)
        self._limits.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._limits.closed(self)

    def data_received(self, data: bytes) -> None:
        """Answer what is known, and hand on what is not."""
        if self._between and not self.busy:
            question = self._known_requests.get(data)
            if question is not None and self._answer(question):
                return
            self._whole = data if data.startswith(b"GET ") and len(data) <= _KNOWN_BYTES else b""
        else:
            self._whole = b""
        self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        self._read(data)
        if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LONG)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Note that a request has begun (called by the parser)."""
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the head is whole, and have the request answered (called by the parser)."""
        self._head_bytes = 0
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise httptools.HttpParserError(f"{hosts} Host fields (RFC 9112, section 3.2)")
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        if self._whole:
            self._learn()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, which is not the head's."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is whole (called by the parser)."""
        if self.parser.should_upgrade():
            return
        self._between = True
        self._head_bytes = 0
        super().on_message_complete()
        if self._lingers:
            self.transport.close()

    def on_response_complete(self) -> None:
        """Note that a request was answered. Who was answered before its body was there is asked nothing more.

        What still comes of the body is read for a while: if the connection were closed with it unread, the client's
        system could throw the answer away (RFC 9112, section 9.6).
        """
        self.answered = self.loop.time()
        # Those in the pipeline have come after all of the one that was answered.
        early = not self.pipeline and self.cycle.more_body
        super().on_response_complete()
        if early and not self.transport.is_closing():
            self._lingers = True
            self._unset_keepalive_if_required()
            self.transport.write_eof()
            self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def shutdown(self) -> None:
        """End when what is under way is done, of which the rest of a body may take a moment.

        Streams of events have no end: their readers come back by themselves.
        """
        super().shutdown()
        if self.cycle is not None and self.cycle.response_started and self.cycle.chunked_encoding:
            self._disconnect()
        elif self.busy:
            self.loop.call_later(_LINGER_SECONDS, self._disconnect_sender)
            self.loop.call_later(_ANSWER_SECONDS, self._turn_away)

    def _disconnect_sender(self) -> None:
        if self.busy and self.cycle.more_body:
            self._disconnect()

    def _turn_away(self) -> None:
        """Answer whoever waits for something that has not happened (?wait=30s) in place of the application."""
        if self.busy and not self.cycle.response_started and not self.transport.is_closing():
            self.transport.write(_STOPPING)
            self._disconnect()

    def _disconnect(self) -> None:
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self.transport.close()

    def _read(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._read_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response(_INVALID)

    def _read_without_upgrade(self, rest: bytes) -> None:
        """Read a request again without its wish for another protocol.

        A server may ignore it (RFC 9110, section 7.8). The parser would take it for granted, and the body, which is in
        `rest`, for that protocol. Java's client wishes for HTTP/2 with each request.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.send_400_response(_INVALID)
            return
        lines = [b"%b %b HTTP/%b\r\n" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._whole = b""
        self._read(b"".join((*lines, b"\r\n", rest)))

    def _answer(self, question: Question) -> bool:
        """Answer from the cache; return whether that was possible."""
        dated = self.server_state.default_headers
        if not dated or self.flow.write_paused or self.transport.is_closing():
            return False
        document = self._cache.current(question.key)
        answer = document and document.answer_to(question.fields)
        if not answer:
            return False
        self._unset_keepalive_if_required()
        head = b"%bdate: %b\r\n%b" % (STATUS_LINE[answer.response.status], dated[0][1], answer.lines)
        if answer.response.body:
            self.transport.writelines((head, answer.response.body))
        else:
            self.transport.write(head)
        self.answered = self.loop.time()
        self._readers.note(question.note)
        return True

    def _learn(self) -> None:
        """Remember what the bytes that have come ask for, if they are a whole request for a document that is here."""
        request, self._whole = self._whole, b""
        # A second request behind the first, or a body, would have to be answered as well.
        if request.find(b"\r\n\r\n") != len(request) - 4 or self.scope["http_version"] != "1.1":
            return
        headers = self.scope["headers"]
        if any(name in _MORE and (name, value.lower()) != _KEEP for name, value in headers):
            return
        key = document_key(self.scope)
        if self._cache.current(key) is not None:
            self._known_requests.learn(
                request, Question(key, relevant_pairs(headers), reader_note(self.scope["path"], headers))
            )
