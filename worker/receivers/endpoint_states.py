"""How an endpoint does, as the API and the command line show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feeds.moments import iso
from worker.receivers.status_phrases import status_phrase
from worker.store.endpoints import SUSPENDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.management.endpoint_views import EndpointView
    from worker.management.management import Management
    from worker.store import Store
    from worker.store.endpoints import EndpointOverview, RetriedEndpoint

_ANSWER_MOST = 100
"""Characters of an answer that are shown. All that is kept of it is in the attempts."""
_PAUSED = {"asked": "by a person", "removed": "it was removed", "damaged": "its record is damaged"}
"""What is kept as the reason of a pause, as people read it."""


def rows_of(views: Sequence[EndpointView], store: Store, management: Management) -> list[dict[str, Any]]:
    """Return endpoints and how they do, without their settings, for JSON."""
    overviews = store.endpoints.overviews([(view.settings.feed, view.name) for view in views])
    unusable = management.endpoints_in_use().unusable
    return [
        {
            "name": view.name,
            "managed_by": view.managed_by,
            "partner": view.partner,
            "feed": view.settings.feed,
            "kind": view.settings.kind,
            "mode": view.settings.mode,
            "format": view.settings.format,
            "url": view.settings.url,
            "unusable": unusable.get(view.name),
            "health": health(overview),
        }
        for view, overview in zip(views, overviews, strict=True)
    ]


def retried_row(retried: RetriedEndpoint) -> dict[str, Any]:
    """Return what trying an endpoint now came to, for JSON."""
    waits = bool(retried.behind or retried.disputes)
    return {"was": retried.position, "waits": waits, "disputes_tried": retried.disputes}


def health(overview: EndpointOverview) -> dict[str, Any]:
    """Return how an endpoint does, for JSON."""
    counts = overview.health
    return {
        "state": overview.state,
        "refusing": overview.state == "settled" and is_refusing(overview),
        "since": iso(overview.score) if overview.state == "paused" else None,
        "reason": _reason(overview) or None,
        "behind": overview.behind,
        "waiting_since": iso(overview.waiting),
        "failing_since": iso(overview.failing.since),
        "delivered": counts.successes,
        "failed": counts.failed_tries,
        "parked": overview.parked,
        "disputed": overview.disputed,
        "replaying": overview.replays,
        "last_status": counts.status or None,
        "last_answer": _last_answer(overview),
        "last_answered": iso(counts.last),
        "last_success": iso(counts.success),
        "next_try": iso(overview.next_try),
    }


def is_refusing(overview: EndpointOverview) -> bool:
    """Return whether articles are set aside, and nothing was taken since the endpoint last refused something."""
    return bool(overview.parked or overview.disputed) and overview.health.failed > overview.health.success


def _last_answer(overview: EndpointOverview) -> str | None:
    """The status of its last answer, and the beginning of its text if it was a refusal."""
    counts = overview.health
    if not counts.last:
        return None
    status = status_phrase(counts.status) if counts.status else "none"
    reason = ""
    if counts.failed == counts.last:
        reason = " ".join((counts.answer if counts.status else counts.error).split())[:_ANSWER_MOST]
    return status + (f": {reason}" if reason else "")


def _reason(overview: EndpointOverview) -> str:
    """Why it gets nothing, or not all."""
    counts = overview.health
    if overview.state is None:
        return "no worker has seen it yet"
    if overview.state == "paused":
        if overview.suspended:
            # Releases until 0.1 kept no more than the word.
            why = overview.reason.removeprefix(SUSPENDED).removeprefix(": ") or counts.error
            return f"{SUSPENDED}: {why}"
        return _PAUSED.get(overview.reason, overview.reason)
    if overview.reason:
        return overview.reason
    return counts.error if counts.suspended or is_refusing(overview) else ""
