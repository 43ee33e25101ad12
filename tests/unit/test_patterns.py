"""Pattern feeds: what they are called, what belongs in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from feeds import patterns
from feeds.article import Article
from feeds.definition import FeedDefinition
from feeds.patterns import PatternFeed, pattern_of, slug_of, slugs_of
from feeds.selection import matches
from worker.newsroom.publication import Publication

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def article(**fields: Any) -> Article:
    said = {
        "id": "hh-1",
        "version": 1,
        "headline": "Ferries return",
        "url": "https://e.example/a",
        "section": "World",
        "subjects": ["Old Town", "old-town", "Shipping"],
        "authors": ["Mara Ellingsen", "Işıl Çağan", "ليلى حداد"],
        "published": NOON,
        "updated": NOON,
    }
    return Article(**(said | fields))


def pattern(name: str = "author/*", **fields: Any) -> FeedDefinition:
    return FeedDefinition(**({"name": name, "title": "The Herald: *"} | fields))


def site(*configured: FeedDefinition) -> Publication:
    return Publication("https://herald.example", "The Herald", "herald.example,2026", "en", configured)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Mara Ellingsen", "mara-ellingsen"),
        ("  O'Hara & Sons/Partners ", "o-hara-sons-partners"),
        ("IŞIL ÇAĞAN", "işil-çağan"),
        ("ليلى حداد", "لیلی-حداد"),
        ("…", ""),
        ("a" * 100, "a" * 80),
    ],
)
def test_what_a_value_is_called(value: str, name: str) -> None:
    assert slug_of(value) == name


@given(st.text(max_size=120))
def test_a_name_is_called_by_itself(value: str) -> None:
    assert slug_of(slug_of(value)) == slug_of(value)


@pytest.mark.parametrize("name", ["author/*", "subject/*", "ar/section/*", "edition/*"])
def test_patterns_are_by_their_last_word(name: str) -> None:
    assert pattern(name).by == name.split("/")[-2]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "*"},
        {"name": "desk/*"},
        {"name": "author*"},
        {"name": "author/*/x"},
        {"name": "Ar/author/*"},
        {"list": "picks"},
        {"titles": {"ar": "هيرالد"}},
        {"name": "edition/*", "edition": "ar"},
        {"most": 0},
    ],
)
def test_what_is_no_pattern(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        pattern(**fields)


def test_an_article_is_in_the_feeds_of_all_its_values() -> None:
    assert slugs_of(pattern("subject/*"), article()) == {"old-town": "Old Town", "shipping": "Shipping"}
    for value in slugs_of(pattern(), article()):
        feed = patterns.feed(pattern(), value)
        assert feed is not None
        assert matches(feed, article(), {})
        assert not matches(feed, article(authors=["Mara"]), {})


def test_a_pattern_may_be_of_one_edition_only() -> None:
    feed = patterns.feed(pattern("ar/author/*", edition="ar"), "mara-ellingsen")
    assert feed is not None
    assert (feed.edition, feed.name) == ("ar", "ar/author/mara-ellingsen")
    assert not matches(feed, article(), {})
    assert matches(feed, article(edition="ar"), {})


def test_a_feed_says_whose_it_is_and_a_feed_of_an_edition_says_it_in_its_language() -> None:
    assert [
        feed.title
        for feed in (patterns.feed(pattern(), "mira-okonjo", written) for written in ("", "Mira OKONJO"))
        if feed
    ] == [
        "The Herald: mira okonjo",
        "The Herald: Mira OKONJO",
    ]
    editions = pattern("edition/*", titles={"ar": "هيرالد", "zh-Hant": "先驱报"})
    feeds = [patterns.feed(editions, value) for value in ("ar", "zh-hant", "tr")]
    assert [(feed.title, feed.edition) for feed in feeds if feed] == [
        ("هيرالد", "ar"),
        ("先驱报", "zh-hant"),
        ("The Herald: tr", "tr"),
    ]
    assert matches(feeds[1], article(edition="zh-Hant"), {})  # type: ignore[arg-type]


def test_longer_names_than_any_feed_has_are_not_looked_at() -> None:
    one = site(pattern())
    assert one.feed(f"author/{'a' * 80}") is not None
    before = slug_of.cache_info().currsize
    assert one.feed(f"author/{'b' * 70_000}") is None
    assert before == slug_of.cache_info().currsize


def test_a_site_knows_the_feeds_of_its_patterns_by_name_and_by_topic() -> None:
    one = site(FeedDefinition(name="author/desk", title="The desk"), pattern())
    assert isinstance(one.feed("author/ليلى-حداد".replace("ى", "ی").replace("ي", "ی")), PatternFeed)
    assert type(one.feed("author/desk")) is FeedDefinition
    assert [one.feed(name) for name in ("author/*", "author/", "author/Mara", "author/a b", "x/mara", "mara")] == [
        None
    ] * 6
    assert pattern_of("ar/author/mara") == "ar/author/*"
    found = one.find("https://herald.example/feeds/author/i%C5%9Fil-%C3%A7a%C4%9Fan.atom")
    assert found is not None
    assert found[0].name == "author/işil-çağan"
    for foreign in (
        "https://herald.example/feeds/author/i%c5%9fil-%C3%A7a%C4%9Fan.atom",
        "https://herald.example/feeds/author/işil-çağan.atom",
        "https://elsewhere.example/feeds/author/desk.atom",
        "author/desk.atom",
    ):
        assert one.find(foreign) is None


def test_a_feed_that_never_changed_says_no_time_before_there_was_any() -> None:
    feed = FeedDefinition(name="en", title="T")
    assert datetime(2026, 1, 1, tzinfo=UTC) == site(feed).channel(feed, "atom", 0).updated
    assert NOON == site(feed).channel(feed, "atom", int(NOON.timestamp() * 1000)).updated
