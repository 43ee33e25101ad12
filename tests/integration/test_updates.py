"""Updates that are documents of their own (IPTC ninjs, `evolvedFrom`): one article, whatever comes first."""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import Any
from unittest import mock

import pytest
from news_desk import Desk, article, kill
from records import hot_articles

from worker.store.articles import StoredArticle
from worker.takedown.coverage_report import coverage_report


def document(name: str, origin: str | None = None, version: int = 1, **more: Any) -> dict[str, Any]:
    """A document of a story; all of them say the same time, as systems that write whole seconds may."""
    told = article(name, version, url="https://herald.example/story", updated="2026-03-01T08:00:00Z", **more)
    if origin:
        told["article"]["evolved_from"] = origin
    return told


def story() -> list[dict[str, Any]]:
    return [document("a", version=7), document("b", "a"), document("c", "b", published="2026-03-01T10:00:00Z")]


def take(desk: Desk, *events: dict[str, Any], count: int = 1) -> None:
    consumers = [desk.consumer(f"w{number}") for number in range(count)]
    for event, consumer in zip(events, itertools.cycle(consumers), strict=False):
        desk.accept(event)
        consumer.consume()


def held(desk: Desk, name: str) -> StoredArticle:
    found = desk.store.articles.get(name)
    assert found is not None
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_documents_are_one_article_in_whatever_order_they_come(desk: Desk, order: tuple[int, ...]) -> None:
    said = story()
    take(desk, *(said[place] for place in order), count=2)
    assert ["a"] == desk.members("all") == desk.members("world")
    assert "c v1" == held(desk, "a").article.headline
    assert ["c v1"] == re.findall(r"<title>(\w v1)</title>", desk.document("all"))
    # Once more, all of them: nothing changes.
    before = desk.store.changes.head("all").seq
    take(desk, *(dict(event, id=f"again-{place}") for place, event in enumerate(said)))
    assert (before, "c v1") == (desk.store.changes.head("all").seq, held(desk, "a").article.headline)


def test_an_update_keeps_the_first_publication_and_a_higher_version(desk: Desk) -> None:
    take(desk, *story())
    now = held(desk, "a").article
    assert (9, "2026-03-01T08:00:00+00:00") == (now.version, now.published.isoformat())


@pytest.mark.parametrize("named", ["a", "b", "c"])
@pytest.mark.parametrize("place", range(4))
def test_a_kill_of_any_document_kills_the_story_whenever_it_comes(desk: Desk, named: str, place: int) -> None:
    said = story()
    take(desk, *said[:place], kill(named), *said[place:], count=2)
    assert [] == desk.members("all")
    assert "canceled" == held(desk, "a").article.pubstatus
    assert "v1" not in desk.document("all")
    # Only this brings it back, under any of its ids.
    take(desk, document("c", "b", 2))
    assert [] == desk.members("all")
    take(desk, document("c", "b", 3) | {"type": "article.reinstated"})
    assert "c v3" == held(desk, "a").article.headline
    take(desk, document("c", "b", 4), document("c", "b", 3))
    assert (["a"], "c v4") == (desk.members("all"), held(desk, "a").article.headline)


def test_corrections_of_the_newest_document_count_and_of_what_it_replaced_do_not(desk: Desk) -> None:
    take(desk, document("a"), document("b", "a", 3))
    take(desk, document("a", version=9))
    assert "b v3" == held(desk, "a").article.headline
    take(desk, document("b", version=5), document("b", version=4))
    assert "b v5" == held(desk, "a").article.headline
    take(desk, document("b", "a", 6, pubstatus="canceled"))
    assert "canceled" == held(desk, "a").article.pubstatus


def test_of_two_updates_of_one_document_the_later_counts(desk: Desk) -> None:
    take(desk, document("a"))
    for name, hour in (("b", 9), ("c", 11), ("d", 10)):
        event = document(name, "a")
        event["article"]["updated"] = f"2026-03-01T{hour:02}:00:00Z"
        take(desk, event)
    assert "c v1" == held(desk, "a").article.headline


def test_a_kill_says_of_what_it_is_an_update_when_the_update_never_came(desk: Desk) -> None:
    event = kill("b")
    event["article"]["evolved_from"] = "a"
    take(desk, document("a"), event)
    assert "canceled" == held(desk, "a").article.pubstatus
    wrong = kill("x")
    wrong["article"]["evolved_from"] = ["no id"]
    take(desk, wrong)
    assert "canceled" == held(desk, "x").article.pubstatus


def test_documents_that_are_updates_of_each_other_are_no_circle(desk: Desk) -> None:
    take(desk, document("a", "b"), document("b", "a"), document("d", "d"))
    assert ["d", "b"] == desk.members("all")


def test_what_others_ask_by_the_id_of_an_update_is_the_article(desk: Desk) -> None:
    take(desk, *story())
    report = coverage_report(desk.store, hot_articles(desk.store), desk.site, "c")
    assert report is not None
    assert "a" == report.article.id
    order = {"id": "l1", "type": "list.updated", "list": {"name": "picks", "articles": ["c", "a", "b"]}}
    take(desk, order)
    assert ["a"] == desk.members("picks")


def test_a_list_that_picked_an_update_before_it_came_has_the_article(desk: Desk) -> None:
    take(desk, {"id": "l1", "type": "list.updated", "list": {"name": "picks", "articles": ["b"]}}, *story())
    assert ["a"] == desk.members("picks")


def test_a_kill_that_another_worker_carries_out_meanwhile_reaches_the_story(desk: Desk) -> None:
    take(desk, document("a"))
    desk.accept(kill("b"))
    killing, save = desk.consumer("w1"), desk.store.articles.save

    def late(*parts: Any, **due: Any) -> StoredArticle | None:
        # The kill was read when nobody knew of the update, and is saved when that is out.
        if parts[0].id == "b" and parts[0].pubstatus == "canceled" and not late_calls:
            late_calls.append(1)
            take(desk, document("b", "a"))
            assert "b v1" == held(desk, "a").article.headline
        return save(*parts, **due)

    late_calls: list[int] = []
    with mock.patch.object(desk.store.articles, "save", late):
        killing.consume_kills()
    assert late_calls
    assert ("canceled", []) == (held(desk, "a").article.pubstatus, desk.members("all"))


@pytest.mark.parametrize("step", range(12))
def test_a_worker_that_dies_while_it_merges_leaves_nothing_half_done(desk: Desk, step: int) -> None:
    take(desk, document("a"), document("c", "b"))
    assert ["c", "a"] != desk.members("all")
    desk.accept(document("b", "a"))

    class Died(BaseException):
        pass

    calls = itertools.count()
    run = desk.store.client.execute_command

    def dying(*parts: Any, **options: Any) -> Any:
        if parts[0] == "EVALSHA" and next(calls) == step:
            raise Died
        return run(*parts, **options)

    dead = desk.consumer("w1")
    with mock.patch.object(desk.store.client, "execute_command", dying), contextlib.suppress(Died):
        dead.consume()
    desk.store.client.delete("dateline:worker:w1")
    with mock.patch("worker.newsroom.event_consumer._AGAIN_MS", 0):
        desk.consumer("w2").take_over()
    desk.consumer("w2").consume()
    assert (["a"], "c v1") == (desk.members("all"), held(desk, "a").article.headline)
    assert 0 == desk.store.events.waiting()
