"""Adapters as tests use them: they are given bytes or JSON, and what comes of it is read, rendered and looked at."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import feedparser
import pytest
from lxml import etree

from feeds.adapters import ADAPTERS
from feeds.adapters.interface import Adapted, InputDefaults
from feeds.article import Article
from feeds.entry import Channel, entry
from feeds.errors import InvalidEvent
from feeds.formats import FEED_FORMATS
from feeds.formats.interface import Provider

NOW = datetime(2026, 3, 31, tzinfo=UTC)
PAGE = "https://herald.example/a"
PROVIDER = Provider("herald.example,2026", "The Herald")
GIVEN = InputDefaults(id="hh-1", url=f"{PAGE}/{{id}}", editions=frozenset({"en", "ar"}))
NINJS = {"uri": "tag:herald.example,2026:1", "headline": "Ferries return", "body_html": "<p>They do.</p>"}
POST = {"id": 7, "title": {"rendered": "Ferries return"}, "link": PAGE, "status": "publish"}
GHOST = {"id": "65e5", "title": "Ferries return", "url": PAGE, "status": "published", "html": "<p>They do.</p>"}


def read(adapter: str, content: bytes | dict[str, Any], said: InputDefaults = GIVEN) -> Adapted:
    return ADAPTERS[adapter].read(content if isinstance(content, bytes) else json.dumps(content).encode(), said)


def refused(adapter: str, content: bytes | dict[str, Any], said: InputDefaults = GIVEN) -> str:
    with pytest.raises(InvalidEvent) as caught:
        read(adapter, content, said)
    return str(caught.value)


def missing(adapted: Adapted, field: str) -> list[str]:
    return [note.problem for note in adapted.missing if note.field == f"article.{field}"]


def rendered(article: Article) -> None:
    channel = Channel(
        id="tag:herald.example,2026:feed:x",
        title="Herald",
        description="News",
        language="en",
        publisher="Herald",
        home_url="https://herald.example/",
        self_url="https://herald.example/feeds/x",
        hub_url="https://herald.example/hub",
        updated=article.updated,
    )
    one = entry(article, "herald.example,2026")
    # Those that take every article: the partners' profiles choose.
    for name in ("rss", "atom", "json"):
        document = FEED_FORMATS[name].render(channel, [one], [])
        if name == "json":
            assert json.loads(document)["items"][0]["title"] == article.headline
        else:
            etree.fromstring(document)
            # What looks like UTF-8 read as Latin-1 it mends, unasked.
            mended = article.headline.encode("latin-1", "ignore").decode("utf-8", "ignore")
            assert feedparser.parse(document, sanitize_html=False).entries[0].title in {article.headline, mended}
