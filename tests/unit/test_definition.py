"""What a feed may be defined as."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from feeds.definition import FeedDefinition, Selector


def test_a_feed_needs_a_name_and_a_title() -> None:
    feed = FeedDefinition(name="latest", title="Latest")
    assert (feed.select, feed.list, feed.edition, feed.order, feed.limit) == ((), None, None, "published", 50)


@pytest.mark.parametrize("name", ["latest", "world-ar", "desk/world", "a_b", "2026"])
def test_names(name: str) -> None:
    assert FeedDefinition(name=name, title="T").name == name


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "World"},
        {"name": "a b"},
        {"name": "a.rss"},
        {"name": "a//b"},
        {"name": "/a"},
        {"name": "../a"},
        {"name": "a\n"},
        {"name": ""},
        {"title": ""},
        {"title": "<b>T</b>"},
        {"limit": 0},
        {"limit": 1001},
        {"order": "random"},
        {"edition": "English"},
        {"url": "/page"},
        {"select": [{"topic": ["x"]}]},
        {"select": [{"urgency": [0]}]},
        {"colour": "red"},
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        FeedDefinition(**({"name": "latest", "title": "Latest"} | fields))
    [error] = caught.value.errors()
    assert error["loc"][0] == next(iter(fields))


def test_a_feed_selects_or_is_a_list() -> None:
    with pytest.raises(ValidationError, match="takes either select or list, not both"):
        FeedDefinition(name="a", title="A", list="Picks", select=(Selector(section=("world",)),))
