"""The checks of all formats, in two tables, and the functions that run them.

`check_feed` and `check_article` return what is wrong with a document; an empty list if it may be published. They read
its bytes alone, so they judge our documents and anybody's. Each finding says who asks for the rule (`Finding.source`):
the standard, a partner, a registry or the house. The house's rules are only for our own documents (`ours`). Languages
and UUIDs that no registry lists are reported in documents of others only: ours have them from the newsroom, and no news
is held back for a code.

A format that the newsroom defines itself brings its rules along (`Own.check`).

`check_channel` and `check_entry` check the parts of a feed document: what a feed says of itself, and one article.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from feeds.entry import Channel
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import ArticleFormat, FeedFormat
from feeds.validation.applenews import apple_news
from feeds.validation.atom import atom
from feeds.validation.finding import SCHEMA_RULE, Finding, Findings
from feeds.validation.iptc import newsmlg2, nitf
from feeds.validation.jsonfeed import json_feed
from feeds.validation.native import native
from feeds.validation.newsml12 import newsml12
from feeds.validation.ninjs import ninjs16, ninjs22, ninjs31
from feeds.validation.partners import apple_news_rss, flipboard_feed, media_rss, msn_feed, smart_news
from feeds.validation.rss import rss
from feeds.validation.sitemap import news_sitemap, sitemap
from feeds.validation.texts import html_page, plain_text
from feeds.validation.wires import anpa1312, iptc7901

Check = Callable[[bytes], Findings]

FEED_CHECKS: Mapping[str, Check] = {
    "rss": rss,
    "atom": atom,
    "json": json_feed,
    "smartnews": smart_news,
    "msn": msn_feed,
    "flipboard": flipboard_feed,
    "applenews-rss": apple_news_rss,
    "mrss": media_rss,
    "news-sitemap": news_sitemap,
    "sitemap": sitemap,
}
ARTICLE_CHECKS: Mapping[str, Check] = {
    "json": native,
    "ninjs31": ninjs31,
    "ninjs22": ninjs22,
    "ninjs16": ninjs16,
    "newsmlg2": newsmlg2,
    "newsml12": newsml12,
    "nitf": nitf,
    "iptc7901": iptc7901,
    "anpa1312": anpa1312,
    "html": html_page,
    "text": plain_text,
    "applenews": apple_news,
}


def check_feed(format_name: str, document: bytes, *, ours: bool = False) -> list[Finding]:
    """Return what is wrong with a feed document. Raises ValueError for an unknown format."""
    return _check(FEED_FORMATS.get(format_name), FEED_CHECKS, "feed", format_name, document, ours=ours)


def check_channel(feed_format: FeedFormat, channel: Channel) -> list[Finding]:
    """Return what is wrong with what a feed says of itself in a format.

    The newsroom's schema judges no feed without an article: it may ask for one.
    """
    return [finding for finding in _of_channel(feed_format, channel) if finding.rule != SCHEMA_RULE]


def check_entry(feed_format: FeedFormat, channel: Channel, fragment: bytes) -> list[Finding]:
    """Return what is wrong with one entry, in a document of this entry alone; faults of the channel are left out."""
    document = feed_format.envelope(channel, ()).around([fragment])
    findings = _check(feed_format, FEED_CHECKS, "feed", feed_format.name, document, ours=True)
    if not findings:
        return findings
    of_channel = {(finding.rule, finding.reason) for finding in _of_channel(feed_format, channel)}
    return [finding for finding in findings if (finding.rule, finding.reason) not in of_channel]


def _of_channel(feed_format: FeedFormat, channel: Channel) -> list[Finding]:
    document = feed_format.envelope(channel, ()).around([])
    return _check(feed_format, FEED_CHECKS, "feed", feed_format.name, document, ours=True)


def check_article(format_name: str, document: bytes, *, ours: bool = False) -> list[Finding]:
    """Return what is wrong with the document of one article. Raises ValueError for an unknown format."""
    return _check(ARTICLE_FORMATS.get(format_name), ARTICLE_CHECKS, "article", format_name, document, ours=ours)


def _check(
    judged: FeedFormat | ArticleFormat | None,
    checks: Mapping[str, Check],
    kind: str,
    format_name: str,
    document: bytes,
    *,
    ours: bool,
) -> list[Finding]:
    try:
        check = judged.own.check if judged is not None and judged.own else checks[format_name]
    except KeyError:
        raise ValueError(f"there is no {kind} format {format_name!r}; known: {', '.join(checks)}") from None
    ignored_source = "registry" if ours else "house"
    return [finding for finding in check(document) if finding.source != ignored_source]
