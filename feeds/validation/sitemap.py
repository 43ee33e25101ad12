"""The rules of sitemaps (https://www.sitemaps.org/protocol.html) and of Google's news sitemap."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import datetime

from feeds.formats import newssitemap
from feeds.formats.profile import AHEAD
from feeds.formats.sitemap import SITEMAP_NS, XHTML_NS
from feeds.validation import values
from feeds.validation.finding import Finding, Findings
from feeds.validation.xml import Element, address, at, editions, moment, read_root, required, text, unique

_S, _N, _X = f"{{{SITEMAP_NS}}}", f"{{{newssitemap.NEWS_NS}}}", f"{{{XHTML_NS}}}"
_NEWS_LANGUAGE = re.compile(r"[a-z]{2,3}|zh-cn|zh-tw")
URLS_MOST = 50_000
BYTES_MOST = 50 * 1024 * 1024


def sitemap(document: bytes) -> Findings:
    """Check what every sitemap must be."""
    yield from _urlset(document, URLS_MOST)


def _urlset(document: bytes, most: int) -> Generator[Finding, None, Element | None]:
    """Check a sitemap of at most so many addresses; return its root, None if the document cannot be judged."""
    if len(document) > BYTES_MOST:
        yield Finding(None, "sitemap.size", f"must have at most {BYTES_MOST} bytes, has {len(document)}")
        return None
    root = yield from read_root(document, "sitemap", "must be a urlset", f"{_S}urlset")
    if root is None:
        return None
    urls = root.findall(f"{_S}url")
    if len(urls) > most:
        yield at(root, "sitemap.urls", f"must have at most {most} addresses, has {len(urls)}")
    yield from unique(urls, [text(url, f"{_S}loc") for url in urls], "sitemap.loc.unique")
    for url in urls:
        yield from address(url, text(url, f"{_S}loc"), "sitemap.loc")
        if isinstance(changed := moment(url, f"{_S}lastmod", "sitemap.lastmod"), Finding):
            yield changed
        yield from _editions(url)
    return root


def _editions(url: Element) -> Findings:
    links = [link for link in url.iterfind(f"{_X}link") if link.get("rel") == "alternate"]
    for link in links:
        yield from address(link, link.get("href"), "sitemap.alternate")
    yield from editions([link for link in links if link.get("hreflang") != "x-default"], "sitemap.alternate")
    if links and text(url, f"{_S}loc") not in {link.get("href") for link in links}:
        yield at(url, "sitemap.alternate.self", "a page that names its editions must name itself among them")


def news_sitemap(document: bytes) -> Findings:
    """Check what Google asks for. Two days are measured between its articles: the document itself has no date."""
    root = yield from _urlset(document, newssitemap.URLS_MOST)
    if root is None:
        return
    dates: list[datetime] = []
    for url in root.iterfind(f"{_S}url"):
        news = url.find(f"{_N}news")
        if news is None:
            yield at(url, "news-sitemap.news", "url must have news:news")
            continue
        yield from _news(news)
        if isinstance(published := moment(news, f"{_N}publication_date", "news-sitemap.date"), Finding):
            yield published
        elif published is not None:
            dates.append(published)
    if dates and max(dates) - min(dates) > newssitemap.OLDEST + AHEAD:
        yield at(root, "news-sitemap.age", f"must have articles of {values.days(newssitemap.OLDEST)} alone")


def _news(news: Element) -> Findings:
    publication = f"{_N}publication"
    yield from required(
        news,
        "news-sitemap",
        f"{publication}/{_N}name",
        f"{publication}/{_N}language",
        f"{_N}publication_date",
        f"{_N}title",
    )
    language = text(news, f"{publication}/{_N}language")
    if language and not _NEWS_LANGUAGE.fullmatch(language):
        yield at(news, "news-sitemap.language", f"language {language!r} must be two or three letters, zh-cn or zh-tw")
