"""The receiver of the benchmark: a process of its own that checks every signature, answers at once and counts.

One thread on epoll with plain sockets: a request costs it some 20 microseconds, signature included, so that it is not
what is measured. It listens on many loopback addresses with one port, since every address is a host of its own to who
delivers. What a path does is in its first letter:

    /o/...  checks a WebSub signature, answers 204        /f/...  answers 500
    /a/...  checks a Standard Webhook, keeps book of      /s/...  as /o/, after one second
            the article's versions, answers 204           /w/...  as /a/, after one second
    /n/...  never answers                                 /b/...  a bucket: checks that the hash of the body is
                                                          signed, keeps book as /a/, answers an ETag
"""

from __future__ import annotations

import hmac
import multiprocessing
import re
import resource
import select
import socket
import time
from base64 import b64encode
from collections import deque
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

WEBHOOK_KEY = b"the key of every endpoint"
WEBHOOK_SECRET = f"whsec_{b64encode(WEBHOOK_KEY).decode()}"

_OK = b"HTTP/1.1 204 No Content\r\n\r\n"
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_SLOW_SECONDS = 1.0
_READ_BYTES = 262_144
_ARTICLE = re.compile(rb'"article":\{"id":"([^"]+)".*"version":(\d+)', re.DOTALL)


def secret_of(path: str) -> str:
    """The secret of the subscriber at `path`: each has its own, so that no signature can be used twice."""
    return f"the secret of the subscriber at {path}"


@dataclass
class Counts:
    """What has come since the last reset. Times on time.monotonic(), which all processes of a machine share."""

    verified: int = 0
    """Answered 2xx, the slow ones included."""
    wrong: int = 0
    """Not signed as they must be."""
    failed: int = 0
    hanging: int = 0
    paths: set[bytes] = field(default_factory=set)
    """Of those that were answered at once."""
    arrivals: list[float] = field(default_factory=list)
    """Of the same: when each was complete."""
    body: bytes = b""
    """The last body."""
    held: dict[bytes, dict[str, tuple[int, float]]] = field(default_factory=dict)
    """Path of an endpoint -> article -> its version and when it came."""
    repeated: int = 0
    backwards: int = 0
    """Versions that came after a newer one of the same article."""


class Receiver:
    """The process, and what the benchmark asks it. `hosts`: how many addresses it has."""

    def __init__(self, hosts: int = 100) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, hosts), daemon=True)
        self._process.start()
        theirs.close()
        port: int = self._pipe.recv()
        self.origins = [f"http://{_address(host)}:{port}" for host in range(hosts)]
        assert self._process.pid is not None
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    def url(self, path: str, number: int) -> str:
        """The URL of `path` on the host of the receiver with that number."""
        return f"{self.origins[number % len(self.origins)]}{path}"

    def reset(self) -> None:
        """Begin to count anew."""
        self._ask("reset")

    def counts(self) -> Counts:
        """All that was counted."""
        counts: Counts = self._ask("counts")
        return counts

    def wait(self, arrivals: int, seconds: float) -> float:
        """Wait until so many were answered at once; return the moment of the last of them. Raises TimeoutError."""
        self._pipe.send(("wait", arrivals))
        if not self._pipe.poll(seconds):
            counts = self.counts()
            raise TimeoutError(
                f"{len(counts.arrivals):,} of {arrivals:,} arrived within {seconds:g} s; "
                f"{counts.wrong:,} with a wrong signature"
            )
        last: float = self._pipe.recv()[1]
        return last

    def _ask(self, command: str) -> Any:
        self._pipe.send((command, 0))
        while True:
            about, answer = self._pipe.recv()
            if about == command:
                return answer


def _address(host: int) -> str:
    return f"127.1.{host // 250}.{host % 250 + 1}"


