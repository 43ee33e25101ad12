"""How a web process hears of changes: what it may believe of a connection that is new."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import redis
from waiting import until

from web.change_listener import ChangeListener
from web.document_cache import DocumentCache, Resource
from web.feed_heads import FeedHeads
from web.representation import Representation
from worker.store import Store, keys
from worker.store.changes import ChangeLogs

FEED = "watched"
KEY = f"/feeds/{FEED}.atom"


def record(store: Store, article: str, version: int, state: str) -> int:
    return store.changes.record(article, version, version, {FEED: (state, version)})[FEED]  # type: ignore[dict-item]


def make(store: Store) -> Representation:
    head = store.changes.head(FEED).seq
    return Representation(b"document %d" % head, "text/plain", [], head, None)


@contextmanager
def watched(store: Store, changes: ChangeLogs) -> Iterator[DocumentCache]:
    """A cache that hears of changes and has the feed's document."""
    heads = FeedHeads()
    cache = DocumentCache(heads)
    listener = ChangeListener(changes, heads, lambda: None, lambda: None)
    listener.start()
    resource = Resource(KEY, FEED, lambda: make(store))
    try:
        # What is made before the listener has read the heads is made again.
        until(lambda: asyncio.run(cache.get(resource, "identity")) is cache.current(KEY), "the document to be cached")
        yield cache
    finally:
        listener.stop()


class Loading(ChangeLogs):
    """Change logs of a Redis that, while `loading`, answers subscriptions and nothing else, as Redis does."""

    loading = False

    def heads_and_kills(self, feeds: Sequence[str]) -> dict[str, tuple[int, int]]:
        if self.loading:
            raise redis.BusyLoadingError("Redis is loading the dataset in memory")
        return super().heads_and_kills(feeds)


def test_a_kill_is_not_forgotten_while_redis_loads(store: Store) -> None:
    record(store, "one", 1, "in")
    changes = Loading(store.client, store.changes._scripts, store.damaged_records)
    with watched(store, changes) as cache:
        record(store, "one", 2, "killed")
        # Not only that the document is stale, which it also is when the listener has just begun.
        until(lambda: cache._heads.judge(FEED, 1, 0) == "killed", "the kill to be heard of")
        changes.loading = True
        store.client.client_kill_filter(_type="pubsub")
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            assert cache.current(KEY) is None
            time.sleep(0.005)


def test_a_connection_that_was_made_anew_in_silence_is_noticed(store: Store) -> None:
    record(store, "one", 1, "in")
    with watched(store, store.changes) as cache:
        store.client.client_kill_filter(_type="pubsub")
        until(lambda: cache.current(KEY) is None, "the document to be made anew")


@pytest.mark.parametrize("left", [1, 0])
def test_a_log_that_has_become_shorter_is_noticed_though_no_connection_was_lost(store: Store, left: int) -> None:
    for version in (1, 2, 3):
        record(store, "one", version, "in")
    with watched(store, store.changes) as cache:
        store.client.hset(keys.feed(FEED).meta, "head", left)
        until(lambda: cache.current(KEY) is None, "the document to be made anew")
        document = asyncio.run(cache.get(Resource(KEY, FEED, lambda: make(store)), "identity"))
        assert b"document %d" % left == document.body
