"""A feed that everybody reads and that changes all the time: made once for each change, however many ask."""

from __future__ import annotations

import threading
import time
from http.client import HTTPConnection

import pytest
from served import served
from starlette.types import Receive, Scope, Send
from waiting import until

from web import content_coding
from web.connection_limits import ConnectionLimits
from web.document_cache import DocumentCache, Resource
from web.fast_path import FastPath
from web.feed_heads import FeedHeads
from web.feed_readers import FeedReaders
from web.header_fields import relevant_fields
from web.representation import Representation

_CLIENTS = 40
_CHANGES = 8
_MAKING_SECONDS = 0.1
"""So long does it take to make the document that all clients ask meanwhile."""


def test_a_popular_feed_is_made_once_for_each_change_by_real_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = FeedHeads()
    cache = DocumentCache(heads)
    made: list[int] = []
    coded: list[int] = []
    current = [1]

    def make() -> Representation:
        head = current[0]
        made.append(head)
        time.sleep(_MAKING_SECONDS)
        return Representation(b"document %d. " % head * 2000, "text/plain", [], head, None)

    def encode(body: bytes) -> bytes:
        coded.append(len(body))
        return body[:100]

    monkeypatch.setitem(content_coding.CODINGS, "br", encode)
    resource = Resource("/feeds/a.atom", "a", make)

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        document = await cache.get(resource, "br")
        response = document.respond(relevant_fields(scope["headers"]))
        assert response is not None
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": response.body})

    seen = [b""] * _CLIENTS
    answers = [0] * _CLIENTS
    stopped = threading.Event()

    def read(number: int, port: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        while not stopped.is_set():
            connection.request("GET", "/feeds/a.atom", headers={"Accept-Encoding": "br"})
            seen[number] = connection.getresponse().read()
            answers[number] += 1
        connection.close()

    with served(FastPath(cache, behind, ConnectionLimits(1000), FeedReaders())) as port:
        clients = [threading.Thread(target=read, args=(number, port)) for number in range(_CLIENTS)]
        for client in clients:
            client.start()
        for change in range(1, 1 + _CHANGES):
            current[0] = change
            heads.changed("a", change)
            until(lambda change=change: all(body.startswith(b"document %d." % change) for body in seen))
        stopped.set()
        for client in clients:
            client.join(60)
    assert sorted(set(made)) == list(range(1, 1 + _CHANGES))
    # Once, and at the most once more where it was under way while the feed changed.
    assert len(made) <= 2 * _CHANGES
    assert len(coded) <= len(made)
    assert sum(answers) >= _CLIENTS * _CHANGES
