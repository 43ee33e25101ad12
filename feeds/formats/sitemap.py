"""The sitemap of a feed's window (https://www.sitemaps.org/protocol.html): its pages and when they changed.

A page that has other editions names all of them, itself included, by xhtml:link (Google Search Central, "Localized
versions of your pages", "Sitemap").

A sitemap takes nothing down; the page itself does, by answering 404 or 410.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.timestamps import rfc3339
from feeds.formats.xml_fragments import xml_format

SITEMAP_NS = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML_NS = "http://www.w3.org/1999/xhtml"
MEDIA_TYPE = "application/xml; charset=utf-8"
OPENING, TAIL = b"<url>", b"</urlset>"


def urlset(
    entries: Sequence[Entry], describe: Callable[[etree._Element, Entry], None], prefixes: dict[str, str]
) -> bytes:
    """Return a sitemap with one `url` for each entry, to which `describe` adds all but address and editions."""
    # Declared at the root, so that no entry has to.
    nsmap: Any = {None: SITEMAP_NS, **prefixes, "xhtml": XHTML_NS}  # the stubs know no default namespace
    root = etree.Element(f"{{{SITEMAP_NS}}}urlset", nsmap=nsmap)
    root.text = ""  # so that an empty one has an end tag too
    for entry in entries:
        url = etree.SubElement(root, f"{{{SITEMAP_NS}}}url")
        etree.SubElement(url, f"{{{SITEMAP_NS}}}loc").text = entry.url
        describe(url, entry)
        for edition in entry.editions:
            link = {"rel": "alternate", "hreflang": edition.edition, "href": edition.url}
            etree.SubElement(url, f"{{{XHTML_NS}}}link", link)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def render(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
    """Return the sitemap, in the order given."""
    del channel, tombstones
    return urlset(entries, _describe, {})


def _describe(url: etree._Element, entry: Entry) -> None:
    etree.SubElement(url, f"{{{SITEMAP_NS}}}lastmod").text = rfc3339(entry.updated)


def pages(channel: Channel, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the first entry of each page: a sitemap names it once."""
    del channel
    return list({entry.url: entry for entry in reversed(entries)}.values())[::-1]


FORMAT = xml_format("sitemap", MEDIA_TYPE, render, OPENING, TAIL, select=pages)
