"""What time it is: nothing else in the worker asks the system for the time of day.

`now` is the clock of this machine. `agreed` is the clock by which processes on several machines decide together: how
long one may hold a receiver, when a receiver is tried again, when an embargo ends. It is Redis' clock as soon as this
process follows that. So a machine whose clock is wrong, or is corrected, holds nothing up and breaks no embargo.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

# Milliseconds since 1970 are the unit of every time in Redis, so whoever asks the clock has these two beside it.
from feeds.moments import moment, ms

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["agreed", "follow", "moment", "ms", "now"]


def now() -> datetime:
    """Return the present moment by the clock of this machine, in UTC."""
    return datetime.now(UTC)


def agreed() -> datetime:
    """Return the present moment by the clock that this process follows, or by this machine's while that is unknown."""
    return _followed_clock() or now()


def follow(followed_clock: Callable[[], datetime | None]) -> None:
    """Make this process follow a clock from now on; the clock returns None while it is unknown.

    Called once, where a process is wired.
    """
    global _followed_clock  # noqa: PLW0603 (a whole process has one time)
    _followed_clock = followed_clock


def _unknown() -> datetime | None:
    return None


_followed_clock: Callable[[], datetime | None] = _unknown
