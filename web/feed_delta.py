"""Feed deltas: for a reader that asks, only the entries that changed since what it has (RFC 3229, `A-IM: feed`).

`feed` is not registered with IANA, but it is what feed readers have asked for, and servers have given, since 2004.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from feeds.definition import FeedDefinition
from feeds.formats import READERS
from feeds.formats.interface import FeedFormat
from web.header_fields import qualities
from web.representation import RawHeaders, RawResponse, Representation

_OUR_TAG = re.compile(r'"([0-9a-f]{32})(?:-[a-z]+)?"')


def accepted(fields: Mapping[str, str]) -> bool:
    """Whether a client accepts a delta, and says what it has."""
    return "a-im" in fields and "if-none-match" in fields and qualities(fields["a-im"]).get("feed", 0) > 0


def clients_documents(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the tags of ours that the client says it has, each with the digest of its document."""
    return [(tag[0], tag[1]) for tag in _OUR_TAG.finditer(fields["if-none-match"])]


def possible(definition: FeedDefinition, feed_format: FeedFormat) -> bool:
    """Whether entries alone say what has changed: in a curated list the order is news too."""
    return definition.list is None and feed_format in READERS


def respond(body: bytes, content_type: str, headers: RawHeaders, document: Representation, base: str) -> RawResponse:
    """Return the 226 that leads from the document with the tag `base` to `document` (section 10.4.1).

    Only caches that know the rule may store it (section 10.8.3), and of a private feed none.
    """
    is_private = any(name == b"cache-control" and value.startswith(b"private") for name, value in headers)
    return RawResponse(
        226,
        [
            *((name, value) for name, value in headers if name != b"cache-control"),
            (b"cache-control", b"private, no-store" if is_private else b"no-store, im"),
            (b"vary", b"Accept-Encoding"),
            (b"etag", f'"{document.digest}"'.encode()),
            (b"im", b"feed"),
            (b"delta-base", base.encode()),
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
        ],
        body,
    )
