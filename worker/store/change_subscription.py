"""Hears of the changes of feeds as they are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

_SUBSCRIBE_SECONDS = 5.0
"""How long Redis may take to answer a subscription."""


class ChangeSubscription:
    """Receives changes from its creation until it is closed, on its own connection."""

    def __init__(self, client: Client) -> None:
        self._pubsub = client.pubsub()
        self._pubsub.subscribe(keys.CHANGED)
        # From this answer on nothing is missed.
        if self._pubsub.get_message(timeout=_SUBSCRIBE_SECONDS) is None:
            self.close()
            raise redis.TimeoutError("Redis did not answer a subscription")

    def next(self, timeout: float) -> tuple[str, int, int] | None:
        """Return the feed that has changed, its head and its last kill; None when nothing comes in `timeout` seconds.

        Raises redis.RedisError when the connection is lost.
        """
        message = self._pubsub.get_message(timeout=timeout)
        if message is not None and message["type"] == "subscribe":
            # The client has reconnected by itself, perhaps to another Redis: changes of the time between were missed.
            raise redis.ConnectionError("the connection was lost for a moment")
        if message is None or message["type"] != "message":
            return None
        seq, kill, feed = message["data"].split(" ", 2)
        return feed, int(seq), int(kill)

    def ping(self) -> None:
        """Use the connection: a firewall may cut an idle one without a notice to either side."""
        self._pubsub.ping()

    def close(self) -> None:
        """Receive nothing more."""
        self._pubsub.close()
