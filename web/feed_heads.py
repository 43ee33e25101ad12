"""How far the feeds' change logs go, as this process knows it, and whether a document may still be served.

A document was made at a head of its feed's log (the sequence number at its end), in a *generation* of what is known
here. By the heads, the last kills and the generation of now it is in one of three states:

    current  nothing in the feed has changed since: it is served
    stale    something has changed, or the generation is over: it is served only while no newer one can be made
    killed   an article of the feed was killed since, whose text may be in it: it is never served

A generation ends when the connection to Redis was lost, even for a moment, because the next one may lead to another
Redis that has other changes under the same numbers; and when other settings take effect, because they make other
documents. Last kills are never forgotten: a Redis that has lost time may not know of a kill, and what it holds must not
be shown until its log has passed the kill.

Three threads write: the one that listens to Redis, the one that reads settings, and the event loop. They take a lock.
Whoever reads, does so without it: every value is replaced in one step.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Literal

DocumentState = Literal["current", "stale", "killed"]


class FeedHeads:
    """The heads and last kills of all feeds that were ever asked for here."""

    def __init__(self) -> None:
        self.generation = 0
        self.redis_answers = True
        self._heads: dict[str, int] = {}
        self._last_kills: dict[str, int] = {}
        self._lock = Lock()

    def judge(self, feed: str, head: int, generation: int) -> DocumentState:
        """Return the state of a document that was made at this head of its feed, in this generation."""
        if head < self._last_kills.get(feed, 0):
            return "killed"
        return "current" if generation == self.generation and head >= self._heads.get(feed, 0) else "stale"

    def latest(self, feed: str) -> int:
        """Return the head of a feed as far as it is known; 0 when it is not."""
        return self._heads.get(feed, 0)

    def heard(self, feed: str) -> int:
        """Return the head of a feed if changes of it are heard of as they happen; 0 when it has to be asked for."""
        return self.latest(feed) if self.redis_answers else 0

    def feeds(self) -> list[str]:
        """Return the feeds that were ever asked for here."""
        return list(self._heads)

    def follow(self, feed: str) -> None:
        """Note changes of the feed from now on: somebody has asked for a document of it."""
        with self._lock:
            self._heads.setdefault(feed, 0)

    def changed(self, feed: str, head: int, last_kill: int = 0) -> None:
        """Note that the feed's log goes to `head`, and that its last kill is at `last_kill`."""
        with self._lock:
            # A feed that nobody has asked for has no documents here.
            if feed in self._heads:
                self._heads[feed] = max(head, self._heads[feed])
                self._note_kill(feed, last_kill)

    def read(self, feed: str, head: int, generation: int) -> None:
        """Note that a document was made at `head`, so that a log that is found to be shorter is known to be another."""
        with self._lock:
            if generation == self.generation:
                self._heads[feed] = max(head, self._heads.get(feed, 0))

    def receded(self, heads: Mapping[str, tuple[int, int]]) -> list[str]:
        """Return the feeds whose head or last kill in Redis is less than was known: Redis has lost time."""
        return [
            feed
            for feed, (head, last_kill) in heads.items()
            if head < self._heads.get(feed, 0) or last_kill < self._last_kills.get(feed, 0)
        ]

    def redis_lost(self) -> None:
        """Note that Redis does not answer. Stale documents are then the newest that can be had."""
        self.redis_answers = False

    def redis_back(self, heads: Mapping[str, tuple[int, int]]) -> None:
        """Begin a generation with these heads and last kills, which were read from a Redis that answers again."""
        with self._lock:
            self.generation += 1
            for feed, (_, last_kill) in heads.items():
                self._note_kill(feed, last_kill)
            self._heads = {feed: heads.get(feed, (0, 0))[0] for feed in self._heads}
            self.redis_answers = True

    def settings_changed(self) -> None:
        """Begin a generation because other settings are in force."""
        with self._lock:
            self.generation += 1

    def _note_kill(self, feed: str, last_kill: int) -> None:
        self._last_kills[feed] = max(last_kill, self._last_kills.get(feed, 0))
