"""Limits of connections: idle ones are ended, and no client may take the room of all others.

The server (uvicorn) bounds how long a connection may be idle after an answer, but neither how long the head of a first
request may take nor how many connections one client has, and when all descriptors are taken nobody gets in. So every
connection (web/connection.py) is looked at once a second, and idle ones are ended.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import structlog

if TYPE_CHECKING:
    from web.connection import Connection

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

Peer = tuple[str, int]
"""Address and port of the client's side."""


class ClientConnection(NamedTuple):
    """One connection: since when it is there, whether a request is under way, and when the last was answered."""

    peer: Peer
    since: float
    busy: bool
    answered: float | None
    proxy: bool = False

    @property
    def idle_since(self) -> float:
        """Since when it has been idle."""
        return self.since if self.answered is None else self.answered


def connections_to_end(
    connections: Iterable[ClientConnection], now: float, most: int, per_client: int, young: float = _YOUNG_SECONDS
) -> list[Peer]:
    """Return the connections that must end: those that take too long, and idle ones when there are too many.

    `most`: how many there may be. `per_client`: how many one address may have unless it is a proxy. `young`: in
    seconds; who is younger makes no room. Connections without any request so far go before those that were answered,
    and the oldest first.
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
        crowded = total > room and now - connection.idle_since > young
        greedy = by_client[client] > per_client and not connection.proxy
        if crowded or greedy:
            ended.add(connection.peer)
            total -= 1
            by_client[client] -= 1
    return list(ended)


class ConnectionLimits:
    """Keeps the connections of the server within the limits that `configure` set last.

    All but `configure` is called in the server's event loop.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._per_client = most
        self._is_proxy: Callable[[str], bool] = lambda _: False
        self._connections: dict[Peer, Connection] = {}
        self._next_check: asyncio.TimerHandle | None = None

    def configure(self, per_client: int, is_proxy: Callable[[str], bool]) -> None:
        """Set how many connections one client may have. An address that is a proxy of ours has many clients."""
        self._per_client, self._is_proxy = per_client, is_proxy

    def start(self) -> None:
        """Begin to check, in the running event loop."""
        self._next_check = asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._check_over_and_over)

    def stop(self) -> None:
        """Stop checking."""
        if self._next_check is not None:
            self._next_check.cancel()

    def opened(self, connection: Connection) -> None:
        """Note a connection that was made. When there are too many, idle ones are ended at once, however young.

        When none is idle, the new one is.
        """
        if connection.client is not None:
            self._connections[connection.client] = connection
            if len(self._connections) >= self._most:
                self._end_what_must(young=0.0)
            if len(self._connections) > self._most:
                connection.transport.abort()

    def closed(self, connection: Connection) -> None:
        """Note that a connection has ended."""
        if connection.client is not None and self._connections.get(connection.client) is connection:
            del self._connections[connection.client]

    def _check_over_and_over(self) -> None:
        try:
            self._end_what_must(_YOUNG_SECONDS)
        except Exception:
            log.exception("connections_failed", next_step="checking again")
        crowded = len(self._connections) > self._most * _CROWDED
        pause = _CHECK_SECONDS / 4 if crowded else _CHECK_SECONDS
        self._next_check = asyncio.get_running_loop().call_later(pause, self._check_over_and_over)

    def _end_what_must(self, young: float) -> None:
        connections = [
            ClientConnection(peer, connection.since, connection.busy, connection.answered, self._is_proxy(peer[0]))
            for peer, connection in self._connections.items()
        ]
        now = asyncio.get_running_loop().time()
        ended = connections_to_end(connections, now, self._most, self._per_client, young)
        for peer in ended:
            self._connections.pop(peer).transport.abort()
        if ended:
            log.info("connections_ended", connections=len(ended), of=len(connections))