class _Loop:
    """The loop of the process."""

    def __init__(self, pipe: Connection, hosts: int) -> None:
        self._pipe = pipe
        self._poller = select.epoll()
        self._poller.register(pipe.fileno(), select.EPOLLIN)
        self._listeners: dict[int, socket.socket] = {}
        self._connections: dict[int, socket.socket] = {}
        self._partial: dict[int, bytes] = {}
        self._later: deque[tuple[float, int]] = deque()
        self._counts = Counts()
        self._awaited = 0
        port = 0
        for host in range(hosts):
            listener = socket.create_server((_address(host), port), backlog=4096)
            port = listener.getsockname()[1]
            listener.setblocking(False)
            self._poller.register(listener, select.EPOLLIN)
            self._listeners[listener.fileno()] = listener
        pipe.send(port)

    def run(self) -> None:
        while True:
            wait = max(0.0, self._later[0][0] - time.monotonic()) if self._later else None
            for fd, _ in self._poller.poll(wait):
                if fd in self._connections:
                    self._read(fd)
                elif fd in self._listeners:
                    self._accept(self._listeners[fd])
                else:
                    self._obey()
            if self._awaited and len(self._counts.arrivals) >= self._awaited:
                self._pipe.send(("wait", self._counts.arrivals[self._awaited - 1]))
                self._awaited = 0
            while self._later and self._later[0][0] <= time.monotonic():
                fd = self._later.popleft()[1]
                if fd in self._connections:
                    self._connections[fd].send(_OK)

    def _obey(self) -> None:
        command, argument = self._pipe.recv()
        self._awaited = argument
        if command == "reset":
            self._counts = Counts()
            self._pipe.send((command, None))
        elif command == "counts":
            self._pipe.send((command, self._counts))

    def _accept(self, listener: socket.socket) -> None:
        try:
            while True:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections[connection.fileno()] = connection
                self._poller.register(connection, select.EPOLLIN)
        except BlockingIOError:
            return

    def _read(self, fd: int) -> None:
        connection = self._connections[fd]
        try:
            data = connection.recv(_READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._poller.unregister(fd)
            self._connections.pop(fd).close()
            self._partial.pop(fd, None)
            return
        if fd in self._partial:
            data = self._partial.pop(fd) + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) - end - 4 < int(_header(data, end, b"Content-Length") or 0):
            self._partial[fd] = data
            return
        answer = self._answer(data, end)
        if answer:
            try:
                connection.send(answer)
            except OSError:  # it has gone meanwhile, and the next reading will see it
                return
        elif answer is None:
            self._later.append((time.monotonic() + _SLOW_SECONDS, fd))

    def _answer(self, data: bytes, end: int) -> bytes | None:
        """The answer to a whole request; None: in a second; empty: never."""
        counts = self._counts
        method_end = data.find(b" ")
        path = data[method_end + 1 : data.find(b" ", method_end + 1)]
        body = data[end + 4 :]
        kind = path[1:2]
        if kind == b"f":
            counts.failed += 1
            return _FAILED
        if kind == b"n":
            counts.hanging += 1
            return b""
        if not _CHECKS.get(kind, _signed)(data, end, path, body):
            counts.wrong += 1
            return _FAILED
        counts.verified += 1
        if kind in b"sw":
            return None
        counts.arrivals.append(time.monotonic())
        counts.paths.add(path)
        counts.body = body
        if kind == b"b":
            self._keep_book(b"/b/", body)
            return b'HTTP/1.1 200 OK\r\nETag: "%d"\r\nContent-Length: 0\r\n\r\n' % len(counts.arrivals)
        if kind == b"a":
            self._keep_book(path, body)
        return _OK

    def _keep_book(self, path: bytes, body: bytes) -> None:
        found = _ARTICLE.search(body)
        assert found, body[:200]
        article, version = found[1].decode(), int(found[2])
        held = self._counts.held.setdefault(path, {})
        before, _ = held.get(article, (0, 0.0))
        if version > before:
            held[article] = version, self._counts.arrivals[-1]
        elif version == before:
            self._counts.repeated += 1
        else:
            self._counts.backwards += 1


def _header(data: bytes, end: int, name: bytes) -> bytes | None:
    """The value of a header field, whose name may be written in small letters."""
    at = data.find(b"\n" + name + b": ", 0, end)
    if at < 0:
        at = data.find(b"\n" + name.lower() + b": ", 0, end)
    if at < 0:
        return None
    return data[at + len(name) + 3 : data.find(b"\r", at)]


def _signed(data: bytes, end: int, path: bytes, body: bytes) -> bool:
    given = _header(data, end, b"X-Hub-Signature")
    return given == b"sha256=%b" % hmac.digest(secret_of(path.decode()).encode(), body, "sha256").hex().encode()


def _webhook(data: bytes, end: int, path: bytes, body: bytes) -> bool:
    del path
    message, timestamp = _header(data, end, b"webhook-id"), _header(data, end, b"webhook-timestamp")
    content = b"%b.%b.%b" % (message or b"", timestamp or b"", body)
    return _header(data, end, b"webhook-signature") == b"v1," + b64encode(hmac.digest(WEBHOOK_KEY, content, "sha256"))


def _bucket(data: bytes, end: int, path: bytes, body: bytes) -> bool:
    del path
    given, signature = _header(data, end, b"X-Amz-Content-Sha256"), _header(data, end, b"Authorization") or b""
    return given == sha256(body).hexdigest().encode() and b";x-amz-content-sha256" in signature


_CHECKS = {b"a": _webhook, b"w": _webhook, b"b": _bucket}


def _serve(pipe: Connection, hosts: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        _Loop(pipe, hosts).run()
    except (EOFError, KeyboardInterrupt):  # the benchmark has ended
        return
