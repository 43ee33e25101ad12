"""Questions about values that several formats have: addresses, moments, languages, texts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit

from feeds.counted import counted
from feeds.moments import DATE, HOUR_MINUTE, OFFSET
from feeds.text import legal

# RFC 3339, section 5.6, exactly (feeds.moments says who is more lenient).
_RFC3339 = re.compile(rf"{DATE}[Tt]{HOUR_MINUTE}:\d{{2}}(?:\.\d+)?(?:[Zz]|{OFFSET})", re.ASCII)
# RFC 822, section 5, as RSS 2.0 and RFC 1123 widen it: years of two or four digits, any white space, any case, and the
# zones by their names. A comment in brackets may stand anywhere.
_RFC822 = re.compile(
    r"(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun)\s*,\s*)?(?P<day>\d{1,2})\s+"
    r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\s+(?P<year>\d{4}|\d{2})\s+"
    r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s+(?P<zone>[+-]\d{4}|ut|gmt|[ecmp][sd]t|[a-ik-z])",
    re.ASCII | re.IGNORECASE,
)
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)", re.DOTALL)
_COMMENTS_MOST = 32
"""Comments within each other; RFC 822 has no bound."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# RFC 822, section 5.1. The letters of the military zones were printed wrong there and say nothing (RFC 1123).
_ZONES = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
# The one form that every reader understands, and that RSS 2.0 prefers.
_RFC822_PLAIN = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(?::\d{2})? (?:GMT|UT|[+-]\d{4})", re.ASCII
)
# W3C's profile of ISO 8601 (NOTE-datetime): each part but the year may be left out, with a time there is a zone.
_W3CDTF = re.compile(rf"\d{{4}}(?:-\d{{2}})?|{DATE}(?:T{HOUR_MINUTE}(?::\d{{2}}(?:\.\d+)?)?(?:Z|{OFFSET}))?", re.ASCII)
# ISO 8601 in its basic form, as NITF has it.
_BASIC = re.compile(r"\d{8}T\d{6}(?:Z|[+-]\d{4})", re.ASCII)
# BCP 47, section 2.1: languages, those of private use (x) and those that were registered before it (i).
_LANGUAGE = re.compile(r"(?:[a-z]{2,8}|[xi](?=-))(?:-[a-z0-9]{1,8})*", re.ASCII | re.IGNORECASE)
# ISO 639-1, with the codes that were withdrawn but are still read.
_ISO_639_1 = frozenset(
    """aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik in io is it iu iw ja
    ji jv jw ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na
    nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq
    sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu""".split()  # noqa: SIM905 (quoted words are harder to read)
)
_POSITIVE_INTEGER = re.compile(r"0*[1-9]\d*", re.ASCII)
_ISOLATES = re.compile("[\u202a-\u202c\u2066-\u2069]")
# RFC 3986, section 3.1 and the characters of section 2.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+", re.ASCII)
# RFC 3987: the same, and characters outside ASCII but controls, spaces and private ones. It may have no scheme.
_IRI = re.compile(
    r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}|[^\x00-\xa0\u2000-\u200a\u2028\u2029\u3000])*"
)
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?:[/?#]|\Z)")
_SCHEME = re.compile(r"([^:/?#]*):(.*)", re.DOTALL)
_SCHEME_NAME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
# RFC 4151, section 2.1.
_TAG = re.compile(
    r"tag:(?:[\w.+-]+@)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?,\d{4}(?:-\d{2}(?:-\d{2})?)?:[^#]*(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
# RFC 8141, section 2, with the fragments that earlier RFCs forbade. UUIDs are checked apart: ids with a malformed UUID
# are in use, and work as well as others.
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[^#]+(?:#.*)?", re.IGNORECASE | re.DOTALL)
_UUID_URN = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# RFC 2045, section 5.1.
_MEDIA_TYPE = re.compile(
    r"""[^\s()<>@,;:\\"/\[\]?=]+/[^\s()<>@,;:\\"/\[\]?=]+"""
    r"""(?:\s*;\s*[^\s()<>@,;:\\"/\[\]?=]+=(?:"(?:\\.|[^"\\])*"|[^\s()<>@,;:\\"/\[\]?=]+))*\s*"""
)
# RFC 5322, section 3.4.1, in the forms that are in use, and RFC 6532 for the rest of the world's letters.
_MAILBOX = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@(?:\w(?:[\w-]*\w)?\.)*\w(?:[\w-]*\w)?")


def uri(text: str) -> bool:
    """Whether `text` is an absolute URI (RFC 3986), by the rules of its scheme if they are listed here."""
    return _URI.fullmatch(text) is not None and _by_scheme(text)


def iri(text: str) -> bool:
    """Whether `text` is an absolute IRI (RFC 3987)."""
    parts = _SCHEME.match(text)
    return parts is not None and bool(parts[2]) and reference(text)


def reference(text: str) -> bool:
    """Whether `text` is an IRI or a reference relative to one."""
    return _IRI.fullmatch(text) is not None and _by_scheme(text)


def uuid_urn(text: str) -> bool:
    """Whether `text`, if it begins with `urn:uuid:`, goes on with a UUID (RFC 9562, section 4)."""
    return not text.lower().startswith("urn:uuid:") or _UUID_URN.fullmatch(text) is not None


def _by_scheme(text: str) -> bool:
    parts = _SCHEME.match(text)
    if not parts:
        return _splits(text)
    scheme = parts[1].lower()
    if not _SCHEME_NAME.fullmatch(scheme):
        return False
    if scheme == "tag":
        return _TAG.fullmatch(text) is not None
    if scheme == "urn":
        return _URN.fullmatch(text) is not None
    if scheme in {"http", "https", "ftp"}:
        return _splits(text) and parts[2].startswith("//") and parts[2][2:3] not in {"", "/", "?", "#"}
    return _splits(text)


def _splits(text: str) -> bool:
    if text.count(":") < 2 and "[" not in text and "]" not in text:
        return True  # neither a port nor an address of IPv6 that could be wrong
    try:
        urlsplit(text).port  # noqa: B018 (reading the port is what checks it)
    except ValueError:
        return False
    return True


def media_type(text: str) -> bool:
    """Whether `text` is a media type, with or without parameters."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def mailbox(text: str) -> bool:
    """Whether `text` is an e-mail address and nothing else."""
    return _MAILBOX.fullmatch(text) is not None


def contact(text: str) -> bool:
    """Whether `text` contains an e-mail address; RSS has a person's address with the name beside it."""
    if text.lower().startswith("mailto:"):
        text = unquote(text[len("mailto:") :])
    return _MAILBOX.search(text) is not None


def url(text: str, *schemes: str) -> bool:
    """Whether `text` is an absolute URL of one of the `schemes` (http and https if none is named)."""
    if not uri(text):
        return False
    if not schemes and _WEB_ADDRESS.match(text):
        return True  # as nearly all are, with a host of letters: nothing has to be taken apart
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme.lower() in (schemes or ("http", "https")) and bool(parts.hostname)


def rfc3339(text: str) -> datetime | None:
    """Return the moment that `text` names, or None."""
    return _moment(text.upper()) if _RFC3339.fullmatch(text) else None


def rfc822(text: str) -> datetime | None:
    """Return the moment that `text` names in any form of RFC 822 or 1123, or None; a weekday must fit the date."""
    for _ in range(_COMMENTS_MOST):
        if (without := _COMMENT.sub(" ", text)) == text:
            break
        text = without
    parts = _RFC822.fullmatch(text.strip())
    if not parts:
        return None
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < 50 else 1900  # RFC 2822, section 4.3
    zone = parts["zone"].lower()
    if zone[0] in "+-":
        minutes = int(f"{zone[0]}1") * (int(zone[1:3]) * 60 + int(zone[3:]))
    else:
        minutes = _ZONES.get(zone, 0) * 60
    try:
        moment = datetime(
            year,
            _MONTHS.index(parts["month"].lower()) + 1,
            int(parts["day"]),
            int(parts["hour"]),
            int(parts["minute"]),
            59 if parts["second"] == "60" else int(parts["second"] or 0),  # datetime knows no leap second
            tzinfo=timezone(timedelta(minutes=minutes)),
        )
    except ValueError:
        return None
    return None if parts["weekday"] and _DAYS[moment.weekday()] != parts["weekday"].lower() else moment


def rfc822_plain(text: str) -> datetime | None:
    """Return the moment that `text` names in the form that every reader understands, or None."""
    return rfc822(text) if _RFC822_PLAIN.fullmatch(text) else None


def w3cdtf(text: str) -> bool:
    """Whether `text` is a date or a moment by W3C's profile of ISO 8601."""
    if not _W3CDTF.fullmatch(text):
        return False
    date, _, time = text.partition("T")
    whole = "-".join([*date.split("-"), "01", "01"][:3])
    return _moment(f"{whole}T{_complete(time)}" if time else whole) is not None


def _complete(time: str) -> str:
    """Return a time of day that datetime can read: it knows no leap seconds."""
    return time[:6] + "59" + time[8:] if time[6:8] == "60" else time


def iso8601_basic(text: str) -> datetime | None:
    """Return the moment that `text` names in the basic form of ISO 8601, or None."""
    return _moment(text) if _BASIC.fullmatch(text) else None


def _moment(text: str) -> datetime | None:
    text = f"{text[:11]}{_complete(text[11:])}" if text[10:11] == "T" else text
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def language(text: str) -> bool:
    """Whether `text` has the form of a language tag (BCP 47)."""
    return _LANGUAGE.fullmatch(text) is not None


def known_language(text: str) -> bool:
    """Whether `text` is the tag of a language that exists.

    Codes of two letters are looked up. Nearly all codes of three letters are registered, so all pass. Longer codes were
    never registered as languages (RFC 5646, 2.2.1).
    """
    first = text.split("-", 1)[0].lower()
    return language(text) and (len(first) == 3 or first in {"x", "i"} or first in _ISO_639_1)


def clean(text: str) -> bool:
    """Whether `text` has no control characters, non-characters or overrides.

    Isolates may open in one element and close in another. Whether they balance is checked when an article is accepted.
    """
    if text.isprintable():
        return True
    without_isolates = _ISOLATES.sub("", text)
    return legal(without_isolates) == without_isolates


def positive_integer(text: str) -> bool:
    """Whether `text` is a whole number from 1, in ASCII digits: int() would take others."""
    return _POSITIVE_INTEGER.fullmatch(text) is not None


def days(span: timedelta) -> str:
    """Return a span as people read it, in days."""
    return counted(span.days, "day", "days")
