"""Fragments and envelopes of XML formats: cut out of what feedgen makes of a feed with one entry, and with none.

So nothing is rendered twice in two ways, and joined again the pieces are what feedgen makes of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.interface import Envelope, FeedFormat

# An entry's bytes don't depend on its feed: every namespace is declared at the root, in each document alike.
_ANY_CHANNEL = Channel("-", "-", "-", "", "-", "-", "-", "-", datetime(2000, 1, 1, tzinfo=UTC))


def xml_format(
    name: str,
    media_type: str,
    whole: Callable[[Channel, Sequence[Entry], Sequence[Tombstone]], bytes],
    opening: bytes,
    tail: bytes,
) -> FeedFormat:
    """Return the format whose documents `whole` makes.

    opening: how an entry's tag begins. tail: what every document ends with, after its entries.
    """

    def fragment(entry: Entry) -> bytes:
        document = whole(_ANY_CHANNEL, (entry,), ())
        # A literal "<" only ever begins a tag: text and attributes have "&lt;", and nothing is written as CDATA.
        return document[document.index(opening) : -len(tail)]

    def envelope(channel: Channel, tombstones: Sequence[Tombstone]) -> Envelope:
        return Envelope(head=whole(channel, (), tombstones)[: -len(tail)], tail=tail)

    return FeedFormat(name=name, media_type=media_type, fragment=fragment, envelope=envelope, whole=whole)
