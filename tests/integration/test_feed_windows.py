"""What is kept of the windows of feeds: articles once however many feeds have them, and nothing from another Redis."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from news_desk import Desk, article

from feeds.article import Article
from worker.documents.feed_windows import FeedWindows, _LastWindows, _room
from worker.store.articles import StoredArticle
from worker.store.changes import Head, Window

OF_BOTH = ("all", "world")


def published(desk: Desk, *events: dict[str, object]) -> None:
    desk.accept(*events)
    desk.consumer().consume()


def test_an_article_is_kept_and_counted_once_for_all_its_feeds(desk: Desk) -> None:
    published(
        desk, *(article(f"a{number}", section="World", body_html=f"<p>{'x' * 20_000}</p>") for number in range(4))
    )
    # Room for the articles of one feed, and hardly for those of two.
    windows = FeedWindows(desk.store, most=250_000)
    feeds = desk.site.named(OF_BOTH)
    for feed in feeds:
        windows.read(feed)
    read = mock.Mock(wraps=desk.store.articles.get_many)
    with mock.patch.object(desk.store.articles, "get_many", read):
        published(desk, article("a0", 2, section="World"))
        read.reset_mock()
        both = [windows.read(feed)[1] for feed in feeds]
    assert [["a0"], ["a0"]] == [list(call.args[0]) for call in read.call_args_list]
    for name in both[0]:
        assert both[0][name] is both[1][name]
    assert 2 == both[0]["a0"].article.version


def test_the_oldest_windows_go_when_there_is_no_room(desk: Desk) -> None:
    published(
        desk, *(article(f"a{number}", section="World", body_html=f"<p>{'x' * 20_000}</p>") for number in range(4))
    )
    windows = FeedWindows(desk.store, most=10_000)
    (feed, _) = desk.site.named(OF_BOTH)
    read = mock.Mock(wraps=desk.store.articles.get_many)
    with mock.patch.object(desk.store.articles, "get_many", read):
        for _ in range(2):
            assert 4 == len(windows.read(feed)[1])
    assert [4, 4] == [len(call.args[0]) for call in read.call_args_list]


def test_redis_is_not_asked_by_whoever_hears_of_changes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    published(desk, article("a"))
    windows, (feed, _) = FeedWindows(desk.store), desk.site.named(OF_BOTH)
    head = windows.read(feed, 1)[0].head.seq
    published(desk, article("b"))
    asked = mock.Mock(wraps=desk.store.changes.window)
    monkeypatch.setattr(desk.store.changes, "window", asked)
    assert ("a",) == windows.read(feed, head)[0].members
    assert 0 == asked.call_count
    assert ("b", "a") == windows.read(feed, head + 1)[0].members
    assert ("b", "a") == windows.read(feed, 0)[0].members
    assert 2 == asked.call_count
    windows.forget()
    assert ("b", "a") == windows.read(feed, 1)[0].members
    assert 3 == asked.call_count


def test_what_was_begun_to_be_read_from_another_redis_is_not_kept(desk: Desk) -> None:
    published(desk, article("a"))
    windows, (feed, _) = FeedWindows(desk.store), desk.site.named(OF_BOTH)
    get_many = desk.store.articles.get_many

    def lost_meanwhile(names: list[str]) -> object:
        windows.forget()
        return get_many(names)

    with mock.patch.object(desk.store.articles, "get_many", lost_meanwhile):
        windows.read(feed)
    asked = mock.Mock(wraps=desk.store.changes.window)
    with mock.patch.object(desk.store.changes, "window", asked):
        windows.read(feed, 1)
    assert 1 == asked.call_count
    assert asked.call_args.args[2] is None


FEEDS = st.sampled_from(["a", "b", "c"])
REVISIONS = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.integers(1, 3), max_size=3)


@given(st.lists(st.tuples(FEEDS, REVISIONS), max_size=12), st.sampled_from([2_000, 9_000, 100_000]))
def test_each_article_is_counted_as_often_as_it_is_there(kept: list[tuple[str, dict[str, int]]], most: int) -> None:
    windows = _LastWindows(most)
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    for feed, revisions in kept:
        # As they are read: what has not changed is the object of before.
        _, former = windows.get(feed)
        articles = {}
        for name, rev in revisions.items():
            text = Article(id=name, version=rev, headline="H", url="https://e.example/", published=noon, updated=noon)
            read = StoredArticle(text, str(rev), frozenset(), 0, size=1_000 * rev)
            articles[name] = former[name] if name in former and former[name].rev == read.rev else read
        windows.keep(feed, Window(Head(1, 0), tuple(articles), ()), articles, windows.era)
        there = [stored for _, members in windows._windows.values() for stored in members.values()]
        counts = Counter((stored.article.id, stored.rev) for stored in there)
        assert counts == {key: count for key, (_, count) in windows._articles.items()}
        sizes = {(stored.article.id, stored.rev): stored.size for stored in there}
        rooms = sum(_room(members) for _, members in windows._windows.values())
        assert windows._size == sum(sizes.values()) + rooms <= most
        assert len({id(stored) for stored in there}) == len(counts)
