"""Connections of strangers: they end when nothing comes of them, and they never take all the room.

The server (granian) bounds how long the head of a request may take, and how many connections there are; it does not
tell one client from another, and when its places are taken nobody gets in. So a thread looks once a second at the
sockets of this process, knows from the application which of them have a request under way or were answered, and ends
those from which nothing comes. It shuts the connection down and leaves the socket to the server, which closes it.
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
"""How long after the last answer a connection is ended whatever it does: who reads so slowly reads nothing."""
_CROWDED, _ROOMY = 0.8, 0.6
"""When so much of the room is taken, idle connections end until no more than that is."""
_YOUNG_SECONDS = 1.0
"""A connection that is younger, or was idle for less, is left alone even then."""
_LOOK_SECONDS = 1.0
_DESCRIPTORS = Path("/dev/fd")

Peer = tuple[str, str]
"""Address and port of the other side, as the server tells them."""


class Connection(NamedTuple):
    """One connection: when it was first seen, whether a request is under way, and when the last was answered."""

    peer: Peer
    since: float
    busy: bool
    answered: float | None
    proxy: bool = False

    @property
    def idle_since(self) -> float:
        """Since when nothing has come of it."""
        return self.since if self.answered is None else self.answered


def to_end(connections: Iterable[Connection], now: float, most: int, per_client: int) -> list[Peer]:
    """Return the connections to be ended: those that take too long, and of too many those that are idle.

    `most`: how many there may be. `per_client`: how many one address may have that is no proxy's. Those that never
    asked for anything go before those that were answered, and of each the oldest first.
    """
    idle = sorted((one for one in connections if not one.busy), key=lambda one: (one.answered or 0.0, one.since))
    ended = {
        one.peer for one in idle if now - one.idle_since > (HEAD_SECONDS if one.answered is None else _DONE_SECONDS)
    }
    total = 0
    by_client: defaultdict[str, int] = defaultdict(int)
    for one in connections:
        if one.peer not in ended:
            total += 1
            by_client[one.peer[0]] += 1
    room = int(most * _ROOMY) if total > most * _CROWDED else most
    for one in idle:
        if one.peer in ended:
            continue
        crowded = total > room and now - one.idle_since > _YOUNG_SECONDS
        greedy = by_client[one.peer[0]] > per_client and not one.proxy
        if crowded or greedy:
            ended.add(one.peer)
            total -= 1
            by_client[one.peer[0]] -= 1
    return list(ended)


class Connections:
    """Looks after the connections at a port, by the settings that `bound` was told last.

    The application says in `busy` and `answered` what it knows of each; both are read and thinned out by the thread.
    """

    def __init__(self, port: int, most: int) -> None:
        self.busy: dict[Peer, float] = {}
        self.answered: dict[Peer, float] = {}
        self._port = port
        self._most = most
        self._per_client = most
        self._proxy: Callable[[str], bool] = lambda _: False
        self._since: dict[Peer, float] = {}
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="connections", daemon=True)

    def bound(self, per_client: int, proxy: Callable[[str], bool]) -> None:
        """Allow so many to one client. `proxy` tells whether an address is a proxy of ours: it has many clients."""
        self._per_client, self._proxy = per_client, proxy

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def look(self) -> int:
        """End what is to be ended; return how many connections there were."""
        now = time.monotonic()
        sockets = dict(self._sockets())
        self._since = {peer: self._since.get(peer, now) for peer in sockets}
        for known in (self.busy, self.answered):
            # What began since we looked may be gone by now, and is of those that are young: it is noted again.
            for peer, moment in list(known.items()):
                if peer not in sockets and moment < now:
                    known.pop(peer, None)
        connections = [
            Connection(peer, since, peer in self.busy, self.answered.get(peer), self._proxy(peer[0]))
            for peer, since in self._since.items()
        ]
        ended = to_end(connections, now, self._most, self._per_client)
        for peer in ended:
            self._end(sockets[peer], peer)
        if ended:
            log.info("connections_ended", connections=len(ended), of=len(sockets))
        return len(sockets)

    def _run(self) -> None:
        pause = _LOOK_SECONDS
        while not self._stopped.wait(pause):
            try:
                crowded = self.look() > self._most * _CROWDED
                pause = _LOOK_SECONDS / 4 if crowded else _LOOK_SECONDS
            except Exception:
                log.exception("connections_failed", next_step="looking again")
                pause = _LOOK_SECONDS

    def _sockets(self) -> Iterable[tuple[Peer, int]]:
        """The descriptors of all connections at our port, by their other side."""
        for entry in list(_DESCRIPTORS.iterdir()):
            with suppress(OSError):  # no socket, not connected, or closed in the meantime
                if peer := self._peer(int(entry.name)):
                    yield peer, int(entry.name)

    def _peer(self, descriptor: int) -> Peer | None:
        one = socket.socket(fileno=descriptor)
        try:
            if one.family in (socket.AF_INET, socket.AF_INET6) and one.getsockname()[1] == self._port:
                host, port = one.getpeername()[:2]
                return host, str(port)
            return None
        finally:
            one.detach()  # it is the server's

    def _end(self, descriptor: int, peer: Peer) -> None:
        """End a connection, if the descriptor is still that one and nothing has begun there since."""
        with suppress(OSError):
            held = os.dup(descriptor)
            try:
                if self._peer(held) == peer and peer not in self.busy:
                    with socket.socket(fileno=os.dup(held)) as one:
                        one.shutdown(socket.SHUT_RDWR)
            finally:
                os.close(held)
