"""Atom 1.0 (RFC 4287), by feedgen."""

from __future__ import annotations

from collections.abc import Sequence

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.article import AI_ASSISTED, SOURCE_TYPES
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.extensions import Editions, MediaEntry, MediaFeed, Tombstones, add_history
from feeds.formats.timestamps import rfc3339, to_second
from feeds.formats.xml_fragments import Shortcuts, xml_format

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class FeedExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The links between the feed and its archives: feedgen knows no such relations."""

    channel: Channel

    def extend_atom(self, feed: etree._Element) -> None:
        """Append them."""
        add_history(feed, self.channel, "link")


class EntryExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """An entry's own language (RFC 4287, section 2) and its links.

    feedgen 1.0.0 knows xml:lang for the feed alone, and loses the rel and type of an entry's links, which would make
    every picture an alternate of the article.
    """

    entry: Entry

    def extend_atom(self, element: etree._Element) -> None:
        """Set xml:lang, mend the link to the article's page, append the links to the pictures."""
        element.set(_XML_LANG, self.entry.language)
        for link in element.iterfind("link"):
            link.set("rel", "alternate")
        for image in self.entry.images:
            link = etree.SubElement(element, "link", href=image.url, rel="enclosure")
            if image.type:
                link.set("type", image.type)


_EXTENSIONS = {
    "dateline": (FeedExtension, EntryExtension),
    "media": (MediaFeed, MediaEntry),
    "editions": (BaseExtension, Editions),
}
"""What our Atom has beside what feedgen knows, in this order: name -> of the feed, and of an entry."""


def render(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
    """Return the feed document, its entries in the order given."""
    feed = FeedGenerator()
    for name, extensions in _EXTENSIONS.items():
        feed.register_extension(name, *extensions)
    feed.dateline.channel = channel
    feed.register_extension("tombstones", Tombstones)
    feed.tombstones.tombstones = tombstones
    feed.id(channel.id)
    feed.title(channel.title)
    feed.updated(to_second(channel.updated))
    feed.author(name=channel.publisher)
    feed.subtitle(channel.description)
    feed.language(channel.language)
    feed.generator("Dateline")
    feed.link(href=channel.self_url, rel="self", type="application/atom+xml")
    for hub in channel.hubs:
        feed.link(href=hub, rel="hub")
    feed.link(href=channel.home_url, rel="alternate")
    for entry in entries:
        _add(feed, entry)
    for tombstone in tombstones:
        if tombstone.notice:
            _add(feed, tombstone.notice)
    document: bytes = feed.atom_str()
    return document


def _add(feed: FeedGenerator, entry: Entry) -> None:
    _describe(feed.add_entry(order="append"), entry)


def element(entry: Entry) -> etree._Element:
    """Return the entry by itself, as it stands in every feed."""
    alone = FeedEntry()
    for name, (_, extension) in _EXTENSIONS.items():
        alone.register_extension(name, extension)
    _describe(alone, entry)
    rendered: etree._Element = alone.atom_entry()
    return rendered


def _describe(element: FeedEntry, entry: Entry) -> None:
    element.dateline.entry = entry
    element.media.images = entry.images
    element.editions.entry = entry
    element.id(entry.id)
    element.title(entry.title)
    element.published(to_second(entry.published))
    element.updated(to_second(entry.updated))
    element.author([{"name": name} for name in entry.authors])
    element.category([{"term": tag} for tag in entry.tags])
    if entry.ai_assisted:
        element.category(term=AI_ASSISTED, scheme=SOURCE_TYPES, label="AI-assisted")
    element.link(href=entry.url, rel="alternate")
    element.rights(entry.rights)
    if entry.summary:
        element.summary(entry.summary)
    if entry.html:
        element.content(entry.html, type="html")


FORMAT = xml_format(
    "atom",
    "application/atom+xml; charset=utf-8",
    render,
    b"<entry ",
    b"</feed>",
    shortcuts=Shortcuts(element, b"updated", rfc3339),
)
