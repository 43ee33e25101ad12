"""Fragments and envelopes of XML formats, cut from complete documents: of one entry, and of none.

So there is one way to render an entry, and the joined pieces are byte for byte the document of all entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from lxml import etree

from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.interface import Envelope, FeedFormat

# An entry's bytes don't depend on its feed: every namespace is declared at the root, in each document alike.
_ANY_CHANNEL = Channel("-", "-", "-", "", "-", "-", "-", "-", datetime(2000, 1, 1, tzinfo=UTC))

Render = Callable[[Channel, Sequence[Entry], Sequence[Tombstone]], bytes]


@dataclass(frozen=True)
class Shortcuts:
    """What a format offers in which nearly all documents are made, so that they need not be cut from whole ones.

    element(entry): the entry as `render` puts it into a document, by itself. date: the tag of the first element that
    has the time of the channel's last change, and nothing else in the document has it; written(moment): its text.
    """

    element: Callable[[Entry], etree._Element]
    date: bytes
    written: Callable[[datetime], str]

    def redated(self, envelope: Envelope, updated: datetime) -> Envelope:
        """Return the envelope of the same channel and tombstones, last changed at `updated`."""
        before, opening, rest = envelope.head.partition(b"<" + self.date + b">")
        after = rest[rest.index(b"<") :]
        return replace(envelope, head=b"".join((before, opening, self.written(updated).encode(), after)))


class _Frame:
    """A document of no entries and nothing else, into which one entry is put to see how it stands there."""

    def __init__(self, render: Render) -> None:
        self._render = render

    @cached_property
    def _empty(self) -> etree._Element:
        root = etree.fromstring(self._render(_ANY_CHANNEL, (), ()))
        _place(root)[:] = []
        return root

    def around(self, element: etree._Element) -> bytes:
        """Return the document with the entry in it."""
        root = deepcopy(self._empty)
        _place(root).append(element)
        document: bytes = etree.tostring(root, encoding="UTF-8")
        return document


def xml_format(
    name: str,
    media_type: str,
    render: Render,
    opening: bytes,
    tail: bytes,
    *,
    select: Callable[[Channel, Sequence[Entry]], Sequence[Entry]] | None = None,
    shortcuts: Shortcuts | None = None,
    tombstones_need_url: bool = False,
) -> FeedFormat:
    """Return the format whose documents `render` makes of the entries that `select` leaves.

    opening: how an entry's tag begins. tail: what every document ends with. Tombstones may stand before the entries or
    after them, wherever `render` puts them.
    """
    frame = _Frame(render)

    def fragment(entry: Entry) -> bytes:
        document = frame.around(shortcuts.element(entry)) if shortcuts else render(_ANY_CHANNEL, (entry,), ())
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

    return FeedFormat(
        name,
        media_type,
        fragment,
        envelope,
        render_selected,
        select,
        shortcuts.redated if shortcuts else None,
        tombstones_need_url,
    )


def _place(root: etree._Element) -> etree._Element:
    """The element that has the entries: RSS has a channel in its root, and nothing else."""
    return root[0] if root.tag == "rss" else root
