"""The way in: events are checked, distinguished from those that were sent before, and appended to their stream.

Once `accept` has answered, the event is Redis's to keep; everything after that can be done again by any worker.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import structlog

from feeds import event as events
from feeds.errors import FieldError, InvalidEvent
from worker.store.events import IncomingEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.store import Store
    from worker.store.events import Accepted
    from worker.wakeups import Wakeups

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one event that was sent. A duplicate was accepted before, which is just as good."""

    status: Literal["accepted", "duplicate", "invalid"]
    event_id: str | None
    errors: tuple[FieldError, ...] = ()


class Intake:
    """Takes events in."""

    def __init__(self, store: Store, wakeups: Wakeups) -> None:
        self._store = store
        self._wakeups = wakeups

    def accept(self, values: Sequence[Any], now: datetime) -> list[Receipt]:
        """Accept events (decoded JSON); return a receipt for each, in order.

        Good events are accepted whatever stands beside them. Raises redis.RedisError when nothing could be kept.
        """
        receipts: list[Receipt | None] = []
        valid: list[IncomingEvent] = []
        for value in values:
            try:
                event = events.read(value, now)
            except InvalidEvent as error:
                receipts.append(Receipt("invalid", error.event_id, error.errors))
            else:
                # Escaped, so that a lone surrogate somewhere in it reaches the reader of the stream as it came; and in
                # one order, by which a repetition is recognized.
                body = json.dumps(value, sort_keys=True)
                valid.append(_incoming(event, body))
                receipts.append(None)
        outcomes = iter(zip(valid, self._store.events.accept(valid) if valid else (), strict=True))
        complete = [receipt or _receipt(*next(outcomes)) for receipt in receipts]
        if any(receipt.status == "accepted" for receipt in complete):
            self._wakeups.consume(urgent=any(event.kind == "kill" for event in valid))
        return complete


def _incoming(event: events.Event, body: str) -> IncomingEvent:
    """The event as the store takes it."""
    if isinstance(event, events.ListEvent):
        return IncomingEvent(event.id, body)
    if events.kills(event):
        return IncomingEvent(event.id, body, "kill", event.article.id)
    return IncomingEvent(
        event.id, body, "reinstatement" if event.type == events.ARTICLE_REINSTATED else "", event.article.id
    )


def _receipt(event: IncomingEvent, accepted: Accepted) -> Receipt:
    if accepted == "reused":
        log.warning("event_id_reused", event_id=event.id, next_step="have the CMS give each event an id of its own")
    return Receipt("duplicate" if accepted == "duplicate" else "accepted", event.id)
