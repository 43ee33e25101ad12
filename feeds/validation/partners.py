"""The rules of each partner's profile of RSS 2.0: what it asks for beyond the standard, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from lxml import html

from feeds.formats import flipboard, msn, smartnews
from feeds.formats.extensions import ATOM_NS, MEDIA_NS
from feeds.formats.profile import AHEAD
from feeds.formats.rss import DC_NS
from feeds.text import text_of
from feeds.validation import values
from feeds.validation.finding import Finding, Findings, partner
from feeds.validation.rss import CONTENT, check_rss
from feeds.validation.xml import Element, at, moment, required, text

_ATOM, _DC, _MEDIA = f"{{{ATOM_NS}}}", f"{{{DC_NS}}}", f"{{{MEDIA_NS}}}"
_TERMS = f"{{{msn.DCTERMS_NS}}}"

MSN_TITLE_LEAST, MSN_TITLE_MOST = 21, 150
"""Characters: "more than 20", "not exceed 150"."""


def _profile(
    document: bytes, check_channel: Callable[[Element], Findings], check_item: Callable[[Element, Element], Findings]
) -> Findings:
    """Check what every RSS document must be, and what the partner asks of the channel and of each item."""
    channel = yield from check_rss(document)
    if channel is None:
        return
    yield from partner(check_channel(channel))
    for item in channel.findall("item"):
        yield from partner(check_item(channel, item))


def smart_news(document: bytes) -> Findings:
    """Check a feed in SmartFormat 2.1."""
    if len(document) > smartnews.BYTES_MOST:
        yield Finding(None, "smartnews.size", f"must have at most {smartnews.BYTES_MOST} bytes, has {len(document)}")
    yield from _profile(document, _smartnews_channel, _smartnews_item)


def _smartnews_channel(channel: Element) -> Findings:
    yield from required(channel, "smartnews.channel", "pubDate", "language")
    yield from required(channel, "smartnews.channel", f"{{{smartnews.SNF_NS}}}logo")
    if len(description := text(channel, "description")) > smartnews.DESCRIPTION_MOST:
        yield at(
            channel,
            "smartnews.channel.description",
            f"description must have at most {smartnews.DESCRIPTION_MOST} characters, has {len(description)}",
        )


def _smartnews_item(channel: Element, item: Element) -> Findings:
    del channel
    yield from required(item, "smartnews.item", "title", "link", "pubDate", "description")
    link = urlsplit(text(item, "link")) if values.url(text(item, "link")) else None
    if link and any(part.startswith("utm_") for part in link.query.split("&")):
        yield at(item, "smartnews.item.link", "link must be canonical, without utm_ parameters")
    if any(status.get("state") == "deleted" for status in item.iterfind(f"{_MEDIA}status")):
        return
    yield from required(item, "smartnews.item", CONTENT, f"{_DC}creator")
    if item.find(f"{_MEDIA}thumbnail") is None:
        yield at(item, "smartnews.item.thumbnail", "item must have media:thumbnail")


def msn_feed(document: bytes) -> Findings:
    """Check a feed for MSN Partner Hub."""
    yield from _profile(document, _msn_channel, _msn_item)


def _msn_channel(channel: Element) -> Findings:
    yield from required(channel, "msn.channel", "lastBuildDate")
    current = [item for item in channel.findall("item") if item.find(f"{_TERMS}valid") is None]
    if len(current) > msn.ITEMS_MOST:
        yield at(channel, "msn.items", f"must have about {msn.ITEMS_MOST} items, has {len(current)}")


def _msn_item(channel: Element, item: Element) -> Findings:
    yield from required(item, "msn.item", "title", "link", "pubDate", f"{_TERMS}modified")
    title = text(item, "title")
    if item.find(f"{_TERMS}valid") is None:
        if not MSN_TITLE_LEAST <= len(title) <= MSN_TITLE_MOST:
            reason = f"title must have {MSN_TITLE_LEAST} to {MSN_TITLE_MOST} characters, has {len(title)}"
            yield at(item, "msn.item.title", reason)
        yield from required(item, "msn.item", CONTENT)
    yield from _age(channel, item)
    if text(item, "link").startswith("http:"):
        yield at(item, "msn.item.link", "link must begin with https://")
    yield from _msn_html(item)


def _age(channel: Element, item: Element) -> Findings:
    """The item must be published before the last change of the feed, and not too long before."""
    built = moment(channel, "lastBuildDate", "", values.rfc822)
    published = moment(item, "pubDate", "", values.rfc822)
    if not isinstance(built, datetime) or not isinstance(published, datetime):
        return
    if published > built + AHEAD:
        yield at(item, "msn.item.pubDate", "pubDate must not lie after the feed's last change")
    if built - published >= msn.OLDEST:
        yield at(item, "msn.item.pubDate", f"pubDate must be less than {values.days(msn.OLDEST)} old")


def _msn_html(item: Element) -> Findings:
    body = text(item, CONTENT)
    if not body:
        return
    for element in html.fragment_fromstring(body, create_parent="article").iterdescendants():
        if not isinstance(element.tag, str) or element.tag not in msn.TAGS:
            yield at(item, "msn.item.html", f"the text must not have <{element.tag}>")
        source = element.get("src")
        if source is not None and not values.url(source, "https"):
            yield at(item, "msn.item.html", f"the picture {source!r} must have an absolute https address")


def flipboard_feed(document: bytes) -> Findings:
    """Check a feed by Flipboard's RSS guidelines; not that it has 20 items, which a young feed cannot have."""
    yield from _profile(document, _flipboard_channel, _flipboard_item)


