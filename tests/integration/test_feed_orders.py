"""What a person orders of a feed that was defined anew: nothing of it is told before, all of it after, once."""

from __future__ import annotations

from typing import Any

import pytest
from test_index_from_record import ALL, WORLD, Paper, article, fill

from worker import clock
from worker.newsroom import feed_orders
from worker.newsroom.feed_orders import articles_concerned
from worker.newsroom.newsroom import Newsroom
from worker.record import Record
from worker.record.articles import Membership, note_memberships
from worker.retention.recorded import RecordedArticles
from worker.store import Store
from worker.store.changes import Change

WIDE = WORLD.model_copy(update={"select": ()})


@pytest.fixture
def paper(store: Store, record: Record, monkeypatch: pytest.MonkeyPatch) -> Paper:
    monkeypatch.setattr(feed_orders, "_TURN_SECONDS", 0.001)
    return Paper(store, record)


def concerned(paper: Paper, action: Any, *endpoints: str) -> list[str]:
    articles = articles_concerned(paper.store, RecordedArticles(paper.record), "world", action, endpoints)
    return sorted(articles, key=articles.__getitem__)


def carry_out(paper: Paper, newsroom: Newsroom, action: Any, *endpoints: str) -> None:
    articles = articles_concerned(paper.store, RecordedArticles(paper.record), "world", action, endpoints)
    paper.store.feed_orders.give("world", action, articles, 1000, clock.ms(clock.now()))
    while newsroom.orders.carry_out() is not None:
        pass


def changes(paper: Paper) -> list[tuple[str, str]]:
    return [(change.article_id, change.state) for change in paper.store.changes.since("world", 0, 100)]


def test_what_was_placed_is_pushed_in_order_of_publication_cold_ones_too(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_record(*(article(n) for n in range(8)))
    paper.put_into_redis(article(9), article(8))
    newsroom = paper.worker(ALL, WORLD)
    fill(newsroom)
    assert changes(paper) == []
    expected = [f"a{n:05}" for n in range(10)]
    assert expected == concerned(paper, "push")
    carry_out(paper, newsroom, "push")
    assert [(name, "in") for name in expected] == changes(paper)
    assert concerned(paper, "push") == []
    order = paper.store.feed_orders.get("world")
    assert order is not None
    assert (0, 10, []) == (order.waiting, order.articles, paper.store.feed_orders.feeds())
    # Ordered once more, nothing goes twice.
    head = paper.store.changes.head("world").seq
    carry_out(paper, newsroom, "push")
    assert paper.store.changes.head("world").seq == head


def test_what_left_is_withdrawn_if_somebody_may_have_it(paper: Paper) -> None:
    newsroom = paper.worker(WIDE)
    fill(newsroom)
    sport = [article(n, "Sport") for n in range(4)]
    paper.put_into_redis(*sport, feeds=["world"])
    # 0 and 1 were pushed; 2 and 3 only placed, and an endpoint was sent 3 by a replay.
    for n in (0, 1):
        paper.store.changes.record(f"a{n:05}", 1, 1, {"world": ("in", n)})
    paper.store.changes.place(1, [(f"a{n:05}", 1, "world", "in", n) for n in (2, 3)])
    paper.store.client.hset("dateline:{feed:world}:ledger:e", "a00003", '{"version":1,"status":"published"}')
    # And one that is cold.
    paper.put_into_record(article(5, "Sport"), article(6, "Sport"))
    with paper.record.write() as connection:
        rows = [Membership("world", "a00005", "in", 1, 1, 5, 7), Membership("world", "a00006", "in", 1, 1, 6, 0)]
        note_memberships(connection, rows, 2**52)
    newsroom = paper.worker(WORLD)
    fill(newsroom)
    assert paper.store.changes.members("world") == []
    assert changes(paper) == []
    assert ["a00000", "a00001", "a00003", "a00005"] == concerned(paper, "withdraw", "e")
    carry_out(paper, newsroom, "withdraw", "e")
    assert [("a00000", "out"), ("a00001", "out"), ("a00003", "out"), ("a00005", "out")] == changes(paper)
    owed = paper.store.changes.owed_notices("world", "e", "left", 0, 100, unsure=False)
    assert ["a00003"] == [change.article_id for change in owed.changes]
    last: Change = paper.store.changes.since("world", 0, 100)[-1]
    assert (7, True) == (last.previous_seq, last.was_in_feed)


def test_one_that_changes_before_its_turn_is_left_alone(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_redis(article(1), article(2))
    newsroom = paper.worker(ALL, WORLD)
    fill(newsroom)
    articles = articles_concerned(paper.store, RecordedArticles(paper.record), "world", "push", [])
    paper.store.changes.record("a00001", 2, clock.ms(clock.now()), {"world": ("killed", 0)})
    paper.store.feed_orders.give("world", "push", articles, 1000, 1)
    while newsroom.orders.carry_out() is not None:
        pass
    assert [("a00001", "killed"), ("a00002", "in")] == changes(paper)


def test_another_worker_goes_on_and_older_ones_do_not(paper: Paper) -> None:
    older = paper.worker(ALL)
    fill(older)
    paper.put_into_redis(*(article(n) for n in range(6)))
    newsroom, other = paper.worker(ALL, WORLD), paper.worker(ALL, WORLD)
    fill(other)
    articles = articles_concerned(paper.store, RecordedArticles(paper.record), "world", "push", [])
    paper.store.feed_orders.give("world", "push", articles, 1000, 1)
    assert older.permit.renew() is None
    assert older.orders.carry_out() is None
    newsroom.permit.renew()
    newsroom.orders.carry_out()
    assert len(changes(paper)) == 1
    while other.orders.carry_out() is not None:
        pass
    assert len(changes(paper)) == 6
