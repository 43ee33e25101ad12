"""The receiver of the benchmark: a process of its own that answers as fast as Python can and counts what it verified.

One thread on epoll with raw sockets: a request costs it about 20 microseconds, signature included, so it is not what is
measured. What a path does is in its first letter:

    /o...   checks the signature, answers 204            /f...   answers 500
    /s...   answers 204 after one second                 /n...   never answers
"""

from __future__ import annotations

import hmac
import multiprocessing
import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

SECRET = b"the secret of every subscriber of the benchmark"

_OK = b"HTTP/1.1 204 No Content\r\n\r\n"
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_SLOW_SECONDS = 1.0


@dataclass
class Counts:
    """What has come since the last reset. Times on time.monotonic(), which all processes of a machine share."""

    verified: int = 0
    wrong: int = 0
    failed: int = 0
    slow: int = 0
    hanging: int = 0
    paths: set[bytes] = field(default_factory=set)
    arrivals: list[float] = field(default_factory=list)
    bodies: list[tuple[bytes, bytes]] = field(default_factory=list)


class Receiver:
    """The process, and what the benchmark asks it. `keep_bodies`: (path, body) of each request is kept."""

    def __init__(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        self.port: int = self._pipe.recv()
        self.url = f"http://127.0.0.1:{self.port}"

    def reset(self, *, keep_bodies: bool = False) -> None:
        """Begin to count anew."""
        self._pipe.send(("reset", keep_bodies))
        self._pipe.recv()

    def count(self) -> int:
        """How many requests were verified."""
        self._pipe.send(("count", None))
        count: int = self._pipe.recv()
        return count

    def counts(self) -> Counts:
        """All that was counted."""
        self._pipe.send(("counts", None))
        counts: Counts = self._pipe.recv()
        return counts

    def wait(self, count: int, seconds: float) -> float:
        """Wait until so many requests were verified; return the moment of the last of them."""
        deadline = time.monotonic() + seconds
        while (now := self.count()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{now} of {count} arrived within {seconds} s")
            time.sleep(0.01)
        self._pipe.send(("last", None))
        last: float = self._pipe.recv()
        return last

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _serve(pipe: Connection) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    pipe.send(listener.getsockname()[1])
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    poller.register(pipe.fileno(), select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    partial: dict[int, bytes] = {}
    later: deque[tuple[float, int]] = deque()
    counts, keep_bodies = Counts(), False
    while True:
        wait = max(0.0, later[0][0] - time.monotonic()) if later else None
        for fd, _ in poller.poll(wait):
            if fd == listener.fileno():
                _accept(listener, poller, connections)
            elif fd == pipe.fileno():
                command, argument = pipe.recv()
                if command == "reset":
                    counts, keep_bodies = Counts(), bool(argument)
                    pipe.send(None)
                elif command == "count":
                    pipe.send(counts.verified)
                elif command == "last":
                    pipe.send(counts.arrivals[-1])
                else:
                    pipe.send(counts)
            else:
                connection = connections[fd]
                try:
                    data = connection.recv(262_144)
                except OSError:
                    data = b""
                if not data:
                    poller.unregister(fd)
                    connections.pop(fd).close()
                    partial.pop(fd, None)
                    continue
                if fd in partial:
                    data = partial.pop(fd) + data
                answer, rest = _answer(data, counts, keep_bodies=keep_bodies)
                if rest:
                    partial[fd] = rest
                if answer is None:
                    later.append((time.monotonic() + _SLOW_SECONDS, fd))
                elif answer:
                    connection.send(answer)
        while later and later[0][0] <= time.monotonic():
            fd = later.popleft()[1]
            if fd in connections:
                connections[fd].send(_OK)


def _accept(listener: socket.socket, poller: select.epoll, connections: dict[int, socket.socket]) -> None:
    try:
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections[connection.fileno()] = connection
            poller.register(connection, select.EPOLLIN)
    except BlockingIOError:
        return


def _answer(data: bytes, counts: Counts, *, keep_bodies: bool) -> tuple[bytes | None, bytes]:
    """The answer to what has come (None: later), and what is left for the next call. One request at a time."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return b"", data
    head = data[:end].lower()
    at = head.find(b"content-length: ")
    length = int(head[at + 16 : head.find(b"\r\n", at) if head.find(b"\r\n", at) > 0 else None]) if at > 0 else 0
    body = data[end + 4 :]
    if len(body) < length:
        return b"", data
    path = data[5 : data.find(b" ", 5)]
    kind = path[1:2]
    if kind == b"f":
        counts.failed += 1
        return _FAILED, b""
    if kind == b"n":
        counts.hanging += 1
        return b"", b""
    at = data.find(b"sha256=", 0, end)
    if at > 0 and data[at + 7 : at + 71].decode() != hmac.digest(SECRET, body, "sha256").hex():
        counts.wrong += 1
        return _FAILED, b""
    counts.arrivals.append(time.monotonic())
    if keep_bodies:
        counts.bodies.append((path, body))
    if kind == b"s":
        counts.slow += 1
        return None, b""
    counts.verified += 1
    counts.paths.add(path)
    return _OK, b""
