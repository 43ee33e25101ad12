"""What a web process holds: made once, made anew when behind, served when nothing better can be had, bounded."""

from __future__ import annotations

import asyncio
import threading

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from web import document_cache as module
from web.document_cache import DocumentCache, Resource, Withheld
from web.feed_heads import FeedHeads
from web.representation import Representation

KEY = "/feeds/a.atom"


class Source:
    """A feed whose head a test moves; counts how often its document is made."""

    def __init__(self) -> None:
        self.head = 1
        self.made = 0
        self.away = False
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def make(self) -> Representation:
        self.made += 1
        head = self.head
        self.begun.set()
        assert self.go_on.wait(60)
        if self.away:
            raise RedisConnectionError("gone")
        return Representation(b"document %d" % head, "text/plain", [], head, None)

    def resource(self, key: str = KEY) -> Resource:
        return Resource(key, "a", self.make)


def cached() -> tuple[DocumentCache, FeedHeads]:
    heads = FeedHeads()
    return DocumentCache(heads), heads


def body(cache: DocumentCache, source: Source, coding: str = "identity") -> bytes:
    return asyncio.run(cache.get(source.resource(), coding)).body


def test_a_document_is_made_once_and_anew_when_its_feed_has_changed() -> None:
    (cache, heads), source = cached(), Source()
    assert cache.current(KEY) is None
    assert [b"document 1"] * 2 == [body(cache, source) for _ in range(2)]
    assert source.made == 1

    source.head = 2
    heads.changed("b", 2)
    assert cache.current(KEY) is not None
    heads.changed("a", 2)
    assert cache.current(KEY) is None
    assert b"document 2" == body(cache, source)
    heads.changed("a", 1)
    assert cache.current(KEY) is not None
    assert source.made == 2


def test_the_codings_that_were_asked_for_are_made_anew_with_the_document() -> None:
    (cache, heads), source = cached(), Source()

    async def change() -> Representation:
        for coding in ("br", "gzip"):
            await cache.get(source.resource(), coding)
        source.head = 2
        heads.changed("a", 2)
        document = await cache.get(source.resource(), "identity")
        for _ in range(3000):
            if sorted(document.codings) == ["br", "gzip"]:
                break
            await asyncio.sleep(0.01)
        return document

    document = asyncio.run(change())
    assert (document.body, sorted(document.codings), source.made) == (b"document 2", ["br", "gzip"], 2)


def test_many_who_ask_at_once_have_it_made_once() -> None:
    (cache, _), source = cached(), Source()

    async def ask() -> list[Representation]:
        source.go_on.clear()
        asked = [asyncio.create_task(cache.get(source.resource(), "gzip")) for _ in range(50)]
        await asyncio.sleep(0.05)
        asked[0].cancel()
        source.go_on.set()
        return await asyncio.gather(*asked[1:])

    documents = asyncio.run(ask())
    assert {id(documents[0])} == set(map(id, documents))
    assert documents[0].has("gzip")
    assert source.made == 1


def test_who_asks_after_a_change_does_not_get_what_others_began_to_make_before_it() -> None:
    (cache, heads), source = cached(), Source()

    async def ask() -> tuple[Representation, Representation]:
        source.go_on.clear()
        early = asyncio.create_task(cache.get(source.resource(), "identity"))
        assert await asyncio.to_thread(source.begun.wait, 10)
        source.head = 2
        heads.changed("a", 2)
        late = asyncio.create_task(cache.get(source.resource(), "identity"))
        await asyncio.sleep(0.01)
        source.go_on.set()
        return await early, await late

    early, late = asyncio.run(ask())
    assert b"document 2" == late.body == early.body
    assert source.made == 2


def test_while_redis_is_away_what_is_held_is_served_and_afterwards_made_anew() -> None:
    (cache, heads), source = cached(), Source()
    body(cache, source)
    heads.changed("a", 2)
    source.away = True
    assert b"document 1" == body(cache, source)  # nobody has noticed yet
    tries = source.made
    heads.redis_lost()
    assert b"document 1" == body(cache, source)
    assert source.made == tries
    with pytest.raises(RedisConnectionError):
        asyncio.run(cache.get(source.resource("/feeds/a.rss"), "identity"))

    source.away = False
    heads.redis_back({"a": (0, 0)})
    assert cache.current(KEY) is None
    # Another Redis may know less than the one that went.
    source.head = 0
    assert b"document 0" == body(cache, source)
    assert cache.current(KEY) is not None


def test_what_is_held_is_bounded_in_bytes_with_its_codings() -> None:
    source = Source()
    size = asyncio.run(DocumentCache(FeedHeads()).get(source.resource(), "identity")).size
    cache = DocumentCache(FeedHeads(), 3 * size + 10)
    for number in range(3):
        asyncio.run(cache.get(source.resource(f"/{number}"), "identity"))
    assert cache.current("/0") is not None  # asked for, so /1 is the next to go
    assert asyncio.run(cache.get(source.resource("/2"), "br")).has("br")
    assert [name for name in ("/0", "/1", "/2") if cache.current(name)] == ["/0", "/2"]
    tiny = DocumentCache(FeedHeads(), 10)
    assert b"document 1" == asyncio.run(tiny.get(source.resource(), "identity")).body
    assert tiny.current(KEY) is None


