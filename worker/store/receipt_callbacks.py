"""Events whose receipts are still to be sent to the CMS that sent them, and what was sent of each so far."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from worker.store import keys
from worker.store.leases import Lease

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.scripts import Client, Scripts


class WatchedEvent(NamedTuple):
    """An event that is watched since it was carried out (ms), and the names of what was sent of it."""

    event_id: str
    since: int
    sent: tuple[str, ...]


class ReceiptCallbacks:
    """The events that are watched."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self.lease = Lease(client, scripts, keys.CALLING_BACK)

    def watch(self, event_ids: Sequence[str], now: int) -> None:
        """Watch events from now on (ms); those that are watched stay as they are."""
        if not event_ids:
            return
        pipe = self._client.pipeline(transaction=True)
        for event_id in event_ids:
            pipe.hsetnx(keys.WATCHED_EVENTS, event_id, json.dumps([now, []]))
        pipe.zadd(keys.RECEIPTS_DUE, dict.fromkeys(event_ids, now), nx=True)
        pipe.execute()

    def due(self, now: int, count: int) -> list[WatchedEvent]:
        """Return up to `count` events that are to be looked at by now (ms), the longest due first."""
        names = self._client.zrangebyscore(keys.RECEIPTS_DUE, "-inf", now, start=0, num=count)
        texts = self._client.hmget(keys.WATCHED_EVENTS, names) if names else []
        return [_watched(name, text, now) for name, text in zip(names, texts, strict=True)]

    def put_off(self, event: WatchedEvent, due: int) -> None:
        """Note what was sent of an event, and when it is looked at next (ms)."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(keys.WATCHED_EVENTS, event.event_id, json.dumps([event.since, event.sent]))
        pipe.zadd(keys.RECEIPTS_DUE, {event.event_id: due})
        pipe.execute()

    def finish(self, event_id: str) -> None:
        """Watch an event no longer."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hdel(keys.WATCHED_EVENTS, event_id)
        pipe.zrem(keys.RECEIPTS_DUE, event_id)
        pipe.execute()


def _watched(name: str, text: str | None, now: int) -> WatchedEvent:
    try:
        since, sent = json.loads(text or "")
        return WatchedEvent(name, int(since), tuple(map(str, sent)))
    except (ValueError, TypeError):
        # Something may be sent again, which has the same id then.
        return WatchedEvent(name, now, ())
