"""Reads those header fields of requests that decide what is answered: weighted lists, entity tags, dates, media types.

They are read here, and not by a library, for these reasons. Starlette, which we stand on, reads none of them. Werkzeug
(`werkzeug.http`) is the maintained library that does, but it is laxer than RFC 9110 where that matters and slower
where we are asked most: its entity tags may lack their quotes, so `abc` matches `"abc"` and a 304 is sent to a client
that does not have the document; its q-values may have any number of digits; a list of codings takes it 27 microseconds
instead of 8, two tags 4 instead of 1; and it would bring a second web framework's types for four expressions. HTTP
dates are read by the standard library (`email.utils`), which is what Werkzeug does as well. Who asked a proxy
(`Forwarded`, `X-Forwarded-For`: `web/client_address.py`) no installed library reads: Werkzeug's ProxyFix counts
proxies instead of knowing their networks, so a client that goes round one of them could name any address, and it does
not know RFC 7239. Cache-Control is only written here, never read, and ranges are not served: RFC 9110 (section 14.2)
lets a server ignore them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_RELEVANT = {
    name.encode(): name
    for name in (
        "a-im",
        "accept-encoding",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-unmodified-since",
    )
}
_ENTITY_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_QVALUE = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def relevant_pairs(raw: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """Return those of a request's fields that the answer to a GET of a document depends on, as they are."""
    return tuple([field for field in raw if field[0] in _RELEVANT])


def relevant_fields(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return those of a request's fields that the answer to a GET of a document depends on, names in lower case.

    A field that is repeated is one list (RFC 9110, section 5.2).
    """
    fields: dict[str, str] = {}
    for name, value in raw:
        if key := _RELEVANT.get(name):
            fields[key] = f"{fields[key]}, {value.decode('latin-1')}" if key in fields else value.decode("latin-1")
    return fields


def qualities(value: str) -> dict[str, float]:
    """Return the q-value of each name in a list, in lower case (RFC 9110, section 12.4.2); 0 if it is invalid."""
    return dict(map(_quality, value.lower().split(",")))


def _quality(element: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in element.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            quality = float(value) if _QVALUE.fullmatch(value.strip()) else 0.0
    return name, quality


def entity_tags(value: str) -> list[tuple[str, str]]:
    """Return the entity tags in a list (RFC 9110, section 8.8.3): "W/" for a weak one, else "", and the quoted tag."""
    return _ENTITY_TAG.findall(value)


def http_date(value: str) -> datetime | None:
    """Return the moment of an HTTP date (RFC 9110, section 5.6.7); None when it is invalid or has no zone."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def media_type(headers: Mapping[str, str]) -> str:
    """Return the media type of a request's body, in lower case and without parameters; empty when it has none."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
