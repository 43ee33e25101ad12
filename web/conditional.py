"""Conditional requests: what a GET or HEAD gets by its preconditions (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Literal

from web.header_fields import entity_tags, http_date
from worker import clock


def evaluate(
    fields: Mapping[str, str], tags: Collection[str], changed: int | None
) -> tuple[Literal[200, 304, 412], str]:
    """Return the status by the order of section 13.2.2, and for 304 the tag that the client has, if it named one.

    `fields`: the request's, names in lower case. `tags`: the strong tags of all codings of the current document.
    `changed`: when it last changed, in ms; without it there are no conditions on dates (sections 13.1.3 and 13.1.4).
    """
    if (if_match := fields.get("if-match")) is not None:
        if if_match.strip() != "*" and not any(not weak and tag in tags for weak, tag in entity_tags(if_match)):
            return 412, ""
    elif _changed_after(changed, fields.get("if-unmodified-since")):
        return 412, ""
    if (if_none_match := fields.get("if-none-match")) is not None:
        if if_none_match in tags:  # nearly all clients send a single tag, exactly as they received it
            return 304, if_none_match
        if if_none_match.strip() == "*":
            return 304, ""
        # Weak comparison (section 13.1.2): proxies turn "x" into W/"x".
        matching_tag = next((tag for _, tag in entity_tags(if_none_match) if tag in tags), "")
        return (304, matching_tag) if matching_tag else (200, "")
    return (304, "") if _changed_after(changed, fields.get("if-modified-since")) is False else (200, "")


def last_modified(changed: int, now: int) -> datetime:
    """Return the Last-Modified at `now` of a document that changed at `changed` (both ms), in whole seconds.

    Until the second of the change is over, it is the second before: otherwise a second change in it would stay hidden.
    """
    return clock.moment(min(changed // 1000, now // 1000 - 1) * 1000)


def format_http_date(moment: datetime) -> str:
    """Return a moment as an HTTP date (section 5.6.7)."""
    return format_datetime(moment, usegmt=True)


def _changed_after(changed: int | None, date: str | None) -> bool | None:
    """Whether a document has changed after an HTTP date; None when one of the two is missing, or the date invalid."""
    if changed is None or date is None or (moment := http_date(date)) is None:
        return None
    # Not compared with Last-Modified, which may be the second before the change.
    return clock.moment(changed // 1000 * 1000) > moment
