"""The one place that asks what time it is. Machines are expected to keep their clocks by NTP."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


def ms(moment: datetime) -> int:
    """Return a moment as milliseconds since 1970, the unit of every time in Redis."""
    return int(moment.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    """Return the moment of so many milliseconds since 1970, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
