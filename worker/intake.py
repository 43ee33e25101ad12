"""The way in: events are checked, told apart from those that were sent before, and appended to their stream.

Once `accept` has answered, the event is Redis's to keep; everything after that can be done again by any worker.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from feeds import event as events
from feeds.errors import FieldError, InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.store import Store
    from worker.wakeups import Wakeups


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one event that was sent. A duplicate was accepted before, which is as good."""

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
        good: list[tuple[str, str, bool]] = []
        for value in values:
            try:
                event = events.read(value, now)
            except InvalidEvent as error:
                receipts.append(Receipt("invalid", error.event_id, error.errors))
            else:
                # Escaped, so that a lone surrogate somewhere in it reaches the reader of the stream as it came.
                body = json.dumps(value)
                good.append((event.id, body, event.type == events.ARTICLE_KILLED))
                receipts.append(None)
        fresh = iter(self._store.events.accept(good) if good else ())
        told = iter(good)
        done = [receipt or Receipt("accepted" if next(fresh) else "duplicate", next(told)[0]) for receipt in receipts]
        if any(receipt.status == "accepted" for receipt in done):
            self._wakeups.consume(urgent=any(urgent for _, _, urgent in good))
        return done
