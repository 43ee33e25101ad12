"""Times as people give them to commands: a moment, a day, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from worker.cli.terminal import Failed

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

EXAMPLES = '"2026-03-01", "2026-03-01T11:00:00Z", "2026-03-01 14:00+03:00", or "7d", "12h" for how long ago'
_AGO = re.compile(r"([0-9]{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
"""As those of times of articles."""


def moment(option: str, written: str, zone: ZoneInfo | None, now: datetime, *, end: bool = False) -> datetime:
    """Return the moment that was given. A day is its beginning in the newsroom's time zone, or UTC; `end`: its end.

    Raises Failed in the name of the option, with examples.
    """
    from pydantic import TypeAdapter, ValidationError

    from feeds.article_values import Moment

    text = written.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if _DAY.fullmatch(text):
            return beginning(day(option, text, zone, now) + timedelta(days=1 if end else 0), zone)
        return TypeAdapter(Moment).validate_python(text)
    except (ValidationError, ValueError, OverflowError):
        raise Failed(f"{option}: {written!r} is no time that is clear; give {EXAMPLES}", 2) from None


def deadline(option: str, written: str, zone: ZoneInfo | None, now: datetime) -> datetime:
    """Return the moment in the future that was given: "90d" is in so many days, a day is its end. Raises Failed."""
    if ago := _AGO.fullmatch(written.strip()):
        return now + timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    return moment(option, written, zone, now, end=True)


def day(option: str, written: str, zone: ZoneInfo | None, now: datetime) -> date:
    """Return the day that was given, in the newsroom's time zone, or UTC. Raises Failed, with examples."""
    text = written.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return (now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})).astimezone(zone or UTC).date()
        named = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except (ValueError, OverflowError):
        named = None
    if named is None or not _FIRST_YEAR <= named.year <= _LAST_YEAR:
        raise Failed(f'{option}: {written!r} is no day that is clear; give "2026-03-01", or "30d" for how long ago', 2)
    return named


def beginning(of: date, zone: ZoneInfo | None) -> datetime:
    """When a day begins."""
    return datetime.combine(of, time(), zone or UTC).astimezone(UTC)
