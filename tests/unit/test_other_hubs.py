"""A feed names WebSub hubs of others beside ours: in its documents and in its Link header, where it has ours."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import feedparser
import pytest

from feeds.definition import FeedDefinition
from feeds.formats import FEED_FORMATS
from feeds.validation.checks import check_feed
from worker.newsroom.publication import Publication

OURS = "https://h.example/hub"
OTHERS = ("https://hub.one.example/", "https://two.example/hub")
FEEDS = (FeedDefinition(name="a", title="A", hubs=OTHERS), FeedDefinition(name="b", title="B"))
SITE = Publication("https://h.example", "H", "h.example,2026", "en", FEEDS)


def hubs(name: str, format_name: str, **links: str) -> list[str]:
    definition = SITE.feed(name)
    assert definition is not None
    document = FEED_FORMATS[format_name].render(SITE.channel(definition, format_name, 0, **links), [], [])
    assert [] == check_feed(format_name, document, ours=True)
    if format_name == "json":
        return [hub["url"] for hub in json.loads(document).get("hubs", ())]
    return [link.href for link in feedparser.parse(document).feed.links if link.rel == "hub"]


@pytest.mark.parametrize("format_name", ["rss", "atom", "json"])
def test_documents_name_ours_first(format_name: str) -> None:
    assert [OURS, *OTHERS] == hubs("a", format_name)
    assert [OURS] == hubs("b", format_name)
    # What no hub pushes, such as an archive, names none.
    assert [] == hubs("a", format_name, hub_url="")


def test_the_header_names_them_too() -> None:
    said = SITE.links("a", "rss")
    assert [f'<{hub}>; rel="hub"' for hub in (OURS, *OTHERS)] == said.split(", ")[:3]
    assert '<https://h.example/feeds/a.rss>; rel="self"' == said.split(", ")[3]
    assert 'rel="hub"' not in SITE.links("a", "msn")
    assert {"h.example"} == {
        urlsplit(link.strip("<").partition(">")[0]).netloc for link in SITE.links("b", "rss").split(", ")
    }


def test_releases_without_them_can_read_definitions_that_have_none() -> None:
    assert '"hubs":["https://hub.one.example/"' in FEEDS[0].announced
    assert "hubs" not in FEEDS[1].announced
