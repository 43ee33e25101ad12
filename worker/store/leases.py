"""Leases: what one worker does at a time. Who has one has a token; who comes with another ends nobody's lease."""

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
        """Take the lease for so long; return its token, or None while somebody has it."""
        token = secrets.token_hex(8)
        return token if self._client.set(self._key, token, nx=True, px=milliseconds) else None

    def extend(self, token: str, milliseconds: int) -> bool:
        """Have it for so much longer; False when it has ended."""
        return bool(self._scripts.run("leases/extend", [self._key], [token, milliseconds]))

    def release(self, token: str) -> bool:
        """Let others take it; False when it had ended: somebody else may have it by now, and keeps it."""
        return self.extend(token, 0)
