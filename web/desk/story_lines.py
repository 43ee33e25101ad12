"""What goes out now, a line for each article: what happened to it last, and how many of its receivers are done.

Who has an article is counted for a few at a time, and for a share of the time only: it takes milliseconds where there
are a thousand receivers, and the more goes out the less of it anybody can read.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from worker import clock
from worker.record.availability import RecordAway
from worker.store.live import place
from worker.takedown.coverage_report import coverage_report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from web.api.parts import ApiParts
    from worker.store.live import LiveEvent

_KEPT_MOST = 60
COUNTED_MOST = 40
"""Of so many of the newest it is counted who has them."""
_SHARE, _BUSY_SHARE = 40, 150
"""For each moment that our processor was busy with counting, so many are spent on something else; the second while more
goes out than anybody can read."""
_MUCH = 2_000
"""So many endpoints in what is taken in at once: then that much goes out."""
_OF_ARTICLES = frozenset({"accepted", "carried_out", "delivered", "kill_confirmed"})


@dataclass
class StoryLine:
    """What goes on with one article. `time`: of the last that happened to it, in ms; `change`: that, as a phrase.

    `place`: of that in the stream, which tells what came later within a millisecond.

    `done` of `receivers` have it as it is; None: that was not counted yet.
    """

    article: str
    time: int
    change: str
    place: tuple[int, ...] = (0, 0)
    headline: str = ""
    done: int | None = None
    receivers: int | None = None
    is_counted: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as pages hear of it."""
        return {
            "article": self.article,
            "time": clock.moment(self.time).isoformat(),
            "place": "-".join(map(str, self.place)),
            "what": self.change,
            "headline": self.headline,
            "done": self.done,
            "receivers": self.receivers,
        }


class StoryLines:
    """The lines of the newest articles. Threads may share it."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts
        self._lines: OrderedDict[str, StoryLine] = OrderedDict()
        self._lock = Lock()
        self._counting = Lock()
        self._counted_at = 0.0
        self._used = 0.0
        self._is_much = False
        self._place: tuple[int, ...] = (0, 0)

    def take(self, events: Iterable[LiveEvent]) -> list[StoryLine]:
        """Take in what has happened; return the lines that are changed by it."""
        changed: dict[str, StoryLine] = {}
        endpoints = 0
        with self._lock:
            for event in events:
                endpoints += len(event.fields.get("endpoints", ()))
                if place(event.id) <= self._place:
                    continue
                self._place = place(event.id)
                name, moment = event.fields.get("article"), self._place[0]
                if not name or event.kind not in _OF_ARTICLES:
                    continue
                line = self._lines.get(name)
                change = event.fields.get("result") or event.fields.get("action") or event.kind.replace("_", " ")
                if line is None:
                    line = self._lines[name] = StoryLine(name, moment, change)
                elif event.kind != "kill_confirmed":
                    line.change = change
                line.time, line.is_counted = max(moment, line.time), False
                line.place = self._place
                self._lines.move_to_end(name)
                changed[name] = line
            while len(self._lines) > _KEPT_MOST:
                changed.pop(self._lines.popitem(last=False)[0], None)
            self._is_much = endpoints >= _MUCH
        return list(changed.values())

    def count(self, budget: float) -> list[StoryLine]:
        """Count who has the newest of those that changed, for about so many seconds; return their lines.

        Raises redis.RedisError, RecordAway.
        """
        counted: list[StoryLine] = []
        if not self._counting.acquire(blocking=False):
            return counted
        try:
            begun, used = time.monotonic(), time.thread_time()
            # Of a machine that is busy with something else counting takes long, and costs no more.
            if begun < self._counted_at + self._used * (_BUSY_SHARE if self._is_much else _SHARE):
                return counted
            with self._lock:
                newest = list(reversed(self._lines.values()))[:COUNTED_MOST]
            for line in newest:
                if line.is_counted:
                    continue
                # What happens from here on is counted the next time.
                line.is_counted = True
                try:
                    self._count(line)
                except (RedisError, RecordAway):
                    line.is_counted = False
                    raise
                counted.append(line)
                if time.monotonic() - begun >= budget:
                    break
            self._counted_at, self._used = time.monotonic(), time.thread_time() - used
        finally:
            self._counting.release()
        return counted

    @property
    def is_behind(self) -> bool:
        """Whether some of the newest wait to be counted."""
        with self._lock:
            return any(not line.is_counted for line in list(self._lines.values())[-COUNTED_MOST:])

    def newest(self, since: int) -> list[dict[str, Any]]:
        """Return the lines of what has happened since a time (ms), the newest first."""
        with self._lock:
            return [line.as_json() for line in reversed(self._lines.values()) if line.time >= since]

    def _count(self, line: StoryLine) -> None:
        parts = self._parts
        report = coverage_report(parts.store, parts.articles, parts.publication, line.article)
        if report is None:
            return
        line.headline = report.article.headline
        # As the page of the article and the kills have it: the subscribers of a feed are one.
        line.receivers = len(report.rows)
        line.done = line.receivers - len(report.unconfirmed)
