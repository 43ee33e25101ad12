"""Tells pages that are open what to make anew: one stream for all of a process, made while somebody follows.

A page does not hear of each thing that happens: it hears a few times a second of which articles, endpoints and kinds of
things there is news, and asks anew for its parts that show these. Of what no event tells, this looks every few seconds
for all pages at once: so they ask nothing by themselves.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool

from web.desk.story_lines import StoryLines
from worker import clock
from worker.record.availability import RecordAway
from worker.store.live import is_id
from worker.store.redis_errors import Outage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from web.api.parts import ApiParts
    from web.desk.standing import Standing
    from worker.store.live import LiveEvent

log = structlog.get_logger()

_BEAT_SECONDS = 0.4
"""How often pages hear something."""
_LOOK_SECONDS = 3.0
"""How often it is last_look for what no event tells of."""
_COMMENT_SECONDS = 15.0
_NAMES_MOST = 500
"""So many articles, endpoints and events of one beat are named; of more, all parts of pages are made anew."""
_SINGLE_MOST = 10
"""So many failures and the like of one beat are shown each by itself."""
_WAITING_MOST = 50
"""So many beats wait for a page; one that is slower begins anew."""
_COUNT_SECONDS = 0.02
_AT_FIRST = 300
_FOLLOWERS_MOST = 500
_MISSED_MOST = 1_000
_EVENTS_MOST = 20_000
"""So many events of one beat are taken in; what is more makes all pages begin anew."""
_NAMED = {"articles": "article", "endpoints": "endpoint", "events": "event"}
_SINGLE = ("failed", "parked", "paused")
_SINGLE_FIELDS = ("article", "endpoint", "status", "error", "reason")


class _Follower:
    """A page that is open."""

    def __init__(self) -> None:
        self.parts: deque[bytes] = deque()
        self.woken = asyncio.Event()
        self.ended = False

    def give(self, part: bytes) -> None:
        if len(self.parts) >= _WAITING_MOST:
            self.ended = True
        else:
            self.parts.append(part)
        self.woken.set()


class DeskNews:
    """Tells all pages of the desk that this process serves. Everything is called in its event loop."""

    def __init__(self, parts: ApiParts, standing: Standing) -> None:
        self._parts = parts
        self._standing = standing
        self.lines = StoryLines(parts)
        self._followers: set[_Follower] = set()
        self._task: asyncio.Task[None] | None = None
        self._system: dict[str, Any] | None = None
        self._kills_before: dict[str, Any] | None = None
        self._outage = Outage(log, what="desk news")

    @property
    def has_room(self) -> bool:
        """Whether one more page may follow."""
        return len(self._followers) < _FOLLOWERS_MOST

    @property
    def has_followers(self) -> bool:
        """Whether some page follows, so that the lines are those of now."""
        return bool(self._followers)

    async def follow(self, since: str, is_valid: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Yield what a page hears, from now on, and whether it has missed something since an id or a time (ms).

        It ends when the page's right does, or when it is too slow.
        """
        with self._place() as follower:
            yield b"retry: 1000\n\n"
            yield _message("lines", self.lines.newest(0)) + await run_in_threadpool(self._missed, since)
            quiet_since = time.monotonic()
            while is_valid() and not follower.ended:
                with suppress(TimeoutError):
                    await asyncio.wait_for(follower.woken.wait(), 1.0)
                follower.woken.clear()
                if follower.parts:
                    text = b"".join(follower.parts)
                    follower.parts.clear()
                    quiet_since = time.monotonic()
                    yield text
                elif time.monotonic() - quiet_since > _COMMENT_SECONDS:
                    quiet_since = time.monotonic()
                    yield b": nothing new\n\n"

    def _missed(self, since: str) -> bytes:
        if not is_id(since) and not is_id(since := f"{since}-0"):
            return b""
        try:
            missed = self._parts.store.live.after(since, _MISSED_MOST)
        except RedisError as error:
            self._outage.met(error, "a page does not hear what it has missed")
            return b""
        return _message("anew", {}) if len(missed) == _MISSED_MOST else _beat(missed, set(), set())

    @contextmanager
    def _place(self) -> Iterator[_Follower]:
        follower = _Follower()
        self._followers.add(follower)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    async def _run(self) -> None:
        """Tell, until nobody follows."""
        while self._followers:
            try:
                await self._listen()
            except (RedisError, RecordAway) as error:
                if isinstance(error, RedisError):
                    self._outage.met(error, "pages hear nothing; trying again")
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("desk_news_failed", next_step="listening again")
                await asyncio.sleep(1.0)

    async def _listen(self) -> None:
        self.lines.take(reversed(await run_in_threadpool(self._parts.store.live.latest, _AT_FIRST)))
        self._outage.over()
        last_look = 0.0
        with self._parts.live.subscription(_EVENTS_MOST) as news:
            # Each page has asked for what it has missed so far.
            news.began_anew = False
            while self._followers and not news.ended:
                events = await news.wait(_BEAT_SECONDS if self.lines.is_behind else _LOOK_SECONDS)
                if news.began_anew:
                    news.began_anew = False
                    self._tell(_message("anew", {}))
                kinds, articles = set[str](), set[str]()
                if time.monotonic() - last_look >= _LOOK_SECONDS:
                    last_look = time.monotonic()
                    kinds, articles = await run_in_threadpool(self._look)
                changed = self.lines.take(events)
                counted = await run_in_threadpool(self.lines.count, _COUNT_SECONDS) if self.lines.is_behind else []
                self._tell(_beat(events, kinds, articles), _lines([*changed, *counted]), *_single(events))
                await asyncio.sleep(_BEAT_SECONDS)
        if news.ended and self._followers:
            self._tell(_message("anew", {}))

    def _look(self) -> tuple[set[str], set[str]]:
        """Return of which kinds of things, and of which articles, there is news that no event tells of.

        Raises redis.RedisError, RecordAway.
        """
        kinds = set()
        system, kills = self._standing.system(), self._kills()
        if self._system is not None and self._system != system:
            kinds.add("state")
        before, self._kills_before = self._kills_before, kills
        self._system = system
        articles = set() if before is None else {name for name, rows in kills.items() if before.get(name) != rows}
        if before is not None and (articles or before.keys() != kills.keys()):
            kinds.add("kills")
            articles |= before.keys() - kills.keys()
        return kinds, articles

    def _kills(self) -> dict[str, Any]:
        kills = self._parts.running_kills.at(clock.ms(clock.agreed()))
        return {
            kill.article.article_id: [(row.feed, row.receiver, row.reason) for row in kill.report.unconfirmed]
            for kill in kills
        }

    def _tell(self, *messages: bytes) -> None:
        if text := b"".join(messages):
            for follower in self._followers:
                follower.give(text)


