"""Leases: work that one process does at a time. The holder has a token; another token ends nobody's lease.

Why not `redis.lock.Lock`: it is an object of one holder, which keeps its token to itself, by default
one per thread, and raises an exception where a lease has passed to somebody else, which is an ordinary case here.
A `Lease` is a name that all threads share; the token is a value that goes where the work goes, and the answers are yes
and no. What a Lock would save is one script of ten lines.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.store.scripts import Client, Scripts


class Lease:
    """One lease, of the name `key`."""

    def __init__(self, client: Client, scripts: Scripts, key: str) -> None:
        self._client = client
        self._scripts = scripts
        self._key = key

    def acquire(self, milliseconds: int) -> str | None:
        """Acquire the lease for so long; return its token, or None while somebody holds it."""
        token = secrets.token_hex(8)
        return token if self._client.set(self._key, token, nx=True, px=milliseconds) else None

    def extend(self, token: str, milliseconds: int) -> bool:
        """Hold it for so long from now on; False when it has expired."""
        return bool(self._scripts.run("leases/extend", [self._key], [token, milliseconds]))

    def release(self, token: str) -> bool:
        """Let others acquire it; False when it had expired: somebody else may hold it by now, and keeps it."""
        return self.extend(token, 0)
