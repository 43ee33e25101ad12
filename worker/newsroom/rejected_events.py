"""Keeps events that could not be used, or that were given up, with the reason; and tells people of the latter."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from worker.store import keys

if TYPE_CHECKING:
    from worker.store import Store
    from worker.store.alerts import Alerts
    from worker.store.events import StreamEntry

log = structlog.get_logger()


class RejectedEvents:
    """What becomes of entries that are not carried out."""

    def __init__(self, store: Store, alerts: Alerts) -> None:
        self._store = store
        self._alerts = alerts

    def reject(self, entry: StreamEntry, reason: str) -> None:
        """Keep what is no event that could be carried out, whoever put it into the stream."""
        self._store.events.reject(entry.body, reason)
        log.error("event_rejected", entry=entry.id, reason=reason, kept_in=keys.REJECTED)
        self._store.counters.add("dateline_events", result="rejected")

    def give_up(self, entry: StreamEntry, reason: str) -> None:
        """Give up an event that could have been carried out, and tell people: its sender had a 202 for it.

        It may be sent again as it is. It is not read as an event here: workers may have died of that.
        """
        self.reject(entry, reason)
        event_id, event_type, article_id, kill = unchecked(entry)
        self._store.events.forget(event_id, kill=kill)
        self._store.counters.add("dateline_events_set_aside", kind="kill" if kill else "other")
        if kill:
            next_step = f"the article may still be read: dateline kill {shlex.quote(article_id)}"
        else:
            next_step = f"see why in the log before it, then have it sent again; it is kept in {keys.REJECTED}"
        about = {"event_id": event_id, "event_type": event_type, "article_id": article_id, "reason": reason}
        self._alerts.raise_alert("event.set_aside", entry=entry.id, **about, next_step=next_step)


class UncheckedEvent(NamedTuple):
    """What an entry says of itself; empty where it says nothing. `kill`: it is one, as far as one can see."""

    id: str
    type: str
    article_id: str
    kill: bool


def unchecked(entry: StreamEntry) -> UncheckedEvent:
    """Return what an entry says of itself, without reading it as an event."""
    body = _decoded(entry.body)
    event_id, event_type = str(body.get("id", "")), str(body.get("type", ""))
    article_id = str(_fields(body.get("article")).get("id", ""))
    return UncheckedEvent(
        event_id, event_type, article_id, entry.stream == keys.URGENT or event_type == "article.killed"
    )


def _decoded(body: str) -> dict[str, Any]:
    try:
        return _fields(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _fields(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
