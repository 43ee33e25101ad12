"""Fragments are kept while there is room."""

from __future__ import annotations

from datetime import UTC, datetime

from feeds.article import Article
from feeds.rights import EVERYTHING, Rights
from worker.documents.fragment_cache import FragmentCache
from worker.store.articles import StoredArticle

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def stored(name: str, rev: int = 1) -> StoredArticle:
    article = Article(id=name, version=rev, headline="H", url="https://e.example/", published=NOON, updated=NOON)
    return StoredArticle(article, str(rev), frozenset(), 0)


def get(cache: FragmentCache, format_key: str, article: StoredArticle, rights: Rights) -> bytes | None:
    [fragment] = cache.get(format_key, [article], rights)
    return fragment


def test_a_fragment_is_of_a_revision_a_format_and_rights() -> None:
    cache = FragmentCache(100_000)
    cache.keep("rss", stored("a"), EVERYTHING, b"whole")
    assert get(cache, "rss", stored("a"), EVERYTHING) == b"whole"
    summaries = Rights(text="summary")
    for key in (
        ("atom", stored("a"), EVERYTHING),
        ("rss", stored("a", 2), EVERYTHING),
        ("rss", stored("a"), summaries),
    ):
        assert get(cache, *key) is None
    cache.keep("rss", stored("a"), summaries, b"")
    assert (get(cache, "rss", stored("a"), summaries), get(cache, "rss", stored("a"), EVERYTHING)) == (b"", b"whole")
    both = cache.get("rss", [stored("b"), stored("a")], EVERYTHING)
    assert both == [None, b"whole"]


def test_the_oldest_go_first_and_empty_fragments_take_room_too() -> None:
    cache = FragmentCache(10_000)

    def cached(format_name: str, count: int) -> list[bool]:
        articles = [stored(str(number)) for number in range(count)]
        return [fragment is not None for fragment in cache.get(format_name, articles, EVERYTHING)]

    for number in range(9):
        cache.keep("rss", stored(str(number)), EVERYTHING, b"x" * 1000)
    assert cached("rss", 9) == [False, False, *[True] * 7]
    cache.keep("rss", stored("8"), EVERYTHING, b"x" * 1000)  # the same fragment again takes no more room
    assert cached("rss", 3)[2]
    for number in range(100):
        cache.keep("msn", stored(str(number)), EVERYTHING, b"")
    assert not cached("rss", 9)[8]
    assert sum(cached("msn", 100)) < 40