def _flipboard_channel(channel: Element) -> Findings:
    if not any(link.get("rel") == "hub" for link in channel.iterfind(f"{_ATOM}link")):
        yield at(channel, "flipboard.channel.hub", "channel must have a link to its hub")
    if (count := len(channel.findall("item"))) > flipboard.ITEMS_MOST:
        yield at(channel, "flipboard.items", f"must have at most {flipboard.ITEMS_MOST} items, has {count}")


def _flipboard_item(channel: Element, item: Element) -> Findings:
    del channel
    yield from required(item, "flipboard.item", "title", "link", "pubDate", f"{_DC}creator", CONTENT)
    description = text_of(text(item, "description"))
    if len(description) < flipboard.DESCRIPTION_LEAST:
        reason = f"description must have at least {flipboard.DESCRIPTION_LEAST} characters, has {len(description)}"
        yield at(item, "flipboard.item.description", reason)
    pictures = [picture.get("url") for picture in item.iterfind("enclosure")]
    if not pictures:
        yield at(item, "flipboard.item.enclosure", f"item must have a picture of {flipboard.PICTURE_LEAST} px or more")
    for content in item.iterfind(f"{_MEDIA}content"):
        if content.get("url") in pictures:
            for side in ("width", "height"):
                pixels = content.get(side) or ""
                if pixels.isascii() and pixels.isdecimal() and int(pixels) < flipboard.PICTURE_LEAST:
                    reason = f"the picture's {side} must be at least {flipboard.PICTURE_LEAST} px, is {pixels}"
                    yield at(content, "flipboard.item.enclosure", reason)


def apple_news_rss(document: bytes) -> Findings:
    """Check a feed for Apple News from RSS."""
    yield from _profile(document, _apple_news_channel, _apple_news_item)


def _apple_news_channel(channel: Element) -> Findings:
    subtags = text(channel, "language").split("-")
    if len(subtags) < 2 or not (len(subtags[-1]) == 2 and subtags[-1].isalpha()):
        yield at(channel, "applenews-rss.channel.language", "language must name its country, as in ar-SA")


def _apple_news_item(channel: Element, item: Element) -> Findings:
    del channel
    yield from required(item, "applenews-rss.item", "title", "link", "description")


def media_rss(document: bytes) -> Findings:
    """Check a feed of Media RSS."""
    yield from _profile(document, lambda _: iter(()), _media_item)


def _media_item(channel: Element, item: Element) -> Findings:
    """A title, and pictures that say what they are, unless the item says that it is deleted."""
    del channel
    if any(status.get("state") == "deleted" for status in item.iterfind(f"{_MEDIA}status")):
        return
    yield from required(item, "mrss.item", f"{_MEDIA}title")
    for content in item.iter(f"{_MEDIA}content"):
        if not content.get("medium") and not content.get("type"):
            yield at(content, "mrss.item.content", "media:content must have medium or type")
