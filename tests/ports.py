"""Ports for servers of tests that begin to listen some time after they were chosen.

A port that the system gives away as free may be anybody's by then: tests run beside each other, and each opens servers.
These are below those that the system gives away, and no two processes of tests have the same.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

_FIRST, _END, _COUNT = 12_000, 22_000, 50
"""The bus of a Redis Cluster listens 10,000 above: below 32,768, where Linux begins to give ports away."""
_lock = threading.Lock()


def _free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        # As servers do: a connection that has just ended keeps nobody from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _ports() -> Iterator[int]:
    while True:
        first = random.randrange(_FIRST, _END, _COUNT)
        # Whoever holds the first one has those after it.
        with socket.socket() as held, suppress(OSError):
            held.bind(("127.0.0.1", first))
            held.listen()
            yield from filter(_free, range(first + 1, first + _COUNT))


_unused = _ports()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and that no other test is given for now."""
    with _lock:
        return next(_unused)
