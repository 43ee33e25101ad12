"""One of libcurl's easy handles, made ready once and used for one transfer after another.

The options that never change are set when it is made. Of what belongs to a transfer only that is set which differs from
the one before. What arrives is kept up to a limit; nothing else of the answer goes through Python, unless its headers
are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, socket
from typing import TYPE_CHECKING

import pycurl

from worker.delivery.errors import Fault, fault_of
from worker.delivery.transfer import CHECKED, Answer, Tls, Transfer

if TYPE_CHECKING:
    from worker.delivery.guard import Guard
    from worker.delivery.sockets import Sockets
    from worker.delivery.turns import Host

READ_MOST = 65_536
"""Bytes of a body that are read although nobody wants them: less than a new connection costs. Then it is ended."""
CONNECTION_SECONDS = 600
"""How long a connection is used before the host's name is asked for again."""

_NO_HEADERS: Mapping[str, str] = {}
_FIXED = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROXY, ""),  # not even one from the environment: the guard would see its address instead
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.TCP_NODELAY, 1),
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
    (pycurl.PIPEWAIT, 1),  # rather a stream on a connection that is being opened than a connection more
    (pycurl.MAXLIFETIME_CONN, CONNECTION_SECONDS),
)


class Handle(pycurl.Curl):
    """A place for one transfer at a time."""

    __slots__ = ("_chunks", "_guard", "_lines", "_method", "_refused", "_size", "_target", "_timeout", "_tls", "begun")
    __slots__ += ("host", "transfer")

    transfer: Transfer
    host: Host
    begun: float
    """On time.monotonic()."""

    def __init__(self, guard: Guard, sockets: Sockets, connect_timeout: float, user_agent: str, ca_file: str) -> None:
        super().__init__()
        self._guard = guard
        self._chunks: list[bytes] = []
        self._lines: list[bytes] | None = None
        self._method = ""
        self._refused: str | None = None
