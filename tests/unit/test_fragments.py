"""Fragments are kept while there is room."""

from __future__ import annotations

from datetime import UTC, datetime

from feeds.article import Article
from feeds.rights import EVERYTHING, Rights
from worker.documents.fragments import Fragments
from worker.store.articles import StoredArticle

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def held(name: str, rev: int = 1) -> StoredArticle:
    said = Article(id=name, version=rev, headline="H", url="https://e.example/", published=NOON, updated=NOON)
    return StoredArticle(said, str(rev), frozenset(), 0)


def test_a_fragment_is_of_a_revision_a_format_and_rights() -> None:
    kept = Fragments(100_000)
    kept.keep("rss", held("a"), EVERYTHING, b"one")
    assert kept.get("rss", held("a"), EVERYTHING) == b"one"
    cut = Rights(text="summary")
    for other in (("atom", held("a"), EVERYTHING), ("rss", held("a", 2), EVERYTHING), ("rss", held("a"), cut)):
        assert kept.get(*other) is None
    kept.keep("rss", held("a"), cut, b"")
    assert (kept.get("rss", held("a"), cut), kept.get("rss", held("a"), EVERYTHING)) == (b"", b"one")


def test_the_oldest_go_first_and_empty_ones_take_room_too() -> None:
    kept = Fragments(10_000)
    for number in range(9):
        kept.keep("rss", held(str(number)), EVERYTHING, b"x" * 1000)
    assert [kept.get("rss", held(str(number)), EVERYTHING) is None for number in range(9)] == [True, True, *[False] * 7]
    kept.keep("rss", held("8"), EVERYTHING, b"x" * 1000)  # the same again is no more
    assert kept.get("rss", held("2"), EVERYTHING) is not None
    for number in range(100):
        kept.keep("msn", held(str(number)), EVERYTHING, b"")
    assert kept.get("rss", held("8"), EVERYTHING) is None
    assert sum(kept.get("msn", held(str(number)), EVERYTHING) is not None for number in range(100)) < 40
