"""Moments in time: as milliseconds since 1970, and the parts of RFC 3339 from which every expression here is made.

Three modules read RFC 3339, and each accepts something else:

- `feeds.article` takes what newsrooms send: seconds may be missing, a space may stand for the "T", and the offset needs
  no colon. It always asks for an offset, and for at most nine decimals, because nobody measures more.
- `feeds.validation.values` judges documents by the standard: exactly the form of section 5.6.
- `feeds.adapters.parse_dates` reads whatever other systems write, which is ISO 8601: a comma before the decimals, an
  offset of hours alone, no offset where the system's time zone is known.

They share the numbers, not the rules. All are matched with `re.ASCII`, because `int()` would take other digits too.
"""

from __future__ import annotations

from datetime import UTC, datetime

DATE = r"\d{4}-\d{2}-\d{2}"
"""A full date: `2026-03-04`."""
HOUR_MINUTE = r"\d{2}:\d{2}"
"""A time of day without its seconds: `11:00`."""
OFFSET = r"[+-]\d{2}:\d{2}"
"""A numeric offset from UTC: `+05:30`."""


def ms(moment: datetime) -> int:
    """Return a moment in milliseconds since 1970; a fraction of a millisecond is cut."""
    return int(moment.timestamp() * 1000)


def moment(milliseconds: int) -> datetime:
    """Return the moment so many milliseconds after the beginning of 1970, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def iso(milliseconds: int | None) -> str | None:
    """Return a time in ms as answers have it (RFC 3339, in UTC, with a "Z"); None for none, which is 0 or None."""
    return moment(milliseconds).isoformat().replace("+00:00", "Z") if milliseconds else None