def _beat(events: list[LiveEvent], kinds: set[str], articles: set[str]) -> bytes:
    """Of what there is news; nothing if there is none."""
    kinds = kinds | {event.kind for event in events}
    if not kinds:
        return b""
    names = {plural: _named(events, field) for plural, field in _NAMED.items()}
    names["articles"] |= articles
    if any(len(of_kind) > _NAMES_MOST for of_kind in names.values()):
        return _message("anew", {})
    content = {"kinds": sorted(kinds)} | {plural: sorted(of_kind) for plural, of_kind in names.items()}
    return (f"id: {events[-1].id}\n".encode() if events else b"") + _message("news", content)


def _named(events: list[LiveEvent], field: str) -> set[str]:
    return {name for event in events if (name := event.fields.get(field))}


def _lines(lines: list[Any]) -> bytes:
    rows = {line.article: line.as_json() for line in lines}
    return _message("lines", list(rows.values())) if rows else b""


def _single(events: list[LiveEvent]) -> Iterator[bytes]:
    """What is shown by itself: of many the last."""
    for event in [event for event in events if event.kind in _SINGLE][-_SINGLE_MOST:]:
        fields = {name: event.fields.get(name) for name in _SINGLE_FIELDS}
        moment = clock.moment(int(event.id.partition("-")[0])).isoformat()
        yield _message("single", {"kind": event.kind, "time": moment, **fields})


def _message(kind: str, content: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n".encode()
