"""Operational events that wait to be sent to the operations webhook: a bounded stream, the oldest first."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from worker.store import keys
from worker.store.leases import Lease

if TYPE_CHECKING:
    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts

EVENTS_KEPT = 1000
"""Events that wait at the most; when the webhook is away for long, the oldest are dropped. The log has them all."""


class OperationalEvents:
    """The events that wait."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._damaged_records = damaged_records
        self._sending = Lease(client, scripts, keys.SENDING)

    def add(self, event: dict[str, Any]) -> None:
        """Keep an event until it is sent."""
        self._client.xadd(keys.OPERATIONS, {"event": json.dumps(event)}, maxlen=EVENTS_KEPT, approximate=True)

    def claim(self, limit: int, hold_ms: int) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
        """Return a token and up to `limit` events with their ids; nobody else gets any for `hold_ms`.

        While another worker is sending: an empty token and no events.
        """
        if not self._client.xlen(keys.OPERATIONS) or (token := self._sending.acquire(hold_ms)) is None:
            return "", []
        # Read after the lease is ours, so that nothing is sent again that another worker has just sent.
        entries = self._client.xrange(keys.OPERATIONS, count=limit)
        events = []
        for entry, fields in entries:
            event = self._damaged_records.read(f"operational event {entry}", partial(_event, fields), "it is dropped")
            if event is None:
                self._client.xdel(keys.OPERATIONS, entry)
            else:
                events.append((entry, event))
        return token, events

    def finish(self, token: str, sent: list[str]) -> None:
        """Remove what was sent, and release the lease if it has not expired."""
        if sent:
            self._client.xdel(keys.OPERATIONS, *sent)
        self._sending.release(token)


def _event(fields: dict[str, str]) -> dict[str, Any]:
    event = json.loads(fields["event"])
    return {**event, "id": event["id"]}
