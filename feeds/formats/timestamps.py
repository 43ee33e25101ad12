"""Moments as formats write them: in UTC, in whole seconds (fractions are cut), whatever the locale of the machine."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def to_second(moment: datetime) -> datetime:
    """Return `moment` in UTC with its fraction of a second cut."""
    return moment.astimezone(UTC).replace(microsecond=0)


def rfc3339(moment: datetime) -> str:
    """Return `moment` as Atom and JSON Feed write it: `2026-03-04T11:00:00+00:00`."""
    return to_second(moment).isoformat()


def rfc822(moment: datetime) -> str:
    """Return `moment` as RSS writes it, with a year of four digits: `Wed, 04 Mar 2026 11:00:00 GMT`."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def basic(moment: datetime) -> str:
    """Return `moment` in the basic form of ISO 8601, as NITF and NewsML 1 write it: `20260304T110000Z`."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def in_utc(moment: datetime) -> str:
    """Return `moment` as people read it in a text: `2026-03-04 11:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
