"""Limits of connections: idle ones are ended, and no client may take the room of all others.

The server (granian) bounds how long the head of a request may take, and how many connections there are. It does not
tell one client from another, and when all its places are taken nobody gets in. A proxy of ours in front would cost each
request more than granian does. So a thread looks once a second at the sockets of this process, knows from the fast path
which of them have a request under way or were answered, and ends the idle ones. It shuts the connection down and leaves
the socket to the server, which closes it.
"""

from __future__ import annotations

import os
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import structlog

log = structlog.get_logger()

HEAD_SECONDS = 15.0
"""How long a client may take from its connection to the end of its first request's head."""
_DONE_SECONDS = 180.0
"""How long after its last answer a connection is ended even if the client still reads it: it is too slow."""
_CROWDED, _ROOMY = 0.8, 0.6
"""When the first share of the places is taken, idle connections are ended until only the second share is."""
_YOUNG_SECONDS = 1.0
"""A connection that is younger, or was idle for less, is left alone even then."""
_CHECK_SECONDS = 1.0
_DESCRIPTORS = Path("/dev/fd")

Peer = tuple[str, str]
"""Address and port of the client's side, as the server gives them to the application."""


class ClientConnection(NamedTuple):
    """One connection: when it was first seen, whether a request is under way, and when the last was answered."""

    peer: Peer
    since: float
    busy: bool
    answered: float | None
    proxy: bool = False

    @property
    def idle_since(self) -> float:
        """Since when it has been idle."""
        return self.since if self.answered is None else self.answered


def connections_to_end(connections: Iterable[ClientConnection], now: float, most: int, per_client: int) -> list[Peer]:
    """Return the connections that must end: those that take too long, and idle ones when there are too many.

    `most`: how many there may be. `per_client`: how many one address may have unless it is a proxy. Connections without
    any request so far go before those that were answered, and the oldest first.
    """
    idle = sorted(
        (connection for connection in connections if not connection.busy),
        key=lambda connection: (connection.answered or 0.0, connection.since),
    )
    ended = {
        connection.peer
        for connection in idle
        if now - connection.idle_since > (HEAD_SECONDS if connection.answered is None else _DONE_SECONDS)
    }
    total = 0
    by_client: defaultdict[str, int] = defaultdict(int)
    for connection in connections:
        if connection.peer not in ended:
            total += 1
            by_client[connection.peer[0]] += 1
    room = int(most * _ROOMY) if total > most * _CROWDED else most
    for connection in idle:
        if connection.peer in ended:
            continue
        client = connection.peer[0]
        crowded = total > room and now - connection.idle_since > _YOUNG_SECONDS
        greedy = by_client[client] > per_client and not connection.proxy
        if crowded or greedy:
            ended.add(connection.peer)
            total -= 1
            by_client[client] -= 1
    return list(ended)


class ConnectionLimits:
    """Keeps the connections at a port within the limits that `configure` set last.

    The fast path notes in `busy` since when a connection has a request under way, and in `answered` when the last
    request was answered. The thread reads both, and removes connections that are gone.
    """

    def __init__(self, port: int, most: int) -> None:
        self.busy: dict[Peer, float] = {}
        self.answered: dict[Peer, float] = {}
        self._port = port
        self._most = most
        self._per_client = most
        self._is_proxy: Callable[[str], bool] = lambda _: False
        self._first_seen: dict[Peer, float] = {}
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="connections", daemon=True)

    def configure(self, per_client: int, is_proxy: Callable[[str], bool]) -> None:
        """Set how many connections one client may have. An address that is a proxy of ours has many clients."""
        self._per_client, self._is_proxy = per_client, is_proxy

    def start(self) -> None:
        """Begin to check."""
        self._thread.start()

    def stop(self) -> None:
        """Stop checking."""
        self._stopped.set()

    def check(self) -> int:
        """End the connections that must end; return how many connections there were."""
        now = time.monotonic()
        sockets = dict(self._sockets())
        self._first_seen = {peer: self._first_seen.get(peer, now) for peer in sockets}
        for moments in (self.busy, self.answered):
            # A note that is younger than this check may be about a connection that came after it.
            for peer, moment in list(moments.items()):
                if peer not in sockets and moment < now:
                    moments.pop(peer, None)
        connections = [
            ClientConnection(peer, since, peer in self.busy, self.answered.get(peer), self._is_proxy(peer[0]))
            for peer, since in self._first_seen.items()
        ]
        ended = connections_to_end(connections, now, self._most, self._per_client)
        for peer in ended:
            self._end(sockets[peer], peer)
        if ended:
            log.info("connections_ended", connections=len(ended), of=len(sockets))
        return len(sockets)

    def _run(self) -> None:
        pause = _CHECK_SECONDS
        while not self._stopped.wait(pause):
            try:
                crowded = self.check() > self._most * _CROWDED
                pause = _CHECK_SECONDS / 4 if crowded else _CHECK_SECONDS
            except Exception:
                log.exception("connections_failed", next_step="checking again")
                pause = _CHECK_SECONDS

    def _sockets(self) -> Iterable[tuple[Peer, int]]:
        """Yield the client's side and the descriptor of every connection at our port."""
        for entry in list(_DESCRIPTORS.iterdir()):
            with suppress(OSError):  # not a socket, not connected, or closed in the meantime
                if peer := self._peer(int(entry.name)):
                    yield peer, int(entry.name)

    def _peer(self, descriptor: int) -> Peer | None:
        connection = socket.socket(fileno=descriptor)
        try:
            if connection.family in (socket.AF_INET, socket.AF_INET6) and connection.getsockname()[1] == self._port:
                host, port = connection.getpeername()[:2]
                return host, str(port)
            return None
        finally:
            connection.detach()  # it belongs to the server

    def _end(self, descriptor: int, peer: Peer) -> None:
        """End a connection, unless its descriptor is another's by now, or a request has begun."""
        with suppress(OSError):
            duplicate = os.dup(descriptor)  # which stays this connection's, even if the server closes its own now
            try:
                if self._peer(duplicate) == peer and peer not in self.busy:
                    with socket.socket(fileno=os.dup(duplicate)) as connection:
                        connection.shutdown(socket.SHUT_RDWR)
            finally:
                os.close(duplicate)
