"""Operational events: what people who run Dateline want to be told, in the log and by a webhook of their own.

endpoint.suspended    an endpoint failed for too long or said 410; it is left alone until somebody resumes it
endpoint.recovered    a suspended endpoint took a push again
event.set_aside       an accepted event could not be carried out, again and again, or workers died of it
article.parked        an endpoint refused an article for good, or the gate keeps it out of a format
article.still_there   the page of an endpoint still has the text of an article that was killed
article.gone          the page that had it has it no more
record.damaged        something in Redis is lost or can't be read; it is passed over, and the rest goes on
feed.refused          what a feed says of itself fails the rules of a format, in which it is not published
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
    """Raises events: in the log, and where a webhook wants them (`wanted`), kept until it has them."""

    def __init__(self, events: OperationalEvents, *, wanted: bool) -> None:
        self._events = events
        self._wanted = wanted

    def tell(self, kind: str, **data: Any) -> None:
        """Raise an event."""
        log.error(kind.replace(".", "_"), **data)
        if self._wanted:
            event = {"id": f"op_{uuid4().hex}", "type": kind, "time": clock.now().isoformat(), "data": data}
            self._events.add(event)
