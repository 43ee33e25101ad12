"""The address under which the running stack serves: its web processes announce it for as long as they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

_LIFETIME_MS = 10_000
"""How long an address stays after its process was killed. A running process renews it once a second."""


class Address:
    """The process that began last wins, so that the address of one that was killed does no harm."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self) -> str | None:
        """Return the address, if a web process runs."""
        address: str | None = self._client.get(keys.ADDRESS)
        return address

    def announce(self, base_url: str) -> None:
        """Note that a process serves under `base_url` from now on."""
        self._client.set(keys.ADDRESS, base_url, px=_LIFETIME_MS)

    def renew(self, base_url: str) -> None:
        """Note that it still does, unless another process has announced its own address since."""
        if self.get() in (None, base_url):
            self.announce(base_url)

    def withdraw(self, base_url: str) -> None:
        """Note that it no longer does."""
        if self.get() == base_url:
            self._client.delete(keys.ADDRESS)
