"""What entries of the outboxes are to whoever follows what happens, once the record has them."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from worker.store.outboxes import OutboxEntry

_MOST = 1000
"""Of one batch no more are shown: after an outage of the record there may be thousands, which are no news."""


def news(entries: Mapping[str, Sequence[OutboxEntry]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (kind, fields) of what entries tell, by feed; nothing of what can't be read."""
    pairs = ((feed, entry) for feed, lot in entries.items() for entry in lot)
    for feed, entry in islice(pairs, _MOST):
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            yield from _of_entry(feed, entry)


def _of_entry(feed: str, entry: OutboxEntry) -> Iterator[tuple[str, dict[str, Any]]]:
    match entry.kind:
        case "attempt":
            yield from _attempt(feed, entry)
        case "page":
            member, sighting, _ = entry.values
            endpoint, _, article = member.partition(":")
            if sighting is not None and json.loads(sighting)["verdict"] == "gone":
                yield "kill_confirmed", {"feeds": [feed], "endpoint": endpoint, "article": article, "by": "page"}
        case "endpoint":
            endpoint, _, paused, reason, _ = entry.values
            if paused is not None:
                yield "paused", {"feeds": [feed], "endpoint": endpoint, "reason": reason or None}


def _attempt(feed: str, entry: OutboxEntry) -> Iterator[tuple[str, dict[str, Any]]]:
    endpoint, values, _ = entry.values
    _, article, version, action, outcome, status, milliseconds, _, _, _, error, *_ = values
    fields = {
        "feeds": [feed],
        "endpoint": str(endpoint),
        "article": article or None,
        "version": int(version),
        "action": str(action),
        "status": status or None,
        "milliseconds": int(milliseconds),
        "error": error or None,
    }
    match outcome:
        case "delivered":
            yield "delivered", fields
            if action == "killed":
                confirmed = {"feeds": [feed], "endpoint": endpoint, "article": article, "by": "answer"}
                yield "kill_confirmed", confirmed
        case "refused" | "parked":
            yield "parked", fields
        case "given_back" | "handed_out":
            pass
        case _:
            yield "failed", fields
