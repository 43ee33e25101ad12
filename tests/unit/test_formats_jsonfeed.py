"""What JSON Feed 1.1 says, and that its schema agrees."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from feeds.article import Image
from feeds.entry import Channel, Entry, Tombstone
from feeds.formats import FEED_FORMATS

JSON = FEED_FORMATS["json"]
SCHEMA = Path(__file__).parents[3] / "shared" / "schemas" / "jsonfeed" / "sonicdoe-schema-v1.1.json"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
CHANNEL = Channel(
    id="tag:e.example,2026:feed/latest",
    title="أخبار",
    description="What is new",
    language="ar",
    publisher="Harbour Herald",
    home_url="https://e.example/",
    self_url="https://e.example/feeds/latest.json",
    hub_url="https://e.example/hub",
    updated=NOON,
)
ENTRY = Entry(
    id="tag:e.example,2026:article/hh-1",
    title="A & B",
    url="https://e.example/a",
    summary="At last",
    html="<p>Text</p>",
    language="en",
    section="world",
    subjects=("sea",),
    authors=("Mara Ellingsen",),
    images=(Image(url="https://e.example/a.jpg"), Image(url="https://e.example/b.jpg")),
    published=NOON,
    updated=datetime(2026, 3, 5, 12, tzinfo=UTC),
    rights="",
    article_id="hh-1",
    version=3,
)
STONE = Tombstone("tag:gone", NOON)


def items(*entries: Entry) -> Any:
    return json.loads(JSON.render(CHANNEL, entries, []))["items"]


def test_the_feed() -> None:
    assert json.loads(JSON.render(CHANNEL, [], [])) == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "أخبار",
        "home_page_url": "https://e.example/",
        "feed_url": "https://e.example/feeds/latest.json",
        "description": "What is new",
        "language": "ar",
        "authors": [{"name": "Harbour Herald"}],
        "hubs": [{"type": "WebSub", "url": "https://e.example/hub"}],
        "items": [],
    }


def test_an_item() -> None:
    assert items(ENTRY) == [
        {
            "id": "tag:e.example,2026:article/hh-1",
            "url": "https://e.example/a",
            "title": "A & B",
            "content_html": "<p>Text</p>",
            "summary": "At last",
            "image": "https://e.example/a.jpg",
            "date_published": "2026-03-04T12:00:00+00:00",
            "date_modified": "2026-03-05T12:00:00+00:00",
            "authors": [{"name": "Mara Ellingsen"}],
            "tags": ["world", "sea"],
            "language": "en",
            "_dateline": {"version": 3},
        }
    ]


def test_an_item_without_html_has_text() -> None:
    [item] = items(replace(ENTRY, html=""))
    assert item["content_text"] == "At last"
    assert "content_html" not in item


def test_an_item_says_only_what_the_article_says() -> None:
    [item] = items(replace(ENTRY, html="", summary="", authors=(), section="", subjects=(), images=()))
    assert item["content_text"] == ""
    assert item.keys().isdisjoint({"summary", "image", "authors", "tags"})


def test_what_is_gone_stands_after_what_is_there() -> None:
    document = json.loads(JSON.render(CHANNEL, [ENTRY], [STONE]))
    assert document["_dateline"] == {"deleted": [{"id": "tag:gone", "when": "2026-03-04T12:00:00+00:00"}]}
    assert len(document["items"]) == 1


@pytest.mark.parametrize(("killed", "word"), [(True, "canceled"), (False, "withdrawn")])
def test_a_notice_stands_in_the_place_of_what_readers_had(killed: bool, word: str) -> None:
    stone = replace(STONE, notice=replace(ENTRY, title="It is gone.", html="<p>It is gone.</p>"), killed=killed)
    [_, item] = json.loads(JSON.render(CHANNEL, [ENTRY], [stone]))["items"]
    assert (ENTRY.id, "It is gone.", "<p>It is gone.</p>") == (item["id"], item["title"], item["content_html"])
    assert item["_dateline"] == {word: True}


def test_the_document_is_compact_utf_8() -> None:
    document = JSON.render(CHANNEL, [ENTRY], [])
    assert "أخبار".encode() in document
    assert document == json.dumps(json.loads(document), ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.skipif(not SCHEMA.is_file(), reason=f"the schema is not there: {SCHEMA}")
@pytest.mark.parametrize(
    ("entries", "stones"),
    [
        ((), ()),
        ((ENTRY,), ()),
        ((), (STONE,)),
        ((replace(ENTRY, html="", summary="", authors=(), images=()),), (STONE, STONE)),
    ],
)
def test_the_schema_agrees(entries: tuple[Entry, ...], stones: tuple[Tombstone, ...]) -> None:
    jsonschema.validate(json.loads(JSON.render(CHANNEL, entries, stones)), json.loads(SCHEMA.read_text("utf-8")))
