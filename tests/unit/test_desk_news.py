"""What pages of the desk hear: of what they show, and of nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis

from web.desk import desk_news
from web.desk.desk_news import DeskNews, _Follower
from web.desk.news import News
from web.desk.routes.now import NOW_PARTS
from web.desk.story_lines import StoryLines
from worker.store.live import LiveEvent

PUSHED = LiveEvent("5-0", "delivered", {"article": "ferry", "endpoint": "portal", "event": "evt-1"})
ALARM = LiveEvent("6-0", "alarms", {})
KILLED = LiveEvent("7-0", "carried_out", {"article": "ferry", "event": "evt-2", "result": "killed"})
FAILED = LiveEvent("8-0", "failed", {"article": "quay", "endpoint": "radio"})


def followers(news: DeskNews, **shown: News | None) -> dict[str, _Follower]:
    request: Any = SimpleNamespace()
    by_name = {name: _Follower(request, None, what) for name, what in shown.items()}
    news._followers.update(by_name.values())
    return by_name


def heard(follower: _Follower) -> list[Any]:
    return [json.loads(part.partition(b"data: ")[2]) for part in follower.parts]


def test_a_page_hears_of_what_it_shows_and_is_not_woken_for_anything_else() -> None:
    async def tell() -> None:
        news = DeskNews(cast("Any", SimpleNamespace()), cast("Any", SimpleNamespace()))
        pages = followers(
            news,
            article=News(articles=frozenset({"ferry"})),
            endpoint=News(frozenset({"alarms"}), endpoints=frozenset({"radio"})),
            badge=News(frozenset({"alarms"})),
            everything=None,
        )
        news._tell_news(News(frozenset({"delivered"}), *(frozenset({name}) for name in ("ferry", "portal", "evt-1"))))
        assert heard(pages["article"]) == [{"kinds": [], "articles": ["ferry"], "endpoints": [], "events": []}]
        assert not pages["endpoint"].woken.is_set()
        assert not pages["badge"].woken.is_set()
        [all_of_it] = heard(pages["everything"])
        assert all_of_it["endpoints"] == ["portal"]
        news._tell_lines(b"event: lines\ndata: []\n\n")
        assert len(pages["everything"].parts) == 2
        assert len(pages["article"].parts) == 1

    asyncio.run(tell())


def test_more_than_is_named_makes_all_parts_anew() -> None:
    many = News(articles=frozenset(str(number) for number in range(501)))
    assert many.as_message() == b"event: anew\ndata: {}\n\n"
    assert many.of(News(articles=frozenset({"7"}))).as_message().startswith(b"event: news")
    assert many.of(News(frozenset({"alarms"}))).as_message() == b""


def test_trouble_concerns_the_kills_only_while_one_runs() -> None:
    news = DeskNews(cast("Any", SimpleNamespace()), cast("Any", SimpleNamespace()))
    assert news._kinds_of_parts([PUSHED, ALARM]) == {"delivered", "alarms"}
    assert news._kinds_of_parts([KILLED]) == {"carried_out", "killed"}
    assert news._kinds_of_parts([FAILED]) == {"failed"}
    news._kills_before = {"ferry": []}
    assert news._kinds_of_parts([FAILED]) == {"failed", "kills"}


def test_trouble_is_shown_sooner_than_what_goes_well() -> None:
    part = NOW_PARTS["troubled"]
    well = part.due_after({"delivered", "carried_out"})
    trouble = part.due_after({"delivered", "failed"})
    assert well is not None
    assert trouble is not None
    assert trouble < well / 3
    assert part.due_after({"alarms"}) is None


class LostForAMoment:
    """The stream in Redis, which answers again after it did not."""

    def __init__(self) -> None:
        self.failures = 1
        self.ended = self.began_anew = False

    def latest(self, _: int) -> list[LiveEvent]:
        if self.failures:
            self.failures -= 1
            raise redis.ConnectionError("gone")
        return [KILLED]

    def after(self, *_: Any) -> list[LiveEvent]:
        return self.latest(0)

    @contextmanager
    def subscription(self, _: int) -> Iterator[LostForAMoment]:
        yield self

    async def wait(self, _: float) -> list[LiveEvent]:
        return []


def test_after_an_outage_pages_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened between the last they heard of and the first that could be read again, nobody tells them."""
    stream = LostForAMoment()
    store = SimpleNamespace(live=SimpleNamespace(summary=stream))
    parts: Any = SimpleNamespace(store=store, live_summary=stream, articles=None, publication=None)
    monkeypatch.setattr(DeskNews, "_look", lambda _: News())
    monkeypatch.setattr(StoryLines, "count", lambda *_: [])

    async def follow() -> None:
        news = DeskNews(parts, cast("Any", SimpleNamespace()))
        pages = followers(news, article=News(articles=frozenset({"ferry"})))
        told = asyncio.create_task(news._run())
        await asyncio.wait_for(pages["article"].woken.wait(), 60)
        assert list(pages["article"].parts) == [b"event: anew\ndata: {}\n\n"]
        # A page that comes while Redis is away can't be told what it has missed, either.
        stream.failures = 1
        pages["article"].woken.clear()
        pages["article"].parts.clear()
        assert news._missed("5-0", None) == b""
        await asyncio.wait_for(pages["article"].woken.wait(), 60)
        assert list(pages["article"].parts) == [b"event: anew\ndata: {}\n\n"]
        news._followers.clear()
        await told

    asyncio.run(follow())


def test_trouble_brings_forward_what_was_due_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def part(_: Any, name: str) -> str:
        return name

    monkeypatch.setattr(desk_news, "part_of_now", part)
    news = DeskNews(cast("Any", SimpleNamespace()), cast("Any", SimpleNamespace()))
    dues = []
    for kinds in ({"delivered"}, {"delivered"}, {"failed"}, {"delivered"}):
        asyncio.run(news._send_parts(kinds))
        dues.append(news._due["troubled"])
    assert dues[0] == dues[1] > dues[2] == dues[3]
