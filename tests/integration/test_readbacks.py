"""Pages of killed articles in the store: looked at until done with, once more for an answer, anew for another kill."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from feeds.article import Article
from worker.store import Store
from worker.store.articles import NEW
from worker.store.readbacks import Page, Seen

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KILL = Seen(version=3, since=1_000)


def taken(store: Store, now: int, deadline: int = 90_000) -> list[Page]:
    return store.readbacks.take("f", now, 10, deadline)


def expect(store: Store, seen: Seen = KILL, due: int = 6_000) -> None:
    store.readbacks.expect("f", ["p", "q"], "a:1", seen, due)


def due(store: Store, now: int) -> int:
    return store.receivers.sweep(["f"], now, 10)["f"].looks


def test_a_page_is_due_at_its_time_and_again_if_nothing_comes_of_it(store: Store) -> None:
    expect(store)
    assert (0, 2) == (due(store, 5_999), due(store, 6_000))
    assert [("p", "a:1", KILL), ("q", "a:1", KILL)] == [
        (page.endpoint, page.article_id, page.seen) for page in taken(store, 6_000)
    ]
    assert ([], 0, 2) == (taken(store, 89_999), due(store, 89_999), due(store, 90_000))


def test_what_was_seen_is_kept_until_another_kill(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    there = replace(KILL, looks=1, last=6_000, verdict="there", why="the page has 3 of 9")
    assert store.readbacks.looked(page, there, 36_000)
    expect(store)
    assert {"p": there, "q": KILL} == store.readbacks.seen("f", ["p", "q", "r"], "a:1")
    [page] = taken(store, 36_000)
    assert there == page.seen
    gone = replace(there, looks=2, last=36_000, verdict="gone")
    assert store.readbacks.looked(page, gone, None)
    assert ["q"] == [page.endpoint for page in taken(store, 10**9)]
    expect(store)
    assert gone == store.readbacks.seen("f", ["p"], "a:1")["p"]

    later = Seen(version=5, since=10**10)
    expect(store, later, due=10**10)
    assert [later, later] == [page.seen for page in taken(store, 10**10)]


def test_what_was_seen_for_an_earlier_kill_is_no_news(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    later = Seen(version=5, since=7_000)
    expect(store, later, due=12_000)
    assert not store.readbacks.looked(page, replace(KILL, verdict="gone"), None)
    store.readbacks.forget(page)
    assert later == store.readbacks.seen("f", ["p"], "a:1")["p"]
    assert due(store, 12_000) == 2


def test_a_page_that_was_done_with_is_looked_at_again(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    assert store.readbacks.looked(page, replace(KILL, looks=1, verdict="gone"), None)
    store.readbacks.again("f", "p", ["a:1", "unknown"], 20_000)
    assert ["p"] == [page.endpoint for page in taken(store, 20_000)]
    store.readbacks.again("f", "r", ["a:1"], 20_000)
    assert taken(store, 20_000) == []


def test_a_page_that_is_brought_forward_while_it_is_looked_at_is_looked_at_again(store: Store) -> None:
    expect(store)
    page, other = taken(store, 6_000)
    store.readbacks.again("f", "p", ["a:1"], 11_000)
    store.readbacks.again("f", "q", ["a:1"], 11_000)
    gone = replace(KILL, looks=1, verdict="gone")
    assert store.readbacks.looked(page, gone, None)
    assert store.readbacks.looked(other, replace(gone, verdict="there"), 40_000)
    assert [gone, replace(gone, verdict="there")] == [page.seen for page in taken(store, 11_000)]


def test_to_bring_forward_delays_nothing(store: Store) -> None:
    expect(store)
    store.readbacks.again("f", "p", ["a:1"], 20_000)
    assert len(taken(store, 6_000)) == 2


def test_a_page_is_forgotten(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    store.readbacks.forget(page)
    assert "p" not in store.readbacks.seen("f", ["p", "q"], "a:1")
    assert ["q"] == [page.endpoint for page in taken(store, 90_000)]


def test_fingerprints_are_kept_with_the_article(store: Store) -> None:
    article = Article(id="a", version=1, headline="h", url="https://x.example/", published=NOW, updated=NOW)
    first = store.articles.save(article, NEW, (), 1)
    assert first is not None
    assert first.fingerprints == ()
    second = store.articles.save(article, first.rev, (), 1, ("8aa", "3bb"))
    other = Store.connect(f"unix://{store.client.connection_pool.connection_kwargs['path']}")
    assert second == other.articles.get("a")
    assert second is not None
    assert second.fingerprints == ("8aa", "3bb")
    other.close()
