"""What RSS 2.0 says, and where."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from feeds.article import Alternate, Image
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats import FEED_FORMATS
from feeds.formats.rss import EXCERPT_CHARACTERS

RSS = FEED_FORMATS["rss"]
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
CHANNEL = Channel(
    id="tag:e.example,2026:feed/latest",
    title="Latest",
    description="What is new",
    language="en",
    publisher="Harbour Herald",
    home_url="https://e.example/",
    self_url="https://e.example/feeds/latest.rss",
    hub_url="https://e.example/hub",
    updated=NOON,
)
NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}


def an_entry(**fields: Any) -> Entry:
    said: dict[str, Any] = {
        "id": "tag:e.example,2026:article/hh-1",
        "title": "Ferries return",
        "url": "https://e.example/a",
        "summary": "At last",
        "html": "<p>Text</p>",
        "language": "en",
        "section": "world",
        "subjects": ("sea",),
        "authors": ("Mara Ellingsen", "Tom Adeyi"),
        "images": (),
        "published": NOON,
        "updated": datetime(2026, 3, 5, 12, tzinfo=UTC),
        "rights": "",
        "article_id": "hh-1",
        "version": 1,
    }
    return Entry(**(said | fields))


def channel_of(*entries: Entry, channel: Channel = CHANNEL, stones: tuple[Tombstone, ...] = ()) -> etree._Element:
    return etree.fromstring(RSS.render(channel, entries, stones))[0]


def item_of(**fields: Any) -> etree._Element:
    item = channel_of(an_entry(**fields)).find("item")
    assert item is not None
    return item


def texts(element: etree._Element, path: str) -> list[str | None]:
    return [found.text for found in element.iterfind(path, NS)]


def test_the_channel() -> None:
    channel = channel_of()
    assert texts(channel, "title") == ["Latest"]
    assert texts(channel, "link") == ["https://e.example/"]
    assert texts(channel, "description") == ["What is new"]
    assert texts(channel, "language") == ["en"]
    assert texts(channel, "lastBuildDate") == ["Wed, 04 Mar 2026 12:00:00 GMT"]
    assert texts(channel, "generator") == ["Dateline"]
    links = {link.get("rel"): link.get("href") for link in channel.iterfind("atom:link", NS)}
    assert links == {"self": "https://e.example/feeds/latest.rss", "hub": "https://e.example/hub"}


def test_a_channel_without_description_says_its_title() -> None:
    assert texts(channel_of(channel=replace(CHANNEL, description="")), "description") == ["Latest"]


def test_an_item() -> None:
    item = item_of()
    assert texts(item, "title") == ["Ferries return"]
    assert texts(item, "link") == ["https://e.example/a"]
    assert texts(item, "description") == ["At last"]
    assert texts(item, "content:encoded") == ["<p>Text</p>"]
    assert texts(item, "category") == ["world", "sea"]
    assert texts(item, "pubDate") == ["Wed, 04 Mar 2026 12:00:00 GMT"]
    assert texts(item, "atom:updated") == ["2026-03-05T12:00:00+00:00"]
    assert texts(item, "dc:creator") == ["Mara Ellingsen", "Tom Adeyi"]
    assert texts(item, "dc:language") == ["en"]
    assert texts(item, "author") == []
    assert texts(item, "dc:rights") == []
    [guid] = item.iterfind("guid")
    assert guid.text == "tag:e.example,2026:article/hh-1"
    assert guid.get("isPermaLink") == "false"
    tags = [element.tag for element in item]
    assert tags.index("description") < tags.index(f"{{{NS['content']}}}encoded")


def test_rights_are_said_where_there_are_some() -> None:
    assert texts(item_of(rights="© Harbour Herald"), "dc:rights") == ["© Harbour Herald"]


def test_a_plain_summary_is_said_as_html() -> None:
    said = "5 <b 6 & 'so' > \"it\""
    [description] = texts(item_of(summary=said), "description")
    assert description == "5 &lt;b 6 &amp; 'so' &gt; \"it\""
    assert html.unescape(description) == said


def test_without_summary_the_description_is_the_text() -> None:
    assert texts(item_of(summary=""), "description") == ["Text"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("word " * 100, ("word " * 60).strip() + "…"),
        ("字" * 400, "字" * EXCERPT_CHARACTERS + "…"),
        ("x" * EXCERPT_CHARACTERS, "x" * EXCERPT_CHARACTERS),
        ("\u2067" + "word " * 100 + "\u2069", "\u2067" + ("word " * 59).strip() + "\u2069…"),
        # Without spaces it is cut between characters as people see them: here of 7 each, and of 5 in an isolate.
        ("👨\u200d👩\u200d👧\u200d👦" * 50, "👨\u200d👩\u200d👧\u200d👦" * 42 + "…"),
        ("\u2067" + "ل\u064e\u0651ي\u0651" * 100, "\u2067" + "ل\u064e\u0651ي\u0651" * 59 + "ل\u064e\u0651\u2069…"),
    ],
)
def test_a_long_text_is_cut_at_a_word(words: str, expected: str) -> None:
    assert texts(item_of(summary="", html=f"<p>{words}</p>"), "description") == [expected]


def test_a_text_without_words_is_its_own_description() -> None:
    item = item_of(summary="", html='<img src="https://e.example/a.jpg">')
    assert texts(item, "description") == ['<img src="https://e.example/a.jpg">']


def test_an_item_of_nothing_but_a_headline() -> None:
    item = item_of(summary="", html="", authors=(), section="", subjects=())
    assert texts(item, "description") == []
    assert texts(item, "content:encoded") == []


def test_pictures_stand_alone_with_caption_and_credit() -> None:
    first = Image(url="https://e.example/a.jpg", width=1600, height=900, caption="A & B", credit="Rosa Lindqvist")
    item = item_of(images=(first, Image(url="https://e.example/b.webp", type="image/webp")))
    assert [dict(content.items()) for content in item.iterfind("media:content", NS)] == [
        {"url": "https://e.example/a.jpg", "type": "image/jpeg", "medium": "image", "width": "1600", "height": "900"},
        {"url": "https://e.example/b.webp", "type": "image/webp", "medium": "image"},
    ]
    assert texts(item, "media:content/media:title") == ["A & B"]
    assert texts(item, "media:content/media:credit") == ["Rosa Lindqvist"]


def test_other_editions_are_links_beside_the_items_own() -> None:
    item = item_of(alternates=(Alternate(edition="ar", url="https://e.example/ar/a"),))
    assert texts(item, "link") == ["https://e.example/a"]
    assert [dict(link.items()) for link in item.iterfind("atom:link", NS)] == [
        {"href": "https://e.example/a", "rel": "alternate", "type": "text/html", "hreflang": "en"},
        {"href": "https://e.example/ar/a", "rel": "alternate", "type": "text/html", "hreflang": "ar"},
        {"href": "https://e.example/a", "rel": "alternate", "type": "text/html"},
    ]


def test_tombstones_stand_before_the_items() -> None:
    channel = channel_of(an_entry(), stones=(Tombstone("tag:gone", NOON),))
    assert [element.tag for element in channel][-2:] == [f"{{{NS['at']}}}deleted-entry", "item"]
    assert dict(channel[-2].items()) == {"ref": "tag:gone", "when": "2026-03-04T12:00:00+00:00"}


def test_an_item_declares_no_namespace_of_its_own() -> None:
    assert b"xmlns" not in RSS.fragment(an_entry(images=(Image(url="https://e.example/a.jpg", credit="R"),)))
