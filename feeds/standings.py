"""What an article is: by its status (IPTC `pubstatus`), and to readers at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

PubStatus = Literal["usable", "withheld", "canceled"]

Standing = Literal["usable", "embargoed", "expired", "withheld", "canceled"]
"""What an article is to readers: to be seen, not yet, no longer, taken back for a time, or for good."""


def standing(pubstatus: PubStatus, embargoed: datetime | None, expires: datetime | None, now: datetime) -> Standing:
    """Return what an article with these fields is to readers at `now`."""
    if pubstatus != "usable":
        return pubstatus
    if expires is not None and expires <= now:
        return "expired"
    return "embargoed" if embargoed is not None and embargoed > now else "usable"
