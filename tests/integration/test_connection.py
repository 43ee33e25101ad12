"""What a connection of the web server answers without reading it, and what it must not take for such a request."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from served import served
from starlette.types import Receive, Scope, Send
from waiting import until

from web.connection import HEAD_BYTES
from web.connection_limits import ConnectionLimits
from web.document_cache import DocumentCache, Resource
from web.fast_path import FastPath
from web.feed_heads import FeedHeads
from web.feed_readers import FeedReaders
from web.header_fields import relevant_fields
from web.representation import Representation

GET = b"GET /feeds/a.atom HTTP/1.1\r\nhost: news.example\r\nuser-agent: reader\r\n\r\n"
LAST = b"GET /feeds/a.atom HTTP/1.1\r\nhost: news.example\r\nconnection: close\r\n\r\n"
PLACES = 20


@dataclass
class Site:
    """A site with one document. What it is asked for that is not in its cache it notes."""

    port: int = 0
    text: bytes = b"first"
    head: int = 1
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    heads: FeedHeads = field(default_factory=FeedHeads)
    streams: int = 0
    begun: int = 0

    def __post_init__(self) -> None:
        self.cache = DocumentCache(self.heads)

    def make(self) -> Representation:
        return Representation(self.text * 100, "text/plain", [(b"link", b"<x>")], self.head, None)

    def change(self, text: bytes) -> None:
        self.text, self.head = text, self.head + 1
        self.heads.changed("a", self.head)

    async def behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun += 1
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.asked.append((f"{scope['method']} {scope['path']}", body))
        if scope["path"] == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b": here\n\n", "more_body": True})
            self.streams += 1
            await receive()
            self.streams -= 1
            return
        if scope["path"] in {"/slow", "/never"}:
            await asyncio.sleep(0.3 if scope["path"] == "/slow" else 60)
        if scope["path"] == "/feeds/a.atom" and scope["method"] == "GET":
            document = await self.cache.get(Resource("/feeds/a.atom", "a", self.make), "identity")
            response = document.respond(relevant_fields(scope["headers"]))
            assert response is not None
            status, headers, content = response
        else:
            status, headers, content = 200, [(b"content-length", b"5")], b"other"
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def ask(self, *parts: bytes, pause: float = 0.0) -> bytes:
        """Send parts on one connection and then LAST; return all that is answered."""
        with self.connect() as connection:
            for part in (*parts, LAST):
                connection.sendall(part)
                time.sleep(pause)
            return everything(connection)


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def answers(read: bytes) -> list[tuple[bytes, bytes]]:
    """The heads, without their dates, and bodies of answers that came one after the other."""
    found = []
    while read:
        head, _, read = read.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"date:")]
        length = next((int(line[16:]) for line in lines if line.startswith(b"content-length: ")), 0)
        length = 0 if lines[0].startswith(b"HTTP/1.1 304") else length
        # Who closes says so.
        found.append((b"\n".join(sorted(line for line in lines if line != b"connection: close")), read[:length]))
        read = read[length:]
    return found


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with served(FastPath(site.cache, site.behind, ConnectionLimits(PLACES), FeedReaders())) as site.port:
        site.ask(GET)  # the document is made
        site.asked.clear()
        yield site


def known(site: Site, request: bytes = GET) -> None:
    """Have a request be known by its bytes."""
    site.ask(request, request, pause=0.02)
    site.asked.clear()


REQUESTS = {
    "document": (GET, b"first"),
    "another reader": (GET.replace(b"reader", b"another"), b"first"),
    "not in the cache": (b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n", b"other"),
    "body": (b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(GET) + GET, b"other"),
    "chunks": (
        b"POST /events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        b"%x\r\n" % len(GET) + GET + b"\r\n3\r\nabc\r\n0\r\n\r\n",
        b"other",
    ),
    "upgrade": (GET.replace(b"\r\n\r\n", b"\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"), b"first"),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(REQUESTS)), min_size=1, max_size=12), st.lists(st.floats(0, 1), max_size=12))
def test_whatever_is_asked_in_whatever_pieces_is_answered_in_its_order(
    site: Site, names: list[str], cuts: list[float]
) -> None:
    stream = b"".join(REQUESTS[name][0] for name in names)
    places = sorted({0, len(stream), *(round(cut * len(stream)) for cut in cuts)})
    parts = [stream[begin:end] for begin, end in pairwise(places)]
    bodies = [body[:5] for _, body in answers(site.ask(*parts, pause=0.001))]
    assert bodies == [*(REQUESTS[name][1] for name in names), b"first"]


def test_what_is_known_is_answered_just_as_what_is_read(site: Site) -> None:
    tag = dict(line.split(b": ", 1) for line in answers(site.ask())[0][0].split(b"\n") if b": " in line)[b"etag"]
    for request, status in (
        (GET, b"200 OK"),
        (GET.replace(b"reader", b"another\r\nif-none-match: " + tag), b"304 Not Modified"),
        (GET.replace(b"reader", b'third\r\nif-none-match: "other"'), b"200 OK"),
        (GET.replace(b"\r\n\r\n", b"\r\nConnection: Keep-Alive\r\n\r\n"), b"200 OK"),
    ):
        read, *again = answers(site.ask(request, request, request, pause=0.02))
        assert read[0].startswith((b"HTTP/1.1 " + status, b"content-length"))
        assert status in read[0]
        assert [read, read] == again[:2]
        assert all(b"date: " in part for part in site.ask(request).split(b"HTTP/1.1")[1:])
    assert site.asked == []


def test_what_is_known_is_answered_with_what_is_current(site: Site) -> None:
    known(site)
    for text in (b"second", b"third"):
        site.change(text)
        [(_, body), (_, again), _] = answers(site.ask(GET, GET, pause=0.02))
        assert body == again == text * 100
    assert site.asked == [("GET /feeds/a.atom", b"")] * 2


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_requests_may_come_in_pieces_and_together(site: Site, pause: float) -> None:
    known(site)
    document = b"first" * 100
    for parts in ([GET + GET], [GET[:30], GET[30:]], [GET, GET[:10], GET[10:] + GET], [b"\r\n" + GET]):
        bodies = [body for _, body in answers(site.ask(*parts, pause=pause))]
        assert bodies == [document] * (b"".join(parts).count(b"GET ") + 1)


def test_what_a_known_reader_tells_of_its_subscribers_is_noted_again_and_again(site: Site) -> None:
    readers = FeedReaders()
    told = GET.replace(b"reader", b"Feedly/1.0 (12 subscribers)")
    with served(FastPath(site.cache, site.behind, ConnectionLimits(PLACES), readers)) as site.port:
        known(site, told)
        for _ in range(2):
            readers.take_notes()
            site.ask(told)
            assert readers.take_notes() == [("/feeds/a.atom", b"Feedly/1.0 (12 subscribers)")]


def test_the_body_of_a_request_is_no_request_whatever_it_says(site: Site) -> None:
    known(site)
    post = b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(GET)
    chunked = b"POST /events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    for parts in ([post, GET], [chunked, b"%x\r\n" % len(GET), GET, b"\r\n0\r\n\r\n"]):
        assert [body[:5] for _, body in answers(site.ask(*parts, pause=0.02))] == [b"other", b"first"]
    # One that is answered before its body is there is the last on its connection.
    with site.connect() as connection:
        connection.sendall(GET.replace(b"\r\n\r\n", b"\r\ncontent-length: %d\r\n\r\n" % len(GET)))
        time.sleep(0.02)
        connection.sendall(GET)
        assert [body for _, body in answers(everything(connection))] == [b"first" * 100]
    assert site.asked == [("POST /events", GET)] * 2


@pytest.mark.parametrize("pause", [0.0, 0.02])
def test_a_wish_for_another_protocol_is_ignored(site: Site, pause: float) -> None:
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    post = b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n" + wish
    chunked = b"POST /events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n" + wish
    get = GET.replace(b"\r\n\r\n", b"\r\n" + wish)
    parts = (get, post[:70], post[70:], b"text", chunked, b"4\r\nmore\r\n0\r\n\r\n", get)
    bodies = [body[:5] for _, body in answers(site.ask(*parts, pause=pause))]
    assert bodies == [b"first", b"other", b"other", b"first", b"first"]
    assert site.asked == [("POST /events", b"text"), ("POST /events", b"more")]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x00\xa5",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /feeds/main.rss HTTP/1.1\r\n\r\n",
        b"GET /feeds/main.rss HTTP/1.1\r\nhost: x\r\nHost: y\r\n\r\n",
        b"GET /feeds/main.rss HTTP/1.0\r\nhost: x\r\nhost: x\r\n\r\n",
    ],
)
def test_nonsense_is_refused(site: Site, nonsense: bytes) -> None:
    with site.connect() as connection:
        connection.sendall(nonsense)
        assert everything(connection).startswith(b"HTTP/1.1 400 ")
    assert site.asked == []


def test_an_answer_that_is_under_way_comes_first(site: Site) -> None:
    known(site)
    slow = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"
    assert [body[:5] for _, body in answers(site.ask(slow, GET, GET, pause=0.02))] == [b"other", *[b"first"] * 3]


def test_other_requests_for_the_same_document_are_read(site: Site) -> None:
    known(site)
    with site.connect() as connection:
        connection.sendall(LAST.replace(b"GET", b"HEAD"))
        read = everything(connection)
    assert b"content-length: 500\r\n" in read
    assert read.endswith(b"\r\n\r\n")
    old = GET.replace(b"HTTP/1.1", b"HTTP/1.0")
    with site.connect() as connection:
        connection.sendall(old)
        assert everything(connection).endswith(b"first" * 100)  # and it is closed
    with site.connect() as connection:
        connection.sendall(old)
        assert everything(connection).endswith(b"first" * 100)


def test_a_head_without_end_is_refused(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(b"GET /feeds/a.atom HTTP/1.1\r\nhost: x\r\n")
        read = b""
        try:
            for _ in range(HEAD_BYTES // 1000 + 1):
                connection.sendall(b"x-more: " + b"y" * 1000 + b"\r\n")
            read = everything(connection)
        except ConnectionError:
            pass  # it was closed before all was sent
    assert read.startswith(b"HTTP/1.1 431 ") or read == b""
    assert site.asked == []
    # A body may be as long as it likes here.
    post = b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 300000\r\n\r\n"
    site.ask(post, b"z" * 300_000)
    assert site.asked == [("POST /events", b"z" * 300_000)]


def _ask_on(connection: socket.socket, requests: bytes, most: int) -> None:
    """Send requests, at most so many bytes."""
    sent = 0
    while sent < most:
        sent += connection.send(requests)


@pytest.mark.parametrize("together", [1, 500])
def test_who_asks_and_never_reads_is_not_answered_for_ever(site: Site, together: int) -> None:
    site.change(b"long" * 1000)
    known(site)
    with site.connect() as connection:
        connection.settimeout(1)
        # The systems of both sides keep some megabytes.
        with pytest.raises(TimeoutError):
            _ask_on(connection, GET * together, 40_000_000)
    assert answers(site.ask(GET))[0][1] == b"long" * 100_000


def test_who_is_answered_before_the_body_is_there_gets_the_answer(site: Site) -> None:
    async def refuse(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})

    with (
        served(FastPath(site.cache, refuse, ConnectionLimits(PLACES), FeedReaders())) as port,
        socket.create_connection(("127.0.0.1", port), 60) as connection,
    ):
        connection.sendall(b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
        time.sleep(0.05)
        connection.sendall(b"z" * 500_000)
        assert everything(connection).endswith(b"\r\n\r\nno")


def test_when_all_places_are_taken_those_that_say_nothing_make_room(site: Site) -> None:
    strangers = [site.connect() for _ in range(5 * PLACES)]
    assert answers(site.ask(GET))[0][1] == b"first" * 100
    for stranger in strangers:
        stranger.close()


def test_a_body_that_does_not_come_does_not_keep_the_server_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    with served(FastPath(site.cache, site.behind, ConnectionLimits(PLACES), FeedReaders())) as site.port:
        connections = [site.connect() for _ in range(2)]
        for connection in connections:
            connection.sendall(b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nte")
        until(lambda: site.begun == 2, "both requests")
        timer = threading.Timer(0.5, connections[0].sendall, (b"xt",))
        timer.start()
        begun = time.monotonic()
    assert time.monotonic() - begun < 8  # it would wait for ten seconds, and cancel it then
    timer.join()
    assert everything(connections[0]).endswith(b"other")
    assert everything(connections[1]) == b""
    for connection in connections:
        connection.close()
    assert caplog.records == []


def test_who_waits_while_the_server_ends_is_told_to_come_again(caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    with served(FastPath(site.cache, site.behind, ConnectionLimits(PLACES), FeedReaders())) as site.port:
        connection = site.connect()
        connection.sendall(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n")
        until(lambda: site.begun, "the request")
    with connection:
        assert everything(connection).startswith(b"HTTP/1.1 503 ")
    # That its task was cancelled is nobody's trouble.
    assert caplog.records == []


def test_a_stream_without_end_does_not_keep_the_server_from_ending() -> None:
    site = Site()
    with served(FastPath(site.cache, site.behind, ConnectionLimits(PLACES), FeedReaders())) as site.port:
        connection = site.connect()
        connection.sendall(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n")
        read = connection.recv(65_536)
        while b": here" not in read:
            read += connection.recv(65_536)
        assert site.streams == 1
        begun = time.monotonic()
    assert time.monotonic() - begun < 8  # it would wait for ten seconds, and cancel it then
    everything(connection)
    connection.close()
    assert site.streams == 0
