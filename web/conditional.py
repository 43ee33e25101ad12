"""Conditional requests and content coding for one representation (RFC 9110, sections 8.8, 12.5.3 and 13)."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from worker import clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_QVALUE = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


@dataclass(frozen=True)
class Representation:
    """A document ready to be served: its bytes plain and compressed, and the validators of each.

    `changed` in ms. Every coding has a strong tag of its own (section 8.8.3.3).
    """

    body: bytes
    changed: int
    compressed: bytes = field(init=False)
    tag: str = field(init=False)
    compressed_tag: str = field(init=False)

    def __post_init__(self) -> None:
        digest = sha256(self.body).hexdigest()[:32]
        # mtime 0: the same document gives the same bytes on every machine.
        object.__setattr__(self, "compressed", gzip.compress(self.body, 6, mtime=0))
        object.__setattr__(self, "tag", f'"{digest}"')
        object.__setattr__(self, "compressed_tag", f'"{digest}-gzip"')

    def last_modified(self, now: datetime) -> datetime:
        """When it last changed, in whole seconds.

        While that second is not over the one before is told: a second change in it must not hide behind the first.
        """
        return clock.moment(min(self.changed // 1000, clock.ms(now) // 1000 - 1) * 1000)

    def evaluate(self, headers: Mapping[str, str]) -> Literal[200, 304, 412]:
        """Return the status that a GET or HEAD with these headers (names in lower case) gets (section 13.2.2)."""
        tags = {self.tag, self.compressed_tag}
        # Not what is told as Last-Modified, which may be the second of the change before.
        modified = clock.moment(self.changed // 1000 * 1000)
        if (wanted := headers.get("if-match")) is not None:
            if wanted.strip() != "*" and not any(not weak and tag in tags for weak, tag in _TAG.findall(wanted)):
                return 412
        elif (since := _date(headers.get("if-unmodified-since"))) is not None and modified > since:
            return 412
        if (known := headers.get("if-none-match")) is not None:
            # Weak comparison (section 13.1.2): proxies turn "x" into W/"x".
            return 304 if known.strip() == "*" or any(tag in tags for _, tag in _TAG.findall(known)) else 200
        since = _date(headers.get("if-modified-since"))
        return 304 if since is not None and modified <= since else 200

    def coded(self, accept_encoding: str | None) -> tuple[bytes, str, str | None]:
        """Return the body, its tag and its coding (None: as it is) for an Accept-Encoding header."""
        if accept_encoding is not None and _prefers_gzip(accept_encoding):
            return self.compressed, self.compressed_tag, "gzip"
        return self.body, self.tag, None


def http_date(moment: datetime) -> str:
    """Return a moment as an HTTP date (section 5.6.7)."""
    return format_datetime(moment, usegmt=True)


def _date(value: str | None) -> datetime | None:
    """The moment of an HTTP date; None when there is none or it is no date, which is to be ignored (section 13.1.3)."""
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def _prefers_gzip(accept_encoding: str) -> bool:
    qualities = {"identity": 0.001}  # acceptable unless it is ruled out (section 12.5.3)
    for part in accept_encoding.lower().split(","):
        coding, *parameters = (word.strip() for word in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = float(value) if _QVALUE.fullmatch(value.strip()) else 0.0
        qualities[{"x-gzip": "gzip"}.get(coding, coding)] = quality
    wanted = qualities.get("gzip", qualities.get("*", 0.0))
    return wanted > 0 and wanted >= qualities["identity"]
