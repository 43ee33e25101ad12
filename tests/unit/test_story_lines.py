"""The lines of what goes out now: who has an article is counted in the end, whatever came between."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis

from web.desk import story_lines
from web.desk.story_lines import StoryLines
from worker.store.live import LiveEvent


def test_what_could_not_be_counted_in_an_outage_is_counted_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    report = SimpleNamespace(
        article=SimpleNamespace(headline="Ferries return"),
        rows=["portal", "agency", "(subscriptions)"],
        unconfirmed=["agency"],
    )
    answers = iter([redis.ConnectionError("gone"), report])

    def answer(*_: object) -> Any:
        following = next(answers)
        if isinstance(following, Exception):
            raise following
        return following

    monkeypatch.setattr(story_lines, "coverage_report", answer)
    lines = StoryLines(cast("Any", SimpleNamespace(store=None, articles=None, publication=None)))
    lines.take([LiveEvent("1800000000000-0", "accepted", {"article": "ferry"})])
    with pytest.raises(redis.ConnectionError):
        lines.count(1.0)
    assert lines.is_behind
    lines.count(1.0)
    assert not lines.is_behind
    assert [("Ferries return", 2, 3)] == [
        (line["headline"], line["done"], line["receivers"]) for line in lines.newest(0)
    ]
