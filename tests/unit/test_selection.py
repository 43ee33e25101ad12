"""Which feeds an article belongs to, and what its change does there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feeds.article import Article
from feeds.definition import FeedDefinition, Selector
from feeds.selection import Placement, matches, order, placements

NOON = datetime(2026, 3, 4, 12, 0, 0, 250_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOON_MS = 1_772_625_600_250


def article(**fields: Any) -> Article:
    said = {
        "id": "hh-1",
        "version": 1,
        "headline": "Ferries return",
        "url": "https://e.example/a",
        "section": "World",
        "subjects": ["Shipping", "Storms"],
        "authors": ["Mara Ellingsen", "Işıl Çağan"],
        "urgency": 3,
        "published": NOON,
        "updated": NOON + HOUR,
    }
    return Article(**(said | fields))


def feed(**fields: Any) -> FeedDefinition:
    return FeedDefinition(**({"name": "latest", "title": "Latest"} | fields))


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        ({}, True),
        ({"section": ["world"]}, True),
        ({"section": ["sport", "WORLD"]}, True),
        ({"section": ["sport"]}, False),
        ({"subject": ["storms"]}, True),
        ({"subject": ["storm"]}, False),
        ({"author": ["IŞIL ÇAĞAN"]}, True),
        ({"urgency": [1, 2, 3]}, True),
        ({"urgency": [4]}, False),
        ({"edition": ["en", "ar"]}, True),
        ({"edition": ["ar"]}, False),
        ({"section": ["world"], "subject": ["storms"]}, True),
        ({"section": ["world"], "subject": ["sailing"]}, False),
    ],
)
def test_a_selector_wants_any_value_of_every_property(selector: dict[str, Any], taken: bool) -> None:
    assert matches(feed(select=[selector]), article(), {}) is taken


@pytest.mark.parametrize(
    ("edition", "wanted", "said"),
    [
        ("ar", "السياسة", "السياسه"),
        ("ar", "أخبار آسيا", "اخبار اسيا"),
        ("ar", "كأس العالم ٢٠٢٦", "كأس العالم 2026"),
        ("fa", "کتاب‌خانه", "كتابخانه"),
        ("fa", "روزنامهٔ امروز", "روزنامه‌ی امروز"),
        ("ur", "کہانی", "كهاني"),
        ("ur", "اُردو ادب", "اردو ادب"),
        ("tr", "IĞDIR", "Iğdır"),
        ("tr", "Dış Politika", "DIŞ POLİTİKA"),
        ("en", "World Cup 2026", "WORLD CUP ۲۰۲۶"),
    ],
)
@pytest.mark.parametrize("field", ["section", "subject", "author"])
def test_a_selector_takes_a_word_however_it_is_written(edition: str, wanted: str, said: str, field: str) -> None:
    fields = {"section": {"section": said}, "subject": {"subjects": [said]}, "author": {"authors": [said]}}[field]
    assert matches(feed(select=[{field: [wanted]}]), article(edition=edition, **fields), {})


@pytest.mark.parametrize(
    ("edition", "wanted", "said"),
    [
        ("ar", "ماء", "ما"),
        ("fa", "کرم", "گرم"),
        ("ur", "لڑکی", "لڑکے"),
        ("ur", "پہل", "پھل"),
        ("tr", "kâr", "kar"),
    ],
)
def test_a_selector_leaves_another_word_alone(edition: str, wanted: str, said: str) -> None:
    assert not matches(feed(select=[{"section": [wanted]}]), article(edition=edition, section=said), {})


def test_selectors_are_a_union() -> None:
    definition = feed(select=[Selector(section=("sport",)), Selector(subject=("storms",))])
    assert matches(definition, article(), {})
    assert not matches(definition, article(subjects=[]), {})


def test_without_selectors_all_articles_belong() -> None:
    assert matches(feed(), article(section="", subjects=[]), {})


def test_a_feed_of_an_edition_admits_no_other() -> None:
    assert not matches(feed(edition="ar"), article(), {})
    assert not matches(feed(edition="ar", list="Picks"), article(), {"Picks": ["hh-1"]})
    assert matches(feed(edition="ar"), article(edition="ar"), {})


def test_an_article_without_urgency_is_of_none() -> None:
    assert not matches(feed(select=[{"urgency": [1, 9]}]), article(urgency=None), {})


def test_a_curated_list_has_what_the_editors_put_there() -> None:
    definition = feed(list="Picks")
    assert matches(definition, article(), {"Picks": ["hh-2", "hh-1"]})
    assert not matches(definition, article(), {"Picks": ["hh-2"]})
    assert not matches(definition, article(), {"Others": ["hh-1"]})


def test_order_is_the_time_in_milliseconds() -> None:
    assert order(feed(), article(), {}) == NOON_MS
    assert order(feed(order="updated"), article(), {}) == NOON_MS + 3_600_000


def test_order_in_a_curated_list_is_the_editors() -> None:
    lists = {"Picks": ["hh-2", "hh-1", "hh-3"]}
    places = {name: order(feed(list="Picks"), article(id=name), lists) for name in ("hh-1", "hh-2", "hh-3", "hh-4")}
    assert places == {"hh-2": 3, "hh-1": 2, "hh-3": 1, "hh-4": 0}


def test_placements_say_what_changes_in_each_feed() -> None:
    definitions = [
        feed(name="world", select=[{"section": ["world"]}]),
        feed(name="storms", select=[{"subject": ["storms"]}]),
        feed(name="sport", select=[{"section": ["sport"]}]),
        feed(name="culture", select=[{"section": ["culture"]}]),
    ]
    found = placements(article(), definitions, {}, {"storms", "sport", "deleted"}, NOON)
    assert found == [
        Placement("world", "enters", NOON_MS),
        Placement("storms", "stays", NOON_MS),
        Placement("sport", "leaves", 0),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"pubstatus": "canceled"},
        {"pubstatus": "withheld"},
        {"embargoed": NOON + HOUR},
        {"expires": NOON},
    ],
)
def test_what_is_not_visible_enters_nothing_and_leaves_where_it_was(fields: dict[str, Any]) -> None:
    definitions = [feed(name="a"), feed(name="b")]
    assert placements(article(**fields), definitions, {}, {"b"}, NOON) == [Placement("b", "leaves", 0)]
