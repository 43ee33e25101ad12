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


def test_a_count_that_only_waited_is_no_reason_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    report = SimpleNamespace(article=SimpleNamespace(headline="H"), rows=[], unconfirmed=[])
    now = [100.0]

    def answer(*_: object) -> Any:
        # The machine was busy with something else for so long.
        now[0] += 0.5
        return report

    monkeypatch.setattr(story_lines, "time", SimpleNamespace(monotonic=lambda: now[0], thread_time=lambda: 7.0))
    monkeypatch.setattr(story_lines, "coverage_report", answer)
    lines = StoryLines(cast("Any", SimpleNamespace(store=None, articles=None, publication=None)))
    for number in range(3):
        lines.take([LiveEvent(f"180000000000{number}-0", "accepted", {"article": f"a{number}"})])
        lines.count(1.0)
        assert not lines.is_behind
        now[0] += 1.0


def test_the_more_goes_out_the_rarer_it_is_counted_and_at_its_end_it_is_counted_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = SimpleNamespace(article=SimpleNamespace(headline="H"), rows=[], unconfirmed=[])
    now, used = [100.0], [7.0]

    def answer(*_: object) -> Any:
        used[0] += 0.01
        return report

    monkeypatch.setattr(story_lines, "time", SimpleNamespace(monotonic=lambda: now[0], thread_time=lambda: used[0]))
    monkeypatch.setattr(story_lines, "coverage_report", answer)
    lines = StoryLines(cast("Any", SimpleNamespace(store=None, articles=None, publication=None)))
    many = {"article": "ferry", "action": "published", "endpoints": [f"e{number}" for number in range(2_000)]}
    lines.take([LiveEvent("1800000000000-0", "delivered", many)])
    lines.count(1.0)
    lines.take([LiveEvent("1800000000001-0", "delivered", many)])
    now[0] += 0.75
    assert lines.count(1.0) == []
    # Nothing more comes.
    lines.take([])
    assert [line.article for line in lines.count(1.0)] == ["ferry"]
    assert not lines.is_behind
