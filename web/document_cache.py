"""The documents that a web process holds, so that a request asks nobody.

A held document is behind when its head is less than its feed's: it is then made anew at the next request, once, however
many ask. Everything here happens in the event loop but `changed`, `away` and `back`, which a thread that listens to
Redis calls, and `renew`: each is one assignment that readers see whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from cachetools import LRUCache
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool

from web.content_coding import IDENTITY
from web.representation import Representation
from worker.documents.quality_gate import FeedRefused

_BYTES = 256 * 1024 * 1024
"""What is held at the most; what was not asked for the longest goes first."""
_PATIENCE_SECONDS = 1.0
"""How long who asks for a document waits for a newer one than is held."""
_TAGS = 50_000
"""Documents of which it is remembered at which head they were made, after they have gone."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What can be asked for: its key, the feed whose changes change it ("" when none does), and how it is made."""

    key: str
    feed: str
    make: Callable[[], Representation] = field(compare=False)


class _Held(NamedTuple):
    feed: str
    era: int
    document: Representation


class Withheld(Exception):
    """A document would have the text of an article that was killed: Redis has lost time, and knows nothing of it."""


class Shelf:
    """The documents."""

    def __init__(self, most: int = _BYTES) -> None:
        self._held: LRUCache[str, _Held] = LRUCache(most, getsizeof=lambda held: held.document.size)
        self._making: dict[tuple[str, str], asyncio.Future[Representation]] = {}
        self._heads: dict[str, int] = {}  # a number for each feed that was ever asked for here
        self._kills: dict[str, int] = {}  # never forgotten: a Redis that has lost time may not know of a kill any more
        self._tags: LRUCache[str, int] = LRUCache(_TAGS)
        self._era = 0
        self._away = False

    def changed(self, feed: str, head: int, kill: int = 0) -> None:
        """The feed's log ends at `head`; its last kill is at `kill`."""
        if head > self._heads.get(feed, head):
            self._heads[feed] = head
            self._killed_at(feed, kill)

    def away(self) -> None:
        """Redis does not answer: what is held is good, as there is nothing better, but for what was killed since."""
        self._away = True

    def back(self, heads: Mapping[str, tuple[int, int]]) -> None:
        """Redis is heard again, and these heads and last kills were read from it.

        What happened meanwhile was not heard, so all is made anew. It may even be another Redis that knows less: where
        a log ends before a kill that was heard of, nothing is served until it ends after it.
        """
        for feed, (_, kill) in heads.items():
            self._killed_at(feed, kill)
        self._heads = dict.fromkeys(self._heads, 0) | {
            feed: head for feed, (head, _) in heads.items() if feed in self._heads
        }
        # Another Redis has other changes under the numbers that these documents were made at.
        self._tags = LRUCache(_TAGS)
        self._era += 1
        self._away = False

    def renew(self) -> None:
        """Other settings hold: all is made anew. What is held is served while it can't be."""
        self._tags = LRUCache(_TAGS)
        self._era += 1

    def lost(self, heads: Mapping[str, tuple[int, int]]) -> list[str]:
        """Return the feeds whose logs or kills end earlier than was known: Redis has lost time, or is another one."""
        return [
            feed
            for feed, (head, kill) in heads.items()
            if head < self._heads.get(feed, 0) or kill < self._kills.get(feed, 0)
        ]

    def feeds(self) -> list[str]:
        """Return the feeds that were ever asked for here."""
        return list(self._heads)

    def current(self, key: str) -> Representation | None:
        """Return a document if it is held and up to date."""
        held = self._held.get(key)
        if held is None or self._killed(held.feed, held.document):
            return None
        fresh = held.era == self._era and held.document.head >= self._heads.get(held.feed, 0)
        return held.document if fresh or self._away else None

    def _killed_at(self, feed: str, kill: int) -> None:
        self._kills[feed] = max(kill, self._kills.get(feed, 0))

    def _killed(self, feed: str, document: Representation) -> bool:
        """Whether a document may have the text of an article that was killed since it was made."""
        return document.head < self._kills.get(feed, 0)

    async def get(self, resource: Resource, coding: str) -> Representation:
        """Return a document up to date and in a coding, made if need be.

        Raises redis.RedisError or FeedRefused when it has to be made and can't, and none is held; Withheld when what
        Redis says is older than a kill.
        """
        document = self.current(resource.key)
        if document is None:
            document = await self._made(resource)
            if self._killed(resource.feed, document):
                raise Withheld(resource.feed)
        if coding != IDENTITY and not document.has(coding):
            encode = partial(self._encode, resource.key, document, coding)
            document = await self._once((resource.key, f"{document.digest}-{coding}"), encode)
        return document

    async def _made(self, resource: Resource) -> Representation:
        """Have it made; while Redis stalls, the last good one is better than to wait."""
        make, key = partial(self._make, resource), (resource.key, str(self._era))
        held = self._held.get(resource.key)
        good = held is not None and not self._killed(held.feed, held.document)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS if good else None):
                document = await self._once(key, make)
                if document.head < self._heads.get(resource.feed, 0):
                    # What others had begun to make was behind when it was done.
                    document = await self._once(key, make)
                return document
        except TimeoutError:
            assert held is not None  # without one there is no limit
            return held.document

    def head_of(self, digest: str) -> int | None:
        """Return the head at which the document with this digest was made; None when it is not remembered."""
        return self._tags.get(digest)

    async def _once(self, key: tuple[str, str], work: Callable[[], Awaitable[Representation]]) -> Representation:
        future = self._making.get(key)
        if future is None:
            future = self._making[key] = asyncio.ensure_future(work())
            future.add_done_callback(lambda _: self._making.pop(key))
        # One who goes away must not end it for the others.
        return await asyncio.shield(future)

    async def _make(self, resource: Resource) -> Representation:
        era = self._era  # before the heads: `back` sets it after them
        self._heads.setdefault(resource.feed, 0)
        try:
            document = await run_in_threadpool(resource.make)
        except LookupError:
            self._held.pop(resource.key, None)  # it is no more, also when Redis can't be asked
            raise
        except (RedisError, FeedRefused):
            held = self._held.get(resource.key)
            if held is None or self._killed(held.feed, held.document):
                raise
            return held.document  # the last good one is better than none, and /readyz or the log says what is wrong
        if era == self._era and document.head > self._heads[resource.feed]:
            # So that a log that ends earlier at the next look is known to be another one.
            self._heads[resource.feed] = document.head
        self._keep(resource.key, _Held(resource.feed, era, document))
        return document

    async def _encode(self, key: str, document: Representation, coding: str) -> Representation:
        await run_in_threadpool(document.encode, coding)
        held = self._held.get(key)
        if held is not None and held.document is document:
            self._keep(key, held)  # again, as it has grown
        return document

    def _keep(self, key: str, held: _Held) -> None:
        self._held.pop(key, None)
        if held.document.size <= self._held.maxsize:
            self._held[key] = held
            self._tags[held.document.digest] = held.document.head
