"""The sample articles in config/samples are events that are accepted, in the order of their names."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feeds import event
from feeds.article import Article
from feeds.direction import direction
from feeds.lifecycle import Accept, decide

SAMPLES = sorted((Path(__file__).parents[2] / "config" / "samples").glob("*.json"))
NOW = datetime(2026, 3, 31, tzinfo=UTC)


def read(path: Path) -> event.ArticleEvent | event.KillEvent:
    read = event.read(json.loads(path.read_text("utf-8")), NOW)
    assert not isinstance(read, event.ListEvent)
    return read


def carried_out() -> tuple[dict[str, Article], list[str]]:
    held: dict[str, Article] = {}
    changes: list[str] = []
    for path in SAMPLES:
        arrived = read(path)
        decision = decide(held.get(arrived.article.id), arrived, NOW)
        assert isinstance(decision, Accept), path.name
        held[arrived.article.id] = decision.article
        changes.append(decision.change)
    return held, changes


def test_they_publish_correct_and_kill() -> None:
    held, changes = carried_out()
    assert changes == ["published"] * 6 + ["corrected", "killed"]
    assert held["hh-2026-0301"].version == 2
    assert held["hh-2026-0303"].pubstatus == "canceled"


def test_they_have_all_editions_and_a_picture_with_caption_and_credit() -> None:
    held, _ = carried_out()
    assert {article.edition for article in held.values()} == {"en", "ar", "ur", "tr", "fa"}
    assert [article.id for article in held.values() if any(image.caption and image.credit for image in article.images)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_they_are_of_our_newspaper_and_written_as_their_names_say(path: Path) -> None:
    arrived = read(path)
    assert re.fullmatch(r"hh-2026-03\d\d", arrived.article.id)
    if isinstance(arrived, event.ArticleEvent):
        article = arrived.article
        assert article.url.startswith("https://www.harbour-herald.example/")
        assert path.stem.endswith(f"-{article.edition}")
        assert article.section in {"world", "business", "culture", "sport", "science"}
        arabic = len(re.findall("[\u0600-\u06ff]", article.body_html))
        assert (arabic > 500) is (direction(article.edition) == "rtl")
