"""RSS 2.0, by feedgen.

Beyond RSS itself it uses the modules that readers know: the full text (content), authors, language and rights (dc),
pictures (media), the feed's own address, its hub, the last change of an item and its other editions (atom), tombstones
(at).
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from urllib.parse import urlsplit

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feeds.article import AI_ASSISTED, SOURCE_TYPES
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.extensions import (
    ATOM_NS,
    Editions,
    Licence,
    Licences,
    MediaEntry,
    MediaFeed,
    Tombstones,
    add_history,
)
from feeds.formats.timestamps import rfc822, rfc3339
from feeds.formats.xml_fragments import Shortcuts, xml_format
from feeds.graphemes import cut
from feeds.text import legal

DC_NS = "http://purl.org/dc/elements/1.1/"
EXCERPT_CHARACTERS = 300  # of the text, where there is no summary; some aggregators refuse shorter descriptions


class ChannelExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The channel's hub, archives, cloud and last change.

    The dates are written here and in `ItemExtension` because feedgen writes them by switching the locale of the whole
    process, which other threads would see.
    """

    channel: Channel

    def extend_ns(self) -> dict[str, str]:
        """Return the prefix with its namespace, for the items."""
        return {"dc": DC_NS}

    def extend_rss(self, rss: etree._Element) -> None:
        """Append the link to the hub (WebSub, section 4), those to archives, the cloud, and lastBuildDate."""
        for hub in self.channel.hubs:
            etree.SubElement(rss[0], f"{{{ATOM_NS}}}link", href=hub, rel="hub")
        add_history(rss[0], self.channel, f"{{{ATOM_NS}}}link")
        if self.channel.cloud_url:
            cloud = urlsplit(self.channel.cloud_url)
            attributes = {
                "domain": cloud.hostname or "",
                "port": str(cloud.port or (443 if cloud.scheme == "https" else 80)),
                "path": cloud.path,
                # For XML-RPC and SOAP alone, but it must be there (RSS 2.0, element cloud).
                "registerProcedure": "",
                "protocol": "http-post",
            }
            etree.SubElement(rss[0], "cloud", attributes)
        etree.SubElement(rss[0], "lastBuildDate").text = rfc822(self.channel.updated)


class ItemExtension(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """An item's times, authors, language and rights.

    RSS has no time for a correction, and pubDate must not move: atom:updated has it. RSS wants an e-mail address in
    `author`; dc:creator takes names.
    """

    entry: Entry

    def extend_rss(self, item: etree._Element) -> None:
        """Append pubDate, atom:updated and the dc elements."""
        etree.SubElement(item, "pubDate").text = rfc822(self.entry.published)
        etree.SubElement(item, f"{{{ATOM_NS}}}updated").text = rfc3339(self.entry.updated)
        for author in self.entry.authors:
            etree.SubElement(item, f"{{{DC_NS}}}creator").text = author
        etree.SubElement(item, f"{{{DC_NS}}}language").text = self.entry.language
        if self.entry.rights:
            etree.SubElement(item, f"{{{DC_NS}}}rights").text = self.entry.rights


def render(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
    """Return the feed document, its items in the order given."""
    feed = generator(channel)
    feed.register_extension("tombstones", Tombstones)
    feed.tombstones.tombstones = tombstones
    feed.register_extension("licence", Licences, Licence)
    feed.licence.channel = channel
    for entry in entries:
        _mark(add(feed, entry), entry)
    for tombstone in tombstones:
        if tombstone.notice:
            _mark(add(feed, tombstone.notice), tombstone.notice)
    document: bytes = feed.rss_str()
    return document


def element(entry: Entry) -> etree._Element:
    """Return the item by itself, as it stands in every feed."""
    alone = FeedEntry()
    for name, (_, extension) in _EXTENSIONS.items():
        alone.register_extension(name, extension)
    alone.register_extension("licence", Licence)
    _describe(alone, entry)
    _mark(alone, entry)
    item: etree._Element = alone.rss_entry()
    return item


def _mark(item: FeedEntry, entry: Entry) -> None:
    """Add what profiles do not have."""
    item.licence.entry = entry
    if entry.ai_assisted:
        # Readers show categories as they stand; `domain` says what this one is.
        item.category(term=AI_ASSISTED, scheme=SOURCE_TYPES)


_EXTENSIONS = {
    "dateline": (ChannelExtension, ItemExtension),
    "media": (MediaFeed, MediaEntry),
    "editions": (BaseExtension, Editions),
}
"""What our RSS and all profiles have of the modules, in this order: name -> of the channel, and of an item."""


def generator(channel: Channel) -> FeedGenerator:
    """Return a feed of no items, with what our RSS and all profiles share."""
    feed = FeedGenerator()
    for name, extensions in _EXTENSIONS.items():
        feed.register_extension(name, *extensions)
    feed._FeedGenerator__rss_lastBuildDate = None  # noqa: SLF001 (feedgen has no other way to leave its own out)
    feed.dateline.channel = channel
    feed.title(channel.title)
    feed.description(channel.description or channel.title)
    feed.language(channel.language)
    feed.generator("Dateline")
    feed.link(href=channel.self_url, rel="self", type="application/rss+xml")
    feed.link(href=channel.home_url)  # after the other: feedgen takes the last one given for the channel's link
    return feed


def add(feed: FeedGenerator, entry: Entry) -> FeedEntry:
    """Append an item and return it."""
    item = feed.add_entry(order="append")
    _describe(item, entry)
    return item


def _describe(item: FeedEntry, entry: Entry) -> None:
    item.dateline.entry = entry
    item.media.images = entry.images
    item.editions.entry = entry
    item.title(entry.title)
    item.link(href=entry.url)
    item.guid(entry.id, permalink=False)
    item.category([{"term": tag} for tag in entry.tags])
    if description := entry.summary or excerpt(entry.text, EXCERPT_CHARACTERS):
        item.description(html.escape(description, quote=False))  # a summary is plain text, an RSS description is HTML
    if entry.html:
        item.content(entry.html)


def excerpt(text: str, most: int) -> str:
    """Return the beginning of `text`: at most `most` characters, then an ellipsis where there was more."""
    if len(text) <= most:
        return text
    end = most
    while (end := text.rfind(" ", 0, end)) > 0:  # at the last whole word, in scripts that have spaces
        if len(start := legal(text[:end])) <= most:
            return start + "…"
    return cut(text, most) + "…"


FORMAT = xml_format(
    "rss",
    "application/rss+xml; charset=utf-8",
    render,
    b"<item>",
    b"</channel></rss>",
    shortcuts=Shortcuts(element, b"lastBuildDate", rfc822),
)
