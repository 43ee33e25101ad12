"""The address under which the running stack serves, said by its web processes for as long as they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

_LIFETIME_MS = 10_000
"""How long it holds after the last word of a process that was killed. Renewed once a second."""


class Address:
    """Who began last is believed: an address that somebody was killed with is in nobody's way."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self) -> str | None:
        """Return the address, if a web process runs."""
        address: str | None = self._client.get(keys.ADDRESS)
        return address

    def announce(self, base_url: str) -> None:
        """Serve under `base_url` from now on."""
        self._client.set(keys.ADDRESS, base_url, px=_LIFETIME_MS)

    def renew(self, base_url: str) -> None:
        """Serve under it still; that of another process, which began later, stays."""
        if self.get() in (None, base_url):
            self.announce(base_url)

    def withdraw(self, base_url: str) -> None:
        """Serve under it no more."""
        if self.get() == base_url:
            self._client.delete(keys.ADDRESS)
