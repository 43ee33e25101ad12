"""Fragments and envelopes of XML formats, cut from complete documents: of one entry, and of none.

So there is one way to render an entry, and the joined pieces are byte for byte the document of all entries.
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
    render: Callable[[Channel, Sequence[Entry], Sequence[Tombstone]], bytes],
    opening: bytes,
    tail: bytes,
    *,
    select: Callable[[Channel, Sequence[Entry]], Sequence[Entry]] | None = None,
    tombstones_need_url: bool = False,
) -> FeedFormat:
    """Return the format whose documents `render` makes of the entries that `select` leaves.

    opening: how an entry's tag begins. tail: what every document ends with. Tombstones may stand before the entries or
    after them, wherever `render` puts them.
    """

    def fragment(entry: Entry) -> bytes:
        document = render(_ANY_CHANNEL, (entry,), ())
        # A literal "<" only ever begins a tag: text and attributes have "&lt;", and nothing is written as CDATA.
        return document[document.index(opening) : -len(tail)]

    def envelope(channel: Channel, tombstones: Sequence[Tombstone]) -> Envelope:
        document = render(channel, (), tombstones)
        # Notices, which are entries, come last; tombstones that are not entries are part of the head.
        end = document.find(opening)
        if end < 0:
            end = len(document) - len(tail)
        return Envelope(head=document[:end], tail=document[end:])

    def render_selected(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
        return render(channel, select(channel, entries) if select else entries, tombstones)

    return FeedFormat(name, media_type, fragment, envelope, render_selected, select, tombstones_need_url)
