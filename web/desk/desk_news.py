"""Tells pages that are open what to make anew: one stream for all of a process, made while somebody follows.

A page does not hear of each thing that happens: it says what it shows, and hears at most a few times a second of which
of these articles, endpoints and kinds of things there is news; then it asks anew for its parts that show them. Of
anything else it hears nothing. The page *Now* is sent its parts and lines: each is made once for all who see the same
of it, and sent when it has changed. Of what no event tells, this looks every few seconds for all pages at once: so they
ask nothing by themselves.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool

from web.desk.api_calls import ApiProblem
from web.desk.news import News, message, news_of
from web.desk.phrases import LANGUAGES
from web.desk.reasons import plain_reason
from web.desk.routes.now import NOW_PARTS, part_of_now
from web.desk.story_lines import COUNTED_MOST, StoryLines
from worker import clock
from worker.record.availability import RecordAway
from worker.store.live import is_id, place
from worker.store.redis_errors import Outage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterator

    from starlette.requests import Request

    from web.api.parts import ApiParts
    from web.desk.standing import Standing
    from worker.store.live import LiveEvent

log = structlog.get_logger()

_BEAT_SECONDS = 0.75
"""How often pages hear something, while much happens; after a pause they hear at once. Who has an article is counted by
then, so what was answered is on the screen within a second."""
_LOOK_SECONDS = 3.0
"""How often it is unannounced for what no event tells of."""
_COMMENT_SECONDS = 15.0
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
_SINGLE = ("failed", "parked", "paused")
_SINGLE_FIELDS = ("article", "endpoint", "status", "error", "reason")


class _Follower:
    """A page that is open. `group`: all that its parts depend on; None: it is not the page *Now*.

    `shown`: of what it hears; None: of everything, and all lines too.
    """

    def __init__(self, request: Request, group: Hashable | None, shown: News | None) -> None:
        self.request = request
        self.group = group
        self.shown = shown
        self.has_lines = group is not None or shown is None
        self.parts: deque[bytes] = deque()
        self.woken = asyncio.Event()
        self.ended = False

    def give(self, part: bytes) -> None:
        if len(self.parts) >= _WAITING_MOST:
            self.ended = True
        elif part:
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
        self._part_texts: dict[Hashable, dict[str, str]] = {}
        self._due: dict[str, float] = {}
        self._last = "0-0"
        self._has_gap = False
        """Whether pages may have missed something while Redis was away."""

    @property
    def has_room(self) -> bool:
        """Whether one more page may follow."""
        return len(self._followers) < _FOLLOWERS_MOST

    @property
    def has_followers(self) -> bool:
        """Whether some page follows, so that the lines are those of now."""
        return bool(self._followers)

    async def follow(
        self, request: Request, group: Hashable | None, shown: News | None, since: str, is_valid: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield what a page hears, from now on, and whether it has missed something since an id or a time (ms).

        `group`: of the page *Now*, all that its parts depend on. `shown`: what a page shows; None: everything. It ends
        when the page's right does, or when it is too slow.
        """
        with self._place(_Follower(request, group, shown)) as follower:
            yield b"retry: 1000\n\n"
            lines = message("lines", self.lines.newest(0)[:COUNTED_MOST]) if follower.has_lines else b""
            yield lines + await run_in_threadpool(self._missed, since, shown)
            quiet_since = time.monotonic()
            while is_valid() and not follower.ended:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await follower.woken.wait()
                follower.woken.clear()
                if follower.parts:
                    text = b"".join(follower.parts)
                    follower.parts.clear()
                    quiet_since = time.monotonic()
                    yield text
                elif time.monotonic() - quiet_since > _COMMENT_SECONDS:
                    quiet_since = time.monotonic()
                    yield self._mark()
            # Of what it was not to hear it has missed nothing.
            yield self._mark()

    def _mark(self) -> bytes:
        """How far the page has heard, and nothing else: it asks again from there (HTML, section 9.2.6)."""
        return f"id: {self._last}\n\n".encode()

    def _missed(self, since: str, shown: News | None) -> bytes:
        if not is_id(since) and not is_id(since := f"{since}-0"):
            return b""
        try:
            missed = self._parts.store.live.summary.after(since, _MISSED_MOST)
        except RedisError as error:
            self._outage.met(error, "a page does not hear what it has missed until Redis is back")
            self._has_gap = True
            return b""
        return message("anew", {}) if len(missed) == _MISSED_MOST else news_of(missed).of(shown).as_message()

    @contextmanager
    def _place(self, follower: _Follower) -> Iterator[_Follower]:
        self._followers.add(follower)
        if follower.group in self._part_texts:
            follower.give(b"".join(_part(*pair) for pair in self._part_texts[follower.group].items()))
        elif follower.group is not None:
            self._part_texts[follower.group] = {}
            self._due |= dict.fromkeys(NOW_PARTS, 0.0)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield follower
        finally:
            self._followers.discard(follower)
            if all(follower.group != other.group for other in self._followers):
                self._part_texts.pop(follower.group, None)

    async def _run(self) -> None:
        """Tell, until nobody follows."""
        while self._followers:
            try:
                await self._listen()
            except (RedisError, RecordAway, ApiProblem) as error:
                if isinstance(error, RedisError):
                    self._outage.met(error, "pages hear nothing; trying again")
                self._has_gap = True
                self._due |= dict.fromkeys(NOW_PARTS, 0.0)
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("desk_news_failed", next_step="listening again")
                self._has_gap = True
                await asyncio.sleep(1.0)

    async def _listen(self) -> None:
        newest = await run_in_threadpool(self._parts.store.live.summary.latest, _AT_FIRST)
        self.lines.take(reversed(newest))
        self._outage.over()
        last = self._last = newest[0].id if newest else "0-0"
        last_look = 0.0
        with self._parts.live_summary.subscription(_EVENTS_MOST) as news:
            while self._followers and not news.ended:
                events = await news.wait(self._seconds_to_wait())
                if news.began_anew:
                    news.began_anew = False
                    missed = await run_in_threadpool(self._parts.store.live.summary.after, last, _MISSED_MOST)
                    if len(missed) == _MISSED_MOST:
                        self._begin_anew()
                    events = [*missed, *events]
                if self._has_gap:
                    self._has_gap = False
                    self._begin_anew()
                events = [event for event in events if place(event.id) > place(last)]
                last = events[-1].id if events else last
                unannounced = News()
                if time.monotonic() - last_look >= _LOOK_SECONDS:
                    last_look = time.monotonic()
                    unannounced = await run_in_threadpool(self._look)
                changed = self.lines.take(events)
                counted = await run_in_threadpool(self.lines.count, _COUNT_SECONDS) if self.lines.is_behind else []
                self._tell_news(news_of(events, unannounced))
                self._tell_lines(_lines([*changed, *counted]), *_single(events))
                self._last = last
                await self._send_parts(unannounced.kinds | self._kinds_of_parts(events))
                await asyncio.sleep(_BEAT_SECONDS)
        if news.ended:
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._due |= dict.fromkeys(NOW_PARTS, 0.0)
        for follower in self._followers:
            follower.give(message("anew", {}))

    def _kinds_of_parts(self, events: list[LiveEvent]) -> set[str]:
        """Return of what there is news to the parts of *Now*: trouble concerns a kill only while one runs."""
        kinds = {event.kind for event in events}
        if any(event.fields.get("result") == "killed" for event in events):
            kinds.add("killed")
        if self._kills_before and not kinds.isdisjoint(_SINGLE):
            kinds.add("kills")
        return kinds

    def _seconds_to_wait(self) -> float:
        if self.lines.is_behind:
            return _BEAT_SECONDS
        now = time.monotonic()
        return max(0.0, min([_LOOK_SECONDS, *(due - now for due in self._due.values())]))

    async def _send_parts(self, kinds: Collection[str]) -> None:
        """Send the page *Now* its parts that are due and are not as they were."""
        now = time.monotonic()
        for name, part in NOW_PARTS.items():
            if (seconds := part.due_after(kinds)) is not None:
                self._due[name] = min(now + seconds, self._due.get(name, math.inf))
        names = [name for name, due in self._due.items() if due <= now]
        groups = {follower.group: follower.request for follower in self._followers if follower.group is not None}
        for name in names:
            del self._due[name]
            for group, request in groups.items():
                text = await part_of_now(request, name)
                texts = self._part_texts.setdefault(group, {})
                if texts.get(name) != text:
                    texts[name] = text
                    for follower in self._followers:
                        if follower.group == group:
                            follower.give(_part(name, text))

    def _look(self) -> News:
        """Return of what there is news that no event tells of.

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
        return News(frozenset(kinds), frozenset(articles))

    def _kills(self) -> dict[str, Any]:
        kills = self._parts.running_kills.at(clock.ms(clock.agreed()))
        return {
            kill.article.article_id: [(row.feed, row.receiver, row.reason) for row in kill.report.unconfirmed]
            for kill in kills
        }

    def _tell_news(self, news: News) -> None:
        """Tell each page what concerns it; pages that show the same hear the same."""
        messages: dict[News | None, bytes] = {}
        for follower in self._followers:
            shown = follower.shown
            if shown not in messages:
                messages[shown] = news.of(shown).as_message()
            if text := messages[shown]:
                follower.give(text)

    def _tell_lines(self, *messages: bytes) -> None:
        if text := b"".join(messages):
            for follower in self._followers:
                if follower.has_lines:
                    follower.give(text)


def _part(name: str, text: str) -> bytes:
    return message("part", {"id": name, "html": text})


def _lines(lines: list[Any]) -> bytes:
    rows = {line.article: line.as_json() for line in lines}
    return message("lines", list(rows.values())) if rows else b""


def _single(events: list[LiveEvent]) -> Iterator[bytes]:
    """What is shown by itself: of many the last."""
    for event in [event for event in events if event.kind in _SINGLE][-_SINGLE_MOST:]:
        fields = {name: event.fields.get(name) for name in _SINGLE_FIELDS}
        moment = clock.moment(int(event.id.partition("-")[0])).isoformat()
        fields["place"] = event.id
        why = fields["error"] or fields["reason"]
        translated = {language: plain_reason(language, why) for language in LANGUAGES if language != "en" and why}
        yield message("single", {"kind": event.kind, "time": moment, **fields, "translated": translated})
