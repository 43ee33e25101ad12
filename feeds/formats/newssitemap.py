"""Google's news sitemap (https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap).

It has the articles first published in the two days before the feed's last change, at most 1,000. Google ignores
articles that have become older since, so a sitemap does not have to be made again when nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from lxml import etree

from feeds.entry import Channel, Entry, Tombstone
from feeds.formats.profile import bounded
from feeds.formats.sitemap import MEDIA_TYPE, OPENING, TAIL, pages, urlset
from feeds.formats.timestamps import rfc3339
from feeds.formats.xml_fragments import xml_format

NEWS_NS = "http://www.google.com/schemas/sitemap-news/0.9"
OLDEST = timedelta(days=2)
URLS_MOST = 1000
_CHINESE = {"zh": "zh-cn", "zh-hans": "zh-cn", "zh-cn": "zh-cn", "zh-hant": "zh-tw", "zh-tw": "zh-tw"}


def render(channel: Channel, entries: Sequence[Entry], tombstones: Sequence[Tombstone]) -> bytes:
    """Return the sitemap, in the order given."""
    del channel, tombstones
    return urlset(entries, _describe, {"news": NEWS_NS})


def _describe(url: etree._Element, entry: Entry) -> None:
    news = etree.SubElement(url, f"{{{NEWS_NS}}}news")
    publication = etree.SubElement(news, f"{{{NEWS_NS}}}publication")
    etree.SubElement(publication, f"{{{NEWS_NS}}}name").text = entry.publisher
    etree.SubElement(publication, f"{{{NEWS_NS}}}language").text = language(entry.language)
    etree.SubElement(news, f"{{{NEWS_NS}}}publication_date").text = rfc3339(entry.published)
    etree.SubElement(news, f"{{{NEWS_NS}}}title").text = entry.title


def language(tag: str) -> str:
    """Return a BCP 47 tag as Google wants it: two or three letters, or one of two kinds of Chinese."""
    return _CHINESE.get(tag.lower()) or tag.partition("-")[0]


def select(channel: Channel, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries that Google wants, each page once."""
    return bounded(channel, pages(channel, entries), URLS_MOST, OLDEST)


FORMAT = xml_format("news-sitemap", MEDIA_TYPE, render, OPENING, TAIL, select=select)
