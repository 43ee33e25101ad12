"""Hears of changes that processes announce through Redis: that there is one, not what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

if TYPE_CHECKING:
    from worker.store.scripts import Client

_SUBSCRIBE_SECONDS = 5.0
"""How long Redis may take to answer a subscription."""


class Announcements:
    """Hears what is announced on a channel, from its creation until it is closed, on its own connection."""

    def __init__(self, client: Client, channel: str) -> None:
        self._pubsub = client.pubsub()
        self._pubsub.subscribe(channel)
        if self._pubsub.get_message(timeout=_SUBSCRIBE_SECONDS) is None:
            self.close()
            raise redis.TimeoutError("Redis did not answer a subscription")

    def wait(self, seconds: float) -> None:
        """Return at an announcement, or after so long. Raises redis.RedisError when the connection is lost."""
        self._pubsub.get_message(timeout=seconds)

    def close(self) -> None:
        """Hear nothing more."""
        self._pubsub.close()
