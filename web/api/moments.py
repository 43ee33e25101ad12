"""Times in answers and requests: UTC, with milliseconds as they are kept."""

from __future__ import annotations

from datetime import datetime
from typing import overload

from feeds.moments import ms
from web.api.problems import invalid
from worker import clock


@overload
def moment(time: int) -> datetime: ...
@overload
def moment(time: int | None) -> datetime | None: ...
def moment(time: int | None) -> datetime | None:
    """Return the moment of a time in ms; None for none, which is 0 or None."""
    return clock.moment(time) if time else None


def milliseconds(field: str, written: datetime | None) -> int | None:
    """Return a time of a request in ms; `field` is its name. Raises RequestProblem."""
    if written is None:
        return None
    if written.tzinfo is None:
        raise invalid(field, "must have its offset from UTC, as in 2026-03-04T11:00:00Z")
    try:
        time = ms(written)
        # In UTC it may lie beyond the last year that there is.
        clock.moment(time)
    except (OverflowError, ValueError):
        raise invalid(field, "is no time that can be asked for") from None
    return time
