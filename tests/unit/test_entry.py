"""The format-neutral view of an article."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from feeds.article import Article
from feeds.entry import entry, start_of_authority, tag_uri

AUTHORITY = "harbour-herald.example,2026"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def article(**fields: Any) -> Article:
    said = {"id": "hh-1", "version": 2, "headline": "Ferries", "url": "https://e.example/a", "body_html": "<p>Text</p>"}
    return Article(**(said | {"published": NOON, "updated": NOON} | fields))


def test_the_id_is_made_of_authority_and_article_id_alone() -> None:
    first = entry(article(), AUTHORITY)
    later = entry(article(version=3, headline="Other", url="https://e.example/b"), AUTHORITY)
    assert first.id == later.id == "tag:harbour-herald.example,2026:article/hh-1"
    assert (later.article_id, later.version) == ("hh-1", 3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a/b", "a/b"), ("a&b", "a%26b"), ("أ", "%D8%A3"), ("a'<\">", "a%27%3C%22%3E"), ("a%20", "a%2520")],
)
def test_ids_are_tag_uris(name: str, expected: str) -> None:
    assert tag_uri(AUTHORITY, "feed", name) == f"tag:{AUTHORITY}:feed/{expected}"


@pytest.mark.parametrize("authority", ["herald.example,2019", "herald.example,2019-12-31"])
def test_an_empty_feed_is_as_old_as_its_id(authority: str) -> None:
    assert datetime(2019, 1, 1, tzinfo=UTC) == start_of_authority(authority)


def test_direction_is_said_inside_the_html() -> None:
    assert entry(article(edition="ar"), AUTHORITY).html == '<div dir="rtl" lang="ar"><p>Text</p></div>'
    assert entry(article(edition="en"), AUTHORITY).html == "<p>Text</p>"
    assert entry(article(edition="ar", body_html=""), AUTHORITY).html == ""


def test_text_is_the_body_without_markup() -> None:
    assert entry(article(edition="ar", body_html="<p>a &amp; b</p><p>c</p>"), AUTHORITY).text == "a & b c"


@pytest.mark.parametrize(
    ("section", "subjects", "tags"),
    [("", [], ()), ("world", ["sea", "world", "sea"], ("world", "sea")), ("", ["sea"], ("sea",))],
)
def test_tags_are_section_and_subjects_each_once(section: str, subjects: list[str], tags: tuple[str, ...]) -> None:
    assert entry(article(section=section, subjects=subjects), AUTHORITY).tags == tags
