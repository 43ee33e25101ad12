"""Pages of killed articles in the store: looked at until done with, once more for an answer, anew for another kill."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from feeds.article import Article
from worker.store import Store
from worker.store.articles import NEW
from worker.store.page_checks import PageCheck, PageSighting

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KILL = PageSighting(version=3, killed=1_000)


def taken(store: Store, now: int, deadline: int = 90_000) -> list[PageCheck]:
    return store.page_checks.claim_due("f", now, 10, deadline)


def expect(store: Store, seen: PageSighting = KILL, due: int = 6_000) -> None:
    store.page_checks.schedule("f", ["p", "q"], "a:1", seen, due)


def due(store: Store, now: int) -> int:
    return store.receivers.sweep(["f"], now, 10)["f"].page_checks


def test_a_page_is_due_at_its_time_and_again_if_nothing_comes_of_it(store: Store) -> None:
    expect(store)
    assert (0, 2) == (due(store, 5_999), due(store, 6_000))
    assert [("p", "a:1", KILL), ("q", "a:1", KILL)] == [
        (page.endpoint, page.article_id, page.sighting) for page in taken(store, 6_000)
    ]
    assert ([], 0, 2) == (taken(store, 89_999), due(store, 89_999), due(store, 90_000))


def test_what_was_seen_is_kept_until_another_kill(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    there = replace(KILL, checks=1, checked=6_000, verdict="there", reason="the page has 3 of 9")
    assert store.page_checks.note(page, there, 36_000)
    expect(store)
    assert {"p": there, "q": KILL} == store.page_checks.sightings("f", ["p", "q", "r"], "a:1")
    [page] = taken(store, 36_000)
    assert there == page.sighting
    gone = replace(there, checks=2, checked=36_000, verdict="gone")
    assert store.page_checks.note(page, gone, None)
    assert ["q"] == [page.endpoint for page in taken(store, 10**9)]
    expect(store)
    assert gone == store.page_checks.sightings("f", ["p"], "a:1")["p"]

    later = PageSighting(version=5, killed=10**10)
    expect(store, later, due=10**10)
    assert [later, later] == [page.sighting for page in taken(store, 10**10)]


def test_what_was_seen_for_an_earlier_kill_is_no_news(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    later = PageSighting(version=5, killed=7_000)
    expect(store, later, due=12_000)
    assert not store.page_checks.note(page, replace(KILL, verdict="gone"), None)
    store.page_checks.forget(page)
    assert later == store.page_checks.sightings("f", ["p"], "a:1")["p"]
    assert due(store, 12_000) == 2


def test_a_page_that_was_done_with_is_looked_at_again(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    assert store.page_checks.note(page, replace(KILL, checks=1, verdict="gone"), None)
    store.page_checks.bring_forward("f", "p", ["a:1", "unknown"], 20_000)
    assert ["p"] == [page.endpoint for page in taken(store, 20_000)]
    store.page_checks.bring_forward("f", "r", ["a:1"], 20_000)
    assert taken(store, 20_000) == []


def test_a_page_that_is_brought_forward_while_it_is_looked_at_is_looked_at_again(store: Store) -> None:
    expect(store)
    page, other = taken(store, 6_000)
    store.page_checks.bring_forward("f", "p", ["a:1"], 11_000)
    store.page_checks.bring_forward("f", "q", ["a:1"], 11_000)
    gone = replace(KILL, checks=1, verdict="gone")
    assert store.page_checks.note(page, gone, None)
    assert store.page_checks.note(other, replace(gone, verdict="there"), 40_000)
    assert [gone, replace(gone, verdict="there")] == [page.sighting for page in taken(store, 11_000)]


def test_to_bring_forward_delays_nothing(store: Store) -> None:
    expect(store)
    store.page_checks.bring_forward("f", "p", ["a:1"], 20_000)
    assert len(taken(store, 6_000)) == 2


def test_a_page_is_forgotten(store: Store) -> None:
    expect(store)
    page, _ = taken(store, 6_000)
    store.page_checks.forget(page)
    assert "p" not in store.page_checks.sightings("f", ["p", "q"], "a:1")
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
