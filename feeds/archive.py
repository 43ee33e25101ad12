"""The periods that a feed's archives cover (RFC 5005, section 4): days or months, in UTC.

The bounds of a period do not depend on what is in the feed. So a kill, or an article that comes late, changes one
archive and moves nothing to another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from feeds import moments

Length = Literal["day", "month"]

_NAMES = {"day": re.compile(moments.DATE, re.ASCII), "month": re.compile(r"\d{4}-\d{2}", re.ASCII)}
_NAME_FORMATS = {"day": "%Y-%m-%d", "month": "%Y-%m"}
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Period:
    """One day or month: its name, `2026-03-04` or `2026-03`; its beginning and that of the next period (ms)."""

    name: str
    start: int
    end: int


def period_of(length: Length, moment: int) -> Period:
    """Return the day or month that contains a moment (ms)."""
    return _period_of_day(length, moment // _DAY_MS)


@lru_cache(maxsize=4096)
def _period_of_day(length: Length, day: int) -> Period:
    """The day or month that contains a day, counted from 1970."""
    start = moments.moment(day * _DAY_MS)
    if length == "month":
        start = start.replace(day=1)
    # The 32nd day after the first of a month is always in the next month.
    end = start + timedelta(days=1) if length == "day" else (start + timedelta(days=32)).replace(day=1)
    name = f"{start.year:04}{start:-%m-%d}"[: 10 if length == "day" else 7]
    return Period(name, moments.ms(start), moments.ms(end))


def period_named(length: Length, name: str) -> Period | None:
    """Return the day or month with that name; None when there is none."""
    if not _NAMES[length].fullmatch(name) or not "1900" < name < "9000":
        return None
    try:
        start = datetime.strptime(name, _NAME_FORMATS[length]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return period_of(length, moments.ms(start))
