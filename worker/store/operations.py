"""Operational events that wait to be sent to the operations webhook: a bounded stream, the oldest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client

KEPT = 1000
"""Events that wait at the most; when the webhook is away for long the oldest are dropped. The log has them all."""


class OperationalEvents:
    """The events that wait."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def add(self, event: dict[str, Any]) -> None:
        """Keep an event until it is sent."""
        self._client.xadd(keys.OPERATIONS, {"event": json.dumps(event)}, maxlen=KEPT, approximate=True)

    def take(self, limit: int, hold_ms: int) -> list[tuple[str, dict[str, Any]]]:
        """Return up to `limit` events with their ids, unless a worker is sending; then nobody is, for `hold_ms`."""
        found = self._client.xrange(keys.OPERATIONS, count=limit)
        if not found or not self._client.set(keys.SENDING, "1", nx=True, px=hold_ms):
            return []
        return [(entry, json.loads(fields["event"])) for entry, fields in found]

    def done(self, sent: list[str]) -> None:
        """Remove what was sent, and let others send."""
        if sent:
            self._client.xdel(keys.OPERATIONS, *sent)
        self._client.delete(keys.SENDING)
