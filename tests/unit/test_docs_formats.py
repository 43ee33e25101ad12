"""docs/formats.md says what the code does: which formats there are, and which field of an article reaches which."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feeds.article import Alternate, Article, Image
from feeds.entry import Channel, entry
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.interface import Provider

DOCUMENT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PROVIDER = Provider("harbour-herald.example,2026", "Harbour Herald")
CHANNEL = Channel(*("https://e.example/",) * 8, updated=NOON)
ARTICLE: dict[str, Any] = {
    "id": "hh-1",
    "version": 1,
    "edition": "en",
    "headline": "Ferries return",
    "summary": "At last",
    "url": "https://e.example/a",
    "body_html": "<p>Text</p>",
    "alternates": (Alternate(edition="ar", url="https://e.example/ar/a"),),
    "section": "world",
    "subjects": ("sea",),
    "authors": ("Mara Ellingsen",),
    "images": (Image(url="https://e.example/a.jpg"),),
    "embargoed": NOON,
    "expires": NOON + timedelta(days=9),
    "urgency": 4,
    "dateline": "PORT LISSE",
    "source": "Harbour Herald",
    "rights": "All",
    "ai_assisted": False,
    "published": NOON - timedelta(hours=2),
    "updated": NOON - timedelta(hours=1),
}
OTHER: dict[str, Any] = {
    "id": "hh-2",
    "version": 2,
    "edition": "fa",
    "headline": "Trains return",
    "summary": "At first",
    "url": "https://e.example/b",
    "body_html": "<p>Words</p>",
    "alternates": (Alternate(edition="tr", url="https://e.example/tr/a"),),
    "section": "home",
    "subjects": ("land",),
    "authors": ("Tom Adeyi",),
    "images": (Image(url="https://e.example/b.jpg"),),
    "embargoed": NOON + timedelta(days=1),
    "expires": NOON + timedelta(days=8),
    "urgency": 2,
    "dateline": "PORT ANSE",
    "source": "Another Herald",
    "rights": "None",
    "ai_assisted": True,
    "published": NOON - timedelta(hours=3),
    "updated": NOON - timedelta(minutes=59),
}


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by format."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if "|" in line]
    return {row[0].strip("` "): [cell.strip() for cell in row[1:]] for row in cells[2:]}


def feed(name: str, fields: dict[str, Any]) -> bytes:
    return FEED_FORMATS[name].render(CHANNEL, [entry(Article(**fields), PROVIDER.authority, PROVIDER.name)], [])


def push(name: str, fields: dict[str, Any]) -> bytes:
    return ARTICLE_FORMATS[name].render("article.published", Article(**fields), "msg-1", PROVIDER)


def named(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell)) & ARTICLE.keys()


@pytest.mark.parametrize(
    ("heading", "formats"), [("Formats of feeds", FEED_FORMATS), ("Formats of articles", ARTICLE_FORMATS)]
)
def test_every_format_is_documented_with_its_media_type(heading: str, formats: dict[str, Any]) -> None:
    documented = {name: cells[0].strip("`") for name, cells in rows(heading).items()}
    assert {name: value.media_type for name, value in formats.items()} == documented


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        *(("Formats of feeds", name) for name in FEED_FORMATS),
        *(("Formats of articles", name) for name in ARTICLE_FORMATS),
    ],
)
def test_every_field_is_said_or_dropped_as_documented(heading: str, name: str) -> None:
    render = feed if heading == "Formats of feeds" else push
    said = {field for field in ARTICLE if render(name, ARTICLE) != render(name, ARTICLE | {field: OTHER[field]})}
    _, maps, drops, *_ = rows(heading)[name]
    assert (said, ARTICLE.keys() - said) == (named(maps), named(drops))


def test_formats_that_mark_no_embargo_are_named() -> None:
    unmarked = {name for name, value in ARTICLE_FORMATS.items() if not value.marks_embargo}
    sentence = " ".join(DOCUMENT.split()).partition("No word for an embargo:")[2].partition(".")[0]
    assert unmarked == set(re.findall(r"`([\w-]+)`", sentence))
