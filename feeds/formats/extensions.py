"""The elements that our RSS and Atom share and feedgen lacks, as extensions of feedgen.

feedgen's Media RSS always writes a group and has neither description nor credit, and feedgen has no tombstones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedgen.ext.base import BaseExtension
from lxml import etree

from feeds.article import Alternate, Image
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.timestamps import rfc3339
from feeds.machine_rights import MachineRights

ATOM_NS = "http://www.w3.org/2005/Atom"
MEDIA_NS = "http://search.yahoo.com/mrss/"
HISTORY_NS = "http://purl.org/syndication/history/1.0"
TOMBSTONE_NS = "http://purl.org/atompub/tombstones/1.0"
RSL_NS = "https://rslstandard.org/rsl"


class MediaFeed(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares Media RSS at the root, so that no entry has to."""

    def extend_ns(self) -> dict[str, str]:
        """Return the prefix with its namespace."""
        return {"media": MEDIA_NS}


class MediaEntry(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The pictures of an entry, each with its caption and credit (Media RSS 1.5.1).

    A caption is the picture's media:title. feedparser, and with it rss2email and others, takes the media:description of
    a picture for the entry's own summary, and shows it in place of the article. Partners have their own programs: for
    them (`caption_is_description`) it is the media:description, as Media RSS intends.
    """

    images: Sequence[Image] = ()
    caption_is_description: bool = False

    def extend_atom(self, entry: etree._Element) -> None:
        """Append a media:content for each picture."""
        for image in self.images:
            content = etree.SubElement(entry, f"{{{MEDIA_NS}}}content", url=image.url)
            if image.type:
                content.set("type", image.type)
            content.set("medium", "image")
            for name, pixels in (("width", image.width), ("height", image.height)):
                if pixels is not None:
                    content.set(name, str(pixels))
            if image.caption:
                name = "description" if self.caption_is_description else "title"
                etree.SubElement(content, f"{{{MEDIA_NS}}}{name}", type="plain").text = image.caption
            if image.credit:
                etree.SubElement(content, f"{{{MEDIA_NS}}}credit").text = image.credit

    def extend_rss(self, item: etree._Element) -> None:
        """Append the same to an RSS item."""
        self.extend_atom(item)


class Editions(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The story's pages in all editions, as links with their languages (RFC 4287, section 4.2.7).

    Some readers take the first alternate for the entry's page and some the last: the entry's own page stands in both
    places, once with and once without hreflang, so that no two alternates agree in both (section 4.1.2).
    """

    entry: Entry

    def extend_atom(self, entry: etree._Element) -> None:
        """Append a link for each edition; the first link, without a language, is there already."""
        self._extend(entry, "link", self.entry.editions)  # feedgen names its own elements without their namespace

    def extend_rss(self, item: etree._Element) -> None:
        """Append the same to an RSS item, and then a link without a language."""
        if self.entry.editions:
            self._extend(item, f"{{{ATOM_NS}}}link", (self.entry.editions[-1], *self.entry.editions[:-1]))
            etree.SubElement(item, f"{{{ATOM_NS}}}link", href=self.entry.url, rel="alternate", type="text/html")

    def _extend(self, parent: etree._Element, name: str, editions: Iterable[Alternate]) -> None:
        for edition in editions:
            link = {"href": edition.url, "rel": "alternate", "type": "text/html", "hreflang": edition.edition}
            etree.SubElement(parent, name, link)


class Tombstones(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The entries that left the feed (RFC 6721).

    feedgen lets a feed's extensions write before its entries, and Atom's schema wants tombstones there.
    """

    tombstones: Sequence[Tombstone] = ()

    def extend_ns(self) -> dict[str, str]:
        """Return the prefix with its namespace."""
        return {"at": TOMBSTONE_NS}

    def extend_atom(self, feed: etree._Element) -> None:
        """Append an at:deleted-entry for each tombstone."""
        for tombstone in self.tombstones:
            etree.SubElement(feed, f"{{{TOMBSTONE_NS}}}deleted-entry", ref=tombstone.id, when=rfc3339(tombstone.when))

    def extend_rss(self, rss: etree._Element) -> None:
        """Append the same to the RSS channel: RSS itself cannot say that an item is gone."""
        self.extend_atom(rss[0])


class Licences(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What programs may do with the entries of the feed (RSL 1.0, the RSS module)."""

    channel: Channel

    def extend_rss(self, rss: etree._Element) -> None:
        """Append an rsl:content to the channel, for all that it has."""
        if self.channel.machines:
            _license(rss[0], self.channel.home_url, self.channel.machines)


class Licence(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What programs may do with one entry."""

    entry: Entry

    def extend_rss(self, item: etree._Element) -> None:
        """Append an rsl:content for the entry's page."""
        if self.entry.machines:
            _license(item, self.entry.url, self.entry.machines)


def _license(parent: etree._Element, url: str, machines: MachineRights) -> None:
    # The namespace is declared where it is used: see `add_history`.
    content = etree.SubElement(parent, f"{{{RSL_NS}}}content", url=url, nsmap={"rsl": RSL_NS})
    license_of = etree.SubElement(content, f"{{{RSL_NS}}}license")
    for name, usages in (("permits", machines.permits), ("prohibits", machines.prohibits)):
        if usages:
            etree.SubElement(license_of, f"{{{RSL_NS}}}{name}", type="usage").text = ",".join(usages)
    if machines.policy:
        etree.SubElement(content, f"{{{RSL_NS}}}terms").text = machines.policy


def add_history(element: etree._Element, channel: Channel, link: str) -> None:
    """Append the links to archives, and in an archive the mark that it is one (RFC 5005).

    `link` is the name of Atom's element. The namespace is declared where it is used, so that the root of every document
    is the same and entries can be rendered apart from it.
    """
    if channel.current_url:
        etree.SubElement(element, f"{{{HISTORY_NS}}}archive", nsmap={"fh": HISTORY_NS})
    for relation, url in channel.history.items():
        etree.SubElement(element, link, rel=relation, href=url)
