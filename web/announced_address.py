"""Announces in Redis under which address this process serves, so that commands can make links with it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from worker.store.address import Address


class AddressAnnouncer:
    """Announces the address and renews the announcement. For one thread."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._announced = ""

    def announce(self, base_url: str) -> None:
        """Announce the address, or renew the announcement of it. Raises redis.RedisError."""
        if self._announced == base_url:
            self._address.renew(base_url)
        else:
            self._address.announce(base_url)
            self._announced = base_url

    def withdraw(self) -> None:
        """Take the announcement back; when Redis does not answer it expires by itself in some seconds."""
        with suppress(RedisError):
            self._address.withdraw(self._announced)
