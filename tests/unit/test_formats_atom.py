"""What Atom 1.0 says, and that its schema agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from feeds.article import Alternate, Image
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats import FEED_FORMATS

ATOM = FEED_FORMATS["atom"]
SCHEMA = Path(__file__).parents[3] / "shared" / "schemas" / "atom" / "atom-rfc4287.rng"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
CHANNEL = Channel(
    id="tag:e.example,2026:feed/latest",
    title="Latest",
    description="What is new",
    language="en",
    publisher="Harbour Herald",
    home_url="https://e.example/",
    self_url="https://e.example/feeds/latest.atom",
    hub_url="https://e.example/hub",
    updated=NOON,
)
ENTRY = Entry(
    id="tag:e.example,2026:article/hh-1",
    title="A & B",
    url="https://e.example/a",
    summary="At last",
    html="<p>Text</p>",
    language="ar",
    section="world",
    subjects=("sea",),
    authors=("Mara Ellingsen", "Tom Adeyi"),
    images=(Image(url="https://e.example/a.jpg", width=1600, height=900, caption="Quay", credit="Rosa Lindqvist"),),
    published=NOON,
    updated=datetime(2026, 3, 5, 12, tzinfo=UTC),
    rights="© Harbour Herald",
    article_id="hh-1",
    version=1,
)
STONE = Tombstone("tag:gone", NOON)
NS = {
    "": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "media": "http://search.yahoo.com/mrss/",
}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def feed_of(*entries: Entry, stones: tuple[Tombstone, ...] = ()) -> etree._Element:
    return etree.fromstring(ATOM.render(CHANNEL, entries, stones))


def texts(element: etree._Element, path: str) -> list[str | None]:
    return [found.text for found in element.iterfind(path, NS)]


def links(element: etree._Element) -> list[dict[Any, Any]]:
    return [dict(link.items()) for link in element.iterfind("link", NS)]


def test_the_feed() -> None:
    feed = feed_of()
    assert texts(feed, "id") == ["tag:e.example,2026:feed/latest"]
    assert texts(feed, "title") == ["Latest"]
    assert texts(feed, "subtitle") == ["What is new"]
    assert texts(feed, "updated") == ["2026-03-04T12:00:00+00:00"]
    assert texts(feed, "author/name") == ["Harbour Herald"]
    assert texts(feed, "generator") == ["Dateline"]
    assert feed.get(LANG) == "en"
    assert links(feed) == [
        {"href": "https://e.example/feeds/latest.atom", "rel": "self", "type": "application/atom+xml"},
        {"href": "https://e.example/hub", "rel": "hub"},
        {"href": "https://e.example/", "rel": "alternate"},
    ]


def test_an_entry() -> None:
    [entry] = feed_of(ENTRY).iterfind("entry", NS)
    assert texts(entry, "id") == ["tag:e.example,2026:article/hh-1"]
    assert texts(entry, "title") == ["A & B"]
    assert texts(entry, "summary") == ["At last"]
    assert texts(entry, "content") == ["<p>Text</p>"]
    assert [content.get("type") for content in entry.iterfind("content", NS)] == ["html"]
    assert texts(entry, "author/name") == ["Mara Ellingsen", "Tom Adeyi"]
    assert [category.get("term") for category in entry.iterfind("category", NS)] == ["world", "sea"]
    assert texts(entry, "published") == ["2026-03-04T12:00:00+00:00"]
    assert texts(entry, "updated") == ["2026-03-05T12:00:00+00:00"]
    assert texts(entry, "rights") == ["© Harbour Herald"]
    assert entry.get(LANG) == "ar"
    assert links(entry) == [
        {"href": "https://e.example/a", "rel": "alternate"},
        {"href": "https://e.example/a.jpg", "rel": "enclosure", "type": "image/jpeg"},
    ]
    assert texts(entry, "media:content/media:title") == ["Quay"]
    assert texts(entry, "media:content/media:credit") == ["Rosa Lindqvist"]


def test_other_editions_are_alternates_between_two_of_the_entry_itself() -> None:
    said = replace(ENTRY, images=(), alternates=(Alternate(edition="tr", url="https://e.example/tr/a"),))
    [entry] = feed_of(said).iterfind("entry", NS)
    assert links(entry) == [
        {"href": "https://e.example/a", "rel": "alternate"},
        {"href": "https://e.example/tr/a", "rel": "alternate", "type": "text/html", "hreflang": "tr"},
        {"href": "https://e.example/a", "rel": "alternate", "type": "text/html", "hreflang": "ar"},
    ]


def test_what_an_article_does_not_say_is_not_there() -> None:
    bare = replace(ENTRY, summary="", html="", authors=(), section="", subjects=(), images=(), rights="")
    [entry] = feed_of(bare).iterfind("entry", NS)
    said = [etree.QName(element).localname for element in entry]
    assert said == ["id", "title", "updated", "link", "published"]


def test_tombstones_stand_before_the_entries() -> None:
    feed = feed_of(ENTRY, stones=(STONE,))
    assert [etree.QName(element).localname for element in feed][-2:] == ["deleted-entry", "entry"]
    assert dict(feed[-2].items()) == {"ref": "tag:gone", "when": "2026-03-04T12:00:00+00:00"}


def test_an_entry_declares_no_namespace_of_its_own() -> None:
    assert b"xmlns" not in ATOM.fragment(ENTRY)


@pytest.mark.skipif(not SCHEMA.is_file(), reason=f"the schema is not there: {SCHEMA}")
@pytest.mark.parametrize("stones", [(), (STONE, STONE)])
@pytest.mark.parametrize(
    "entries", [(), (ENTRY,), (replace(ENTRY, summary="", html="", authors=(), images=(), rights=""), ENTRY)]
)
def test_the_schema_agrees(entries: tuple[Entry, ...], stones: tuple[Tombstone, ...]) -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    schema.assertValid(feed_of(*entries, stones=stones))
    archive = replace(
        CHANNEL, older_url="https://e.example/1", newer_url="https://e.example/3", current_url="https://e.example"
    )
    schema.assertValid(etree.fromstring(ATOM.render(archive, entries, ())))
