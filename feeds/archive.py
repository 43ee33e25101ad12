"""The stretches of time that a feed's archives cover (RFC 5005, section 4): days or months, in UTC.

Bounds that do not depend on what is in the feed keep an archive what it is when an article is killed or comes late.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Length = Literal["day", "month"]

_NAMES = {"day": re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), "month": re.compile(r"\d{4}-\d{2}", re.ASCII)}
_WRITTEN = {"day": "%Y-%m-%d", "month": "%Y-%m"}


@dataclass(frozen=True, slots=True)
class Period:
    """One stretch: its name, `2026-03-04` or `2026-03`, its beginning, and the beginning of the next (ms)."""

    name: str
    start: int
    end: int


def period_of(length: Length, moment: int) -> Period:
    """Return the day or month that a moment (ms) lies in."""
    start = datetime.fromtimestamp(moment / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if length == "month":
        start = start.replace(day=1)
    # 32 days after its first day a month is over, and the next one is not.
    end = start + timedelta(days=1) if length == "day" else (start + timedelta(days=32)).replace(day=1)
    return Period(f"{start.year:04}{start:-%m-%d}"[: 10 if length == "day" else 7], _ms(start), _ms(end))


def period_named(length: Length, name: str) -> Period | None:
    """Return the day or month of that name; None when it is no such name."""
    if not _NAMES[length].fullmatch(name) or not "1900" < name < "9000":
        return None
    try:
        start = datetime.strptime(name, _WRITTEN[length]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return period_of(length, _ms(start))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
