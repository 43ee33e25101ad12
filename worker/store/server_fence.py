"""Keeps a process away from a Redis that may have lost time, until somebody has looked.

A server has another `run_id` each time that it starts. Each new connection asks for it, and is refused unless it is the
one that was agreed on. So no command reaches a Redis that has forgotten something before that is known, whichever
thread sends it; to everybody it is an outage of a moment.
"""

from __future__ import annotations

from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from redis.connection import AbstractConnection

_NOBODY = "-"
"""No server has this `run_id`."""


class UnexaminedRedis(redis.ConnectionError):
    """Nobody has looked yet whether this Redis has all that it should."""


class ServerFence:
    """Stands before the connections of pools. It is open to any server until it is closed the first time."""

    def __init__(self) -> None:
        self._run_id: str | None = None
        self._pools: list[redis.ConnectionPool] = []

    def guard(self, pool: redis.ConnectionPool) -> None:
        """Stand before the connections of this pool."""
        self._pools.append(pool)
        pool.connection_kwargs["redis_connect_func"] = self._admit

    @property
    def is_closed(self) -> bool:
        """Whether nobody gets through."""
        return self._run_id == _NOBODY

    def open_to(self, run_id: str) -> None:
        """Let connections to this server through, and to no other: those to a former one end."""
        former, self._run_id = self._run_id, run_id
        if former not in (None, _NOBODY, run_id):
            self._end_all()

    def close(self) -> None:
        """Let nobody through, and end the connections that there are: what they were about to do raises an error."""
        self._run_id = _NOBODY
        self._end_all()

    def _end_all(self) -> None:
        for pool in self._pools:
            for connection in (*pool._in_use_connections, *pool._available_connections):  # noqa: SLF001 (no public way)
                _end(connection)

    def _admit(self, connection: AbstractConnection) -> None:
        connection.on_connect()  # type: ignore[no-untyped-call]
        agreed = self._run_id
        if agreed is None:
            return
        if agreed == _NOBODY or run_id_of(connection) not in (agreed, ""):
            raise UnexaminedRedis("it is another Redis, or was started anew: whether it has lost time is looked at")


def _end(connection: AbstractConnection) -> None:
    """End a connection that another thread may be using. It is not closed: its number would be another's at once."""
    socket: Any = connection._sock  # noqa: SLF001 (as above)
    if socket is not None:
        with suppress(OSError):
            socket.shutdown(SHUT_RDWR)


def run_id_of(connection: AbstractConnection) -> str:
    """The `run_id` of the server at the end of a connection; empty when we may not know (ACL)."""
    connection.send_command("INFO", "server")  # type: ignore[no-untyped-call]
    try:
        answer: Any = connection.read_response()
    except ResponseError:
        return ""
    text = answer.decode() if isinstance(answer, bytes) else str(answer)
    return next((line[7:].strip() for line in text.splitlines() if line.startswith("run_id:")), "")
