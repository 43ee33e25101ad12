"""The client of the serving row: sockets that are kept, each asking again as soon as its answer has been read.

An answer's length is learnt from the first one, so that reading one is a single system call, however many there are:
Python then has less to do for a request than any server, and what is measured is the server. (It asks nginx more often
than wrk does with one thread.) An answer of another length, or with another status, ends the measurement with an error.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

_CONNECTIONS = 32
_TIMEOUT_SECONDS = 30
_READ = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names in lower case."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.head[9:12])

    @property
    def headers(self) -> dict[str, str]:
        """The header fields; of one that came twice the last."""
        lines = self.head.decode("latin-1").splitlines()[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


def ask(url: str, headers: Mapping[str, str]) -> Answer:
    """GET once. Raises OSError."""
    with _open(url) as connection:
        connection.sendall(_request(url, headers))
        read = b""
        while b"\r\n\r\n" not in read:
            read += _some(connection)
        head, end, body = read.partition(b"\r\n\r\n")
        answer = Answer(head + end, body)
        # A 304 has no body, whatever length it tells (RFC 9110, section 8.6).
        length = 0 if answer.status == 304 else int(answer.headers["content-length"])
        while len(body) < length:
            body += _some(connection)
        return Answer(answer.head, body)


def rate(url: str, headers: Mapping[str, str], status: int, seconds: float) -> float:
    """GET over and over; return answers per second. Raises RuntimeError when one is not as the first one was."""
    first = ask(url, headers)
    if first.status != status:
        raise RuntimeError(f"{url} was answered with {first.status}, not {status}")
    request, expected, length = _request(url, headers), first.head[:12], len(first.head) + len(first.body)
    buffer = bytearray(length)
    with ExitStack() as stack:
        connections = [stack.enter_context(_open(url)) for _ in range(_CONNECTIONS)]
        for connection in connections:
            connection.sendall(request)
        answers, begun = 0, time.monotonic()
        while time.monotonic() - begun < seconds:
            for connection in connections:
                got = connection.recv_into(buffer, length, socket.MSG_WAITALL)
                if got != length or not buffer.startswith(expected):
                    raise RuntimeError(f"{url} answered otherwise: {got} bytes, {bytes(buffer[:200])!r}")
                connection.sendall(request)
            answers += _CONNECTIONS
        return answers / (time.monotonic() - begun)


def _open(url: str) -> socket.socket:
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port))
    # Not settimeout: it would make the socket one that MSG_WAITALL does not wait for.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _TIMEOUT_SECONDS, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _some(connection: socket.socket) -> bytes:
    read = connection.recv(_READ)
    if not read:
        raise ConnectionError("the server has hung up in the middle of an answer")
    return read


def _request(url: str, headers: Mapping[str, str]) -> bytes:
    address = urlsplit(url)
    fields = "".join(f"{name}: {value}\r\n" for name, value in {"Host": address.netloc, **headers}.items())
    return f"GET {address.path} HTTP/1.1\r\n{fields}\r\n".encode()
