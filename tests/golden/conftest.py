"""Each folder here is a case: an event, the one `before` it where there was one, and every document that must come out.

After a wanted change of a format: `python -m pytest tests/golden --regenerate`, then read the difference in git.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from feeds import event as events
from feeds.entry import Channel, Entry, Tombstone, entry, notice, tag_uri
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.change_statuses import notice_note
from feeds.formats.interface import Provider
from feeds.lifecycle import Accept, Hold, decide

if TYPE_CHECKING:
    from feeds.article import Article

AUTHORITY = "harbour-herald.example,2026"
PROVIDER = Provider(AUTHORITY, "Harbour Herald")
SITE = "https://www.harbour-herald.example"
NOW = datetime(2026, 3, 31, tzinfo=UTC)
CASES = sorted(path.parent.name for path in Path(__file__).parent.glob("*/event.json"))


@dataclass(frozen=True)
class Case:
    folder: Path
    article: Article
    change: str

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (entry(self.article, AUTHORITY, PROVIDER.name),) if self.article.visible(NOW) else ()

    @property
    def tombstones(self) -> tuple[Tombstone, ...]:
        if self.entries or self.article.pubstatus == "usable":
            return ()
        identifier, when = tag_uri(AUTHORITY, "article", self.article.id), self.article.updated
        there = notice(self.article, notice_note(self.article, NOW), AUTHORITY, self.channel("atom"), when)
        return (Tombstone(identifier, when, self.article.url, there, killed=self.article.pubstatus == "canceled"),)

    def channel(self, format_name: str) -> Channel:
        return Channel(
            id=tag_uri(AUTHORITY, "feed", "latest"),
            title="Harbour Herald: latest & last",
            description="What the harbour talks about",
            language=self.article.edition,
            publisher="Harbour Herald",
            home_url=f"{SITE}/latest",
            self_url=f"{SITE}/feeds/latest.{format_name}",
            hub_url=f"{SITE}/hub",
            updated=self.article.updated,
            logo_url=f"{SITE}/logo.png",
        )

    def document(self, format_name: str) -> bytes:
        return FEED_FORMATS[format_name].render(self.channel(format_name), self.entries, self.tombstones)

    def push(self, format_name: str) -> bytes:
        message_id = f"msg-{self.article.id}-{self.article.version}"
        return ARTICLE_FORMATS[format_name].render(f"article.{self.change}", self.article, message_id, PROVIDER)


def read_case(name: str) -> Case:
    folder = Path(__file__).parent / name
    article, change = None, ""
    for file in (folder / "before.json", folder / "event.json"):
        if file.exists():
            event = events.read(json.loads(file.read_text("utf-8")), NOW)
            assert not isinstance(event, events.ListEvent)
            decision = decide(article, event, NOW)
            assert isinstance(decision, Accept | Hold)
            # What is held may be sent early, to those who have the right to it.
            article, change = decision.article, decision.change if isinstance(decision, Accept) else "published"
    assert article is not None
    return Case(folder, article, change)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write the golden files anew")


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    # The option is unknown when pytest starts outside this folder.
    return bool(request.config.getoption("--regenerate", default=False))


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return read_case(request.param)
