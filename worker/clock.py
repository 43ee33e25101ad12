"""The one place that asks what time it is.

`now` is the clock of this machine. `agreed` is the one by which processes on several machines decide: who may hold a
receiver until when, when somebody is tried again, when an embargo ends. It is Redis' clock, where this process follows
it, so a machine whose clock is wrong, or is set right, neither holds anything up nor breaks an embargo.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def now() -> datetime:
    """Return the present moment by the clock of this machine, in UTC."""
    return datetime.now(UTC)


def agreed() -> datetime:
    """Return the present moment by the clock that this process follows; by its machine's as long as that is unknown."""
    return _followed() or now()


def follow(source: Callable[[], datetime | None]) -> None:
    """Have this process follow a clock, for all that it does from now on. Called once, where a process is wired."""
    global _followed  # noqa: PLW0603 (there is one time for all of a process)
    _followed = source


def ms(moment: datetime) -> int:
    """Return a moment as milliseconds since 1970, the unit of every time in Redis."""
    return int(moment.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    """Return the moment of so many milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _unknown() -> datetime | None:
    return None


_followed: Callable[[], datetime | None] = _unknown