def test_the_head_of_a_document_is_remembered_when_it_has_gone() -> None:
    (cache, heads), source = cached(), Source()
    first = asyncio.run(cache.get(source.resource(), "identity"))
    source.head = 7
    heads.changed("a", 7)
    second = asyncio.run(cache.get(source.resource(), "identity"))
    assert [1, 7, None] == [cache.head_of(digest) for digest in (first.digest, second.digest, "0" * 32)]


def test_what_was_made_before_a_kill_is_served_no_more_not_even_while_redis_is_away() -> None:
    (cache, heads), source = cached(), Source()
    assert b"document 1" == body(cache, source)
    heads.changed("a", 2)
    heads.redis_lost()
    assert cache.current(KEY) is not None  # behind, but the best there is
    heads.changed("a", 3, last_kill=3)
    source.away = True
    assert cache.current(KEY) is None
    with pytest.raises(RedisConnectionError):
        body(cache, source)
    source.away, source.head = False, 3
    assert b"document 3" == body(cache, source)
    assert cache.current(KEY) is not None


@pytest.mark.parametrize(("head", "kill"), [(2, 0), (0, 0)], ids=["a replica that lagged", "an empty Redis"])
def test_a_kill_that_redis_has_lost_keeps_the_text_from_readers_until_the_log_has_passed_it(
    head: int, kill: int
) -> None:
    (cache, heads), source = cached(), Source()
    assert b"document 1" == body(cache, source)
    heads.changed("a", 3, last_kill=3)
    heads.redis_lost()
    assert ["a"] == heads.receded({"a": (head, kill)})
    heads.redis_back({"a": (head, kill)})
    source.head = head
    assert cache.current(KEY) is None
    with pytest.raises(Withheld):
        body(cache, source)
    assert cache.current(KEY) is None
    source.head = 3
    heads.changed("a", 3, last_kill=3)
    assert b"document 3" == body(cache, source)


def test_a_kill_is_remembered_though_a_document_was_made_after_it_before_it_was_heard_of() -> None:
    (cache, heads), source = cached(), Source()
    source.head = 3
    assert b"document 3" == body(cache, source)
    heads.changed("a", 3, last_kill=3)
    assert cache.current(KEY) is not None
    assert ["a"] == heads.receded({"a": (3, 0)})
    heads.redis_back({"a": (2, 0)})
    source.head = 2
    with pytest.raises(Withheld):
        body(cache, source)


def test_while_redis_stalls_what_is_held_is_served_soon_but_for_what_was_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.05)
    (cache, heads), source = cached(), Source()

    async def ask() -> tuple[bytes, bool]:
        await cache.get(source.resource(), "identity")
        source.go_on.clear()
        heads.changed("a", 2)
        old = await asyncio.wait_for(cache.get(source.resource(), "identity"), 10)
        heads.changed("a", 3, last_kill=3)
        killed = asyncio.ensure_future(cache.get(source.resource(), "identity"))
        done, _ = await asyncio.wait({killed}, timeout=0.3)
        source.head = 3
        source.go_on.set()
        await killed
        return old.body, bool(done)

    assert (b"document 1", False) == asyncio.run(ask())


def test_what_was_made_says_where_the_log_ends() -> None:
    """Redis loses everything before the first look at a feed that was just asked for."""
    (cache, heads), source = cached(), Source()
    source.head = 5
    assert b"document 5" == body(cache, source)
    assert ["a"] == heads.receded({"a": (1, 0)})
    heads.redis_back({"a": (1, 0)})
    source.head = 1
    assert b"document 1" == body(cache, source)


def test_what_is_no_more_is_not_held() -> None:
    (cache, heads), source = cached(), Source()
    assert b"document 1" == body(cache, source)
    heads.changed("a", 2)

    def gone() -> Representation:
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(cache.get(Resource(KEY, "a", gone), "identity"))
    heads.redis_lost()
    assert cache.current(KEY) is None


def test_under_other_settings_all_is_made_anew_and_nobody_joins_what_was_begun_before() -> None:
    (cache, heads), source = cached(), Source()

    async def ask() -> tuple[Representation, Representation]:
        source.go_on.clear()
        before = asyncio.create_task(cache.get(source.resource(), "identity"))
        await asyncio.to_thread(source.begun.wait)
        heads.settings_changed()
        after = asyncio.create_task(cache.get(source.resource(), "identity"))
        await asyncio.sleep(0.05)
        source.go_on.set()
        return await before, await after

    before, after = asyncio.run(ask())
    assert before is not after
    assert source.made == 2

    # While Redis is away what is held is better than nothing, and what was killed stays killed.
    heads.settings_changed()
    source.away = True
    assert b"document 1" == body(cache, source)
    heads.changed("a", 2, last_kill=2)
    heads.settings_changed()
    with pytest.raises(RedisConnectionError):
        body(cache, source)
