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
    *,
    select: Callable[[Channel, Sequence[Entry]], Sequence[Entry]] | None = None,
    links_gone: bool = False,
) -> FeedFormat:
    """Return the format whose documents `whole` makes of the entries that `select` leaves.

    opening: how an entry's tag begins. tail: what every document ends with. Tombstones may stand before the entries or
    after them, wherever `whole` puts them.
    """

    def fragment(entry: Entry) -> bytes:
        document = whole(_ANY_CHANNEL, (entry,), ())
        # A literal "<" only ever begins a tag: text and attributes have "&lt;", and nothing is written as CDATA.
        return document[document.index(opening) : -len(tail)]

    def envelope(channel: Channel, tombstones: Sequence[Tombstone]) -> Envelope:
        document = whole(channel, (), tombstones)
        # Tombstones that are said as entries come last; all others are part of the head.
        end = document.find(opening)
        if end < 0:
            end = len(document) - len(tail)
        return Envelope(head=document[:end], tail=document[end:])

    def selected(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
        return whole(channel, select(channel, entries) if select else entries, tombstones)

    return FeedFormat(name, media_type, fragment, envelope, selected, select, links_gone)
