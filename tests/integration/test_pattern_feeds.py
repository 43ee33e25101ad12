"""Feeds of patterns: made as articles come that belong in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from news_desk import Desk, article, kill, site

from feeds.definition import FeedDefinition
from worker import clock


def with_patterns(desk: Desk, **fields: Any) -> None:
    desk.site = site(
        FeedDefinition(name="author/*", title="By *", **fields),
        FeedDefinition(name="en/subject/*", title="On *", edition="en"),
    )


def test_a_feed_of_a_pattern_is_made_when_an_article_matches(desk: Desk) -> None:
    with_patterns(desk)
    desk.accept(article("a", authors=["Mira OKONJO"], subjects=["Old Town"]), article("b", authors=["Mira Okonjo"]))
    desk.consumer().consume()
    assert ["b", "a"] == desk.members("author/mira-okonjo")
    assert ["a"] == desk.members("en/subject/old-town")
    assert "<title>By Mira OKONJO</title>" in desk.document("author/mira-okonjo")
    desk.accept(article("c", edition="ar", subjects=["بحر"]))
    desk.consumer().consume()
    assert (1, 1) == tuple(desk.store.patterns.count(name) for name in ("author/*", "en/subject/*"))


def test_an_article_leaves_the_feed_of_a_pattern(desk: Desk) -> None:
    with_patterns(desk)
    desk.accept(article("a", authors=["Mira Okonjo", "Tal Ben"]))
    desk.consumer().consume()
    desk.accept(article("a", 2, authors=["Tal Ben"]))
    desk.consumer().consume()
    assert [[], ["a"]] == [desk.members(f"author/{name}") for name in ("mira-okonjo", "tal-ben")]
    desk.accept(kill("a"))
    desk.consumer().consume()
    states = [desk.store.changes.latest_of(f"author/{name}", ["a"])["a"].state for name in ("mira-okonjo", "tal-ben")]
    assert ["killed", "killed"] == states


def test_a_feed_of_a_pattern_that_nobody_wrote_for_is_empty_and_leaves_nothing_behind(desk: Desk) -> None:
    with_patterns(desk)
    before = set(desk.store.client.scan_iter("*"))
    assert "<title>By nobody here</title>" in desk.document("author/nobody-here")
    assert before == set(desk.store.client.scan_iter("*"))


def test_a_pattern_makes_no_more_feeds_than_it_may(desk: Desk) -> None:
    with_patterns(desk, most=2)
    desk.accept(*(article(f"a{n}", authors=[f"Author {n}"]) for n in range(4)), article("b", authors=["Author 1"]))
    desk.consumer().consume()
    assert [["a0"], ["b", "a1"], [], []] == [desk.members(f"author/author-{n}") for n in range(4)]
    assert 2 == desk.store.patterns.count("author/*")


def test_a_new_pattern_finds_the_articles_that_are_there(desk: Desk) -> None:
    desk.accept(article("a", authors=["Mira Okonjo"]))
    desk.consumer().consume()
    with_patterns(desk)
    desk.index()
    assert ["a"] == desk.members("author/mira-okonjo")


def test_an_embargo_shows_no_feed_of_a_pattern(desk: Desk) -> None:
    with_patterns(desk)
    tomorrow = clock.now() + timedelta(days=1)
    desk.accept(article("a", authors=["Secret Source"], embargoed=tomorrow.isoformat()))
    desk.consumer().consume()
    assert 0 == desk.store.patterns.count("author/*")
    desk.release_due(tomorrow)
    assert ["a"] == desk.members("author/secret-source")
