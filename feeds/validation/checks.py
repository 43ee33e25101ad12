"""The gate: what a document must be before it is published or pushed.

`check_feed` and `check_article` return what is wrong with a document, nothing if it may leave. They look at its bytes
alone, so they judge ours and anybody's. Each finding says whose rule it is (`Finding.source`): the standard's, a
partner's, or the house's, which only what is `ours` must keep. A language or a UUID that nobody gave out is no fault of
ours: the newsroom says it so, and no news is kept back for it.

Of the parts of a feed document the same is asked by `check_channel`, what a feed says of itself, and `check_entry`, one
article.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from feeds.entry import Channel
from feeds.formats.interface import FeedFormat
from feeds.validation.applenews import apple_news
from feeds.validation.atom import atom
from feeds.validation.finding import Finding, Findings
from feeds.validation.iptc import newsmlg2, nitf
from feeds.validation.jsonfeed import json_feed
from feeds.validation.native import native
from feeds.validation.ninjs import ninjs16, ninjs22, ninjs31
from feeds.validation.partners import apple_news_rss, flipboard_feed, msn_feed, smart_news
from feeds.validation.rss import rss
from feeds.validation.sitemap import news_sitemap, sitemap

Check = Callable[[bytes], Findings]

FEED_CHECKS: Mapping[str, Check] = {
    "rss": rss,
    "atom": atom,
    "json": json_feed,
    "smartnews": smart_news,
    "msn": msn_feed,
    "flipboard": flipboard_feed,
    "applenews-rss": apple_news_rss,
    "news-sitemap": news_sitemap,
    "sitemap": sitemap,
}
ARTICLE_CHECKS: Mapping[str, Check] = {
    "json": native,
    "ninjs31": ninjs31,
    "ninjs22": ninjs22,
    "ninjs16": ninjs16,
    "newsmlg2": newsmlg2,
    "nitf": nitf,
    "applenews": apple_news,
}


def check_feed(format_name: str, document: bytes, *, ours: bool = False) -> list[Finding]:
    """Return what is wrong with a feed document. Raises ValueError for a format that is not known."""
    return _check(FEED_CHECKS, "feed", format_name, document, ours=ours)


def check_channel(feed_format: FeedFormat, channel: Channel) -> list[Finding]:
    """Return what is wrong with what a feed says of itself in a format."""
    return check_feed(feed_format.name, feed_format.envelope(channel, ()).around([]), ours=True)


def check_entry(feed_format: FeedFormat, channel: Channel, fragment: bytes) -> list[Finding]:
    """Return what is wrong with one entry, as a document that has it alone shows it; the channel's faults aside."""
    findings = check_feed(feed_format.name, feed_format.envelope(channel, ()).around([fragment]), ours=True)
    if not findings:
        return findings
    channels = {(finding.rule, finding.reason) for finding in check_channel(feed_format, channel)}
    return [finding for finding in findings if (finding.rule, finding.reason) not in channels]


def check_article(format_name: str, document: bytes, *, ours: bool = False) -> list[Finding]:
    """Return what is wrong with the document of one article. Raises ValueError for a format that is not known."""
    return _check(ARTICLE_CHECKS, "article", format_name, document, ours=ours)


def _check(checks: Mapping[str, Check], kind: str, format_name: str, document: bytes, *, ours: bool) -> list[Finding]:
    try:
        check = checks[format_name]
    except KeyError:
        raise ValueError(f"there is no {kind} format {format_name!r}; known: {', '.join(checks)}") from None
    others = "registry" if ours else "house"
    return [finding for finding in check(document) if finding.source != others]
