"""Conditional requests: what a GET or HEAD gets by its preconditions (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal

from worker import clock

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def evaluate(
    headers: Mapping[str, str], tags: Collection[str], changed: int | None
) -> tuple[Literal[200, 304, 412], str]:
    """Return the status by the order of section 13.2.2, and for 304 the tag that the client has, if it named one.

    `headers`: the request's, names in lower case. `tags`: the strong tags of all codings of the current document.
    `changed`: when it last changed, in ms; without it there are no conditions on dates (sections 13.1.3 and 13.1.4).
    """
    if (wanted := headers.get("if-match")) is not None:
        if wanted.strip() != "*" and not any(not weak and tag in tags for weak, tag in _TAG.findall(wanted)):
            return 412, ""
    elif _after(changed, headers.get("if-unmodified-since")):
        return 412, ""
    if (known := headers.get("if-none-match")) is not None:
        # Weak comparison (section 13.1.2): proxies turn "x" into W/"x".
        if known in tags:  # as almost all say it
            return 304, known
        found = "*" if known.strip() == "*" else next((tag for _, tag in _TAG.findall(known) if tag in tags), "")
        return (304, found.strip("*")) if found else (200, "")
    return (304, "") if _after(changed, headers.get("if-modified-since")) is False else (200, "")


def last_modified(changed: int, now: int) -> datetime:
    """When a document that changed at `changed` is said to have done so at `now` (both ms), in whole seconds.

    While that second is not over the one before is told: a second change in it must not hide behind the first.
    """
    return clock.moment(min(changed // 1000, now // 1000 - 1) * 1000)


def http_date(moment: datetime) -> str:
    """Return a moment as an HTTP date (section 5.6.7)."""
    return format_datetime(moment, usegmt=True)


def _after(changed: int | None, value: str | None) -> bool | None:
    """Whether a document has changed after an HTTP date; None when one of the two is none, or no valid date."""
    if changed is None or value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # Not what is told as Last-Modified, which may be the second of the change before.
    return clock.moment(changed // 1000 * 1000) > moment if moment.tzinfo is not None else None
