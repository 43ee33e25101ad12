"""What RSS and Atom both say beyond what feedgen knows, as feedgen extensions.

feedgen's own Media RSS always wraps in a group and knows neither description nor credit; it has no tombstones.
"""

from __future__ import annotations

from collections.abc import Sequence

from feedgen.ext.base import BaseExtension
from lxml import etree

from feeds.article import Image
from feeds.entry import Entry, Tombstone
from feeds.formats.moments import rfc3339

ATOM_NS = "http://www.w3.org/2005/Atom"
MEDIA_NS = "http://search.yahoo.com/mrss/"
TOMBSTONE_NS = "http://purl.org/atompub/tombstones/1.0"


class MediaFeed(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares Media RSS at the root, so that no entry has to."""

    def extend_ns(self) -> dict[str, str]:
        """Return the prefix with its namespace."""
        return {"media": MEDIA_NS}


class MediaEntry(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The pictures of an entry, each with its caption and credit (Media RSS 1.5.1)."""

    images: Sequence[Image] = ()

    def extend_atom(self, entry: etree._Element) -> None:
        """Append a media:content for each picture."""
        for image in self.images:
            content = etree.SubElement(entry, f"{{{MEDIA_NS}}}content", url=image.url, type=image.type, medium="image")
            for name, pixels in (("width", image.width), ("height", image.height)):
                if pixels is not None:
                    content.set(name, str(pixels))
            if image.caption:
                etree.SubElement(content, f"{{{MEDIA_NS}}}description", type="plain").text = image.caption
            if image.credit:
                etree.SubElement(content, f"{{{MEDIA_NS}}}credit").text = image.credit

    def extend_rss(self, item: etree._Element) -> None:
        """Append the same to an RSS item."""
        self.extend_atom(item)


class Editions(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The story's pages in all editions, as links with their languages (RFC 4287, section 4.2.7).

    The entry's own link has neither type nor hreflang, so no two alternates agree in both (section 4.1.2). Some readers
    take the first alternate for the entry's page and some the last: the entry's own page stands in both places.
    """

    entry: Entry

    def extend_atom(self, entry: etree._Element) -> None:
        """Append a link for each edition."""
        self._extend(entry, "link")  # feedgen names its own elements without their namespace

    def extend_rss(self, item: etree._Element) -> None:
        """Append the same to an RSS item."""
        self._extend(item, f"{{{ATOM_NS}}}link")

    def _extend(self, parent: etree._Element, name: str) -> None:
        for edition in self.entry.editions:
            link = {"href": edition.url, "rel": "alternate", "type": "text/html", "hreflang": edition.edition}
            etree.SubElement(parent, name, link)


class Tombstones(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The entries that are no more (RFC 6721).

    feedgen lets a feed's extensions write before its entries, and that is where Atom's schema wants them.
    """

    stones: Sequence[Tombstone] = ()

    def extend_ns(self) -> dict[str, str]:
        """Return the prefix with its namespace."""
        return {"at": TOMBSTONE_NS}

    def extend_atom(self, feed: etree._Element) -> None:
        """Append an at:deleted-entry for each tombstone."""
        for stone in self.stones:
            etree.SubElement(feed, f"{{{TOMBSTONE_NS}}}deleted-entry", ref=stone.id, when=rfc3339(stone.when))

    def extend_rss(self, rss: etree._Element) -> None:
        """Append the same to the RSS channel: RSS itself cannot say that an item is gone."""
        self.extend_atom(rss[0])
