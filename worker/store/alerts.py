"""Alerts: what the people who run Dateline must know, in the log and by their own webhook.

endpoint.suspended    an endpoint failed for too long or answered 410; it gets nothing until somebody resumes it
endpoint.recovered    a suspended endpoint took a push again
event.set_aside       an accepted event could not be carried out, again and again, or workers died of it
article.parked        an endpoint refused an article for good, or the gate keeps it out of a format
article.still_there   the page of an endpoint still has the text of an article that was killed
article.gone          the page no longer has it
record.damaged        something in Redis is lost or can't be read; it is left out, and the rest goes on
feed.refused          the definition of a feed breaks the rules of a format, in which it is not published
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from worker import clock

if TYPE_CHECKING:
    from worker.store.operational_events import OperationalEvents

log = structlog.get_logger()


class Alerts:
    """Raises alerts: in the log and, if there is a `webhook`, as operational events that wait until it has them."""

    def __init__(self, events: OperationalEvents, *, webhook: bool) -> None:
        self._events = events
        self._webhook = webhook

    def raise_alert(self, kind: str, **data: Any) -> None:
        """Raise an alert of one of the kinds that are listed above; `data` are its fields."""
        log.error(kind.replace(".", "_"), **data)
        if self._webhook:
            event = {"id": f"op_{uuid4().hex}", "type": kind, "time": clock.now().isoformat(), "data": data}
            self._events.add(event)
