"""The documents that a web process has made and keeps, so that a request asks nobody.

The cache maps the path of a document to the document, with its feed and the generation in which it was made, and asks
`FeedHeads` whether it may still be served. What is current is served as it is. Anything else is made anew at the next
request, once however many ask, in a thread; when that fails or takes too long, a stale document is served, a killed one
never. Documents that were not asked for the longest go first when the cache is full. All of it happens in the event
loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from cachetools import LRUCache
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool

from feeds.patterns import pattern_of
from web.content_coding import IDENTITY
from web.feed_heads import FeedHeads
from web.representation import Representation
from web.single_flight import SingleFlight
from worker.documents.quality_gate import FeedRefused

_MOST_BYTES = 256 * 1024 * 1024
_PATIENCE_SECONDS = 1.0
"""How long a request waits for a newer document when there is a stale one."""
_DELTA_BASES = 50_000
"""Documents whose heads are remembered after the documents have gone."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What can be asked for: its key, the feed whose changes change it ("" when none does), and how it is made.

    `make` runs in a thread. It raises LookupError when there is no such document (any more), redis.RedisError and
    FeedRefused.
    """

    key: str
    feed: str
    make: Callable[[], Representation] = field(compare=False)


class CachedDocument(NamedTuple):
    """A document, the feed whose changes change it, and the generation in which it was made."""

    feed: str
    generation: int
    document: Representation


class DeltaBase(NamedTuple):
    """The head at which a document was made, and the generation."""

    head: int
    generation: int


class Withheld(Exception):
    """A document may have the text of an article that was killed: Redis has lost time and does not know of the kill."""


class DocumentCache:
    """The documents, at most `most_bytes` of them with their codings."""

    def __init__(self, heads: FeedHeads, most_bytes: int = _MOST_BYTES) -> None:
        self._heads = heads
        self._delta_bases: LRUCache[str, DeltaBase] = LRUCache(_DELTA_BASES)
        self._work: SingleFlight[Representation] = SingleFlight()
        self._most_bytes = most_bytes
        self._documents = self._empty()
        self._private: frozenset[str] = frozenset()

    def keep_private(self, feeds: Collection[str]) -> None:
        """Serve nothing from now on that was made while one of these feeds or patterns of feeds was public.

        From any thread. Not even while Redis is away: what was made for everybody may be stale, but not private.
        """
        became_private = frozenset(feeds) - self._private
        self._private = frozenset(feeds)
        if became_private:
            self._documents = self._empty()

    def _empty(self) -> LRUCache[str, CachedDocument]:
        return LRUCache(self._most_bytes, getsizeof=lambda cached: cached.document.size)

    def current(self, key: str) -> Representation | None:
        """Return a document if there is one that may be served at once."""
        try:
            cached = self._documents[key]
        except KeyError:
            return None
        state = self._heads.judge(cached.feed, cached.document.head, cached.generation)
        if state == "current" or (state == "stale" and not self._heads.redis_answers):
            return cached.document
        return None

    async def get(self, resource: Resource, coding: str) -> Representation:
        """Return the newest document that can be had, in a coding.

        Raises what `resource.make` raises, if there is no stale document to serve instead; and Withheld.
        """
        document = self.current(resource.key)
        if document is None:
            document = await self._make_or_fall_back(resource)
            if self._heads.judge(resource.feed, document.head, self._heads.generation) == "killed":
                raise Withheld(resource.feed)
        if coding != IDENTITY and not document.has(coding):
            # A client that goes away must not cancel it for the others.
            document = await asyncio.shield(self._begin_to_encode(resource.key, document, coding))
        return document

    def heard(self, feed: str) -> int:
        """Return the head of a feed, which changes as soon as the feed does; 0 while it has to be asked for."""
        return self._heads.heard(feed)

    def head_of(self, digest: str) -> int | None:
        """Return the head at which the document with this digest was made; None when it is not remembered.

        In another generation the number may stand for another change, so it counts in its own only.
        """
        base = self._delta_bases.get(digest)
        return base.head if base is not None and base.generation == self._heads.generation else None

    async def _make_or_fall_back(self, resource: Resource) -> Representation:
        """Have a document made. While Redis stalls, a stale one is better than to wait."""
        make, key = partial(self._make, resource), (resource.key, self._heads.generation)
        fallback = self._fallback(resource.key)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS if fallback else None):
                document = await self._work.run(key, make)
                if document.head < self._heads.latest(resource.feed):
                    # It was under way already when the feed changed.
                    document = await self._work.run(key, make)
                return document
        except TimeoutError:
            assert fallback is not None  # without one there is no limit
            return fallback

    async def _make(self, resource: Resource) -> Representation:
        # Before the document is made: if the generation ends meanwhile, the document is stale from the start.
        generation = self._heads.generation
        self._heads.follow(resource.feed)
        try:
            document = await run_in_threadpool(resource.make)
        except LookupError:
            self._documents.pop(resource.key, None)  # it must not come back when Redis can't be asked
            raise
        except (RedisError, FeedRefused):
            # /readyz or the log says what is wrong.
            if fallback := self._fallback(resource.key):
                return fallback
            raise
        self._heads.read(resource.feed, document.head, generation)
        former = self._documents.get(resource.key)
        self._put(resource.key, CachedDocument(resource.feed, generation, document))
        if former is not None:
            # Whoever asks for one of these next finds it made.
            for coding in former.document.codings:
                self._begin_to_encode(resource.key, document, coding)
        return document

    def _fallback(self, key: str) -> Representation | None:
        """Return a document that may be served when no newer one can be had."""
        cached = self._documents.get(key)
        if cached is None or self._heads.judge(cached.feed, cached.document.head, cached.generation) == "killed":
            return None
        return cached.document

    def _begin_to_encode(self, key: str, document: Representation, coding: str) -> asyncio.Future[Representation]:
        return self._work.begin((key, document.digest, coding), partial(self._encode, key, document, coding))

    async def _encode(self, key: str, document: Representation, coding: str) -> Representation:
        await run_in_threadpool(document.encode, coding)
        cached = self._documents.get(key)
        if cached is not None and cached.document is document:
            self._put(key, cached)  # again, because it has grown
        return document

    def _put(self, key: str, cached: CachedDocument) -> None:
        self._documents.pop(key, None)
        if key.startswith("/") and not self._private.isdisjoint((cached.feed, pattern_of(cached.feed))):
            # It was under way when its feed became private. What those with a key are served has another kind of key.
            return
        if cached.document.size <= self._documents.maxsize:
            self._documents[key] = cached
            self._delta_bases[cached.document.digest] = DeltaBase(cached.document.head, cached.generation)
