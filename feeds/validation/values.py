"""Values that several formats write: addresses, moments, languages, text. Each question has a plain answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from feeds.text import legal

# RFC 3339, section 5.6. ASCII digits alone: int() would take others.
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII)
# RFC 822, section 5.1, with the year of four digits that RSS 2.0 asks for.
_RFC822 = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d{2}:\d{2}(?::\d{2})? (?:GMT|UT|[+-]\d{4})",
    re.ASCII,
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# ISO 8601 in its basic form, as NITF has it.
_BASIC = re.compile(r"\d{8}T\d{6}(?:Z|[+-]\d{4})", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_COUNTED = re.compile(r"0*[1-9]\d*", re.ASCII)
_ISOLATES = re.compile("[\u202a-\u202c\u2066-\u2069]")
# RFC 3986, section 3.1 and the characters of section 2.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", re.ASCII)


def uri(text: str) -> bool:
    """Whether `text` is an absolute URI."""
    return _URI.fullmatch(text) is not None


def url(text: str, *schemes: str) -> bool:
    """Whether `text` is an absolute URL of one of the `schemes` (http and https if none is named)."""
    if not uri(text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme.lower() in (schemes or ("http", "https")) and bool(parts.hostname)


def rfc3339(text: str) -> datetime | None:
    """The moment that `text` names, or None."""
    return _moment(text.upper()) if _RFC3339.fullmatch(text) else None


def rfc822(text: str) -> datetime | None:
    """The moment that `text` names, or None; a weekday that is not the date's is an error."""
    if not _RFC822.fullmatch(text):
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if "," in text and _DAYS[moment.weekday()] != text[:3]:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def basic(text: str) -> datetime | None:
    """The moment that `text` names in the basic form of ISO 8601, or None."""
    return _moment(text) if _BASIC.fullmatch(text) else None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def language(text: str) -> bool:
    """Whether `text` has the form of a language tag (BCP 47)."""
    return _LANGUAGE.fullmatch(text) is not None


def clean(text: str) -> bool:
    """Whether `text` has no control characters, non-characters or overrides.

    Isolates may open in one element and close in another; whether they balance is seen when an article is accepted.
    """
    if text.isprintable():
        return True
    said = _ISOLATES.sub("", text)
    return legal(said) == said


def counted(text: str) -> bool:
    """Whether `text` is a whole number from 1, in ASCII digits: int() would take others."""
    return _COUNTED.fullmatch(text) is not None


def days(span: timedelta) -> str:
    """A span for people."""
    return f"{span.days} days"
