"""What this process says of itself in Redis: under which address it serves. Commands make links with it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from worker.store.address import Address


class Announcement:
    """Says it, and goes on saying it. For one thread."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._said = ""

    def say(self, base_url: str) -> None:
        """Say it (still). Raises redis.RedisError."""
        if self._said == base_url:
            self._address.renew(base_url)
        else:
            self._address.announce(base_url)
            self._said = base_url

    def end(self) -> None:
        """Say it no more; where Redis is away it is forgotten in some seconds."""
        with suppress(RedisError):
            self._address.withdraw(self._said)
