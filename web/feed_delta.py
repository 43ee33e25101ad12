"""Feed deltas: for a reader that asks, only the entries that changed since what it has (RFC 3229, `A-IM: feed`).

Nobody has registered `feed` with IANA; it is what feed readers ask for and what servers give since 2004.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from feeds.definition import FeedDefinition
from feeds.formats import READERS
from feeds.formats.interface import FeedFormat
from web.content_coding import qualities
from web.representation import Answer, RawHeaders, Representation

_TAG = re.compile(r'"([0-9a-f]{32})(?:-[a-z]+)?"')


def wanted(headers: Mapping[str, str]) -> bool:
    """Whether a client takes a delta, and says what it has."""
    return "a-im" in headers and "if-none-match" in headers and qualities(headers["a-im"]).get("feed", 0) > 0


def bases(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the tags that the client names, each with the digest of its document."""
    return [(found[0], found[1]) for found in _TAG.finditer(headers["if-none-match"])]


def possible(definition: FeedDefinition, feed_format: FeedFormat) -> bool:
    """Whether entries alone say what has changed: of a curated list the order is news too."""
    return definition.list is None and feed_format in READERS


def answer(body: bytes, content_type: str, headers: RawHeaders, document: Representation, base: str) -> Answer:
    """Return the 226 that leads from the document with the tag `base` to `document` (section 10.4.1).

    Caches that know the rule may not keep it, and others must not (section 10.8.3).
    """
    return Answer(
        226,
        [
            *((name, value) for name, value in headers if name != b"cache-control"),
            (b"cache-control", b"no-store, im"),
            (b"vary", b"Accept-Encoding"),
            (b"etag", f'"{document.digest}"'.encode()),
            (b"im", b"feed"),
            (b"delta-base", base.encode()),
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
        ],
        body,
    )
