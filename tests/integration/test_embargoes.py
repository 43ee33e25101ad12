"""Articles under embargo, and those that expire: who is told of them when, and what a feed shows meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from news_desk import Desk, article, kill

from worker import clock
from worker.documents.feed_payloads import PayloadRequest
from worker.store import keys


def test_an_article_that_can_not_be_released_keeps_no_other_under_embargo(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.newsroom.releases._AT_ONCE", 2)
    now = clock.now()
    moment = now + timedelta(hours=1)
    for number in range(5):
        desk.accept(article(f"a{number}", embargoed=(moment + timedelta(seconds=number)).isoformat()))
    consumer = desk.consumer()
    consumer.consume()
    for number in range(3):
        desk.store.client.hset(keys.article(f"a{number}"), mapping={"doc": "{", "rev": 99})
    later = moment + timedelta(seconds=10)
    while desk.release_due(later):
        pass
    assert ["a3", "a4"] == sorted(desk.members("all"))


def test_an_embargo_is_held_and_released_and_expiry_withdraws(desk: Desk) -> None:
    now = clock.now()
    moment, end = now + timedelta(hours=1), now + timedelta(hours=2)
    desk.accept(article("a", embargoed=moment.isoformat(), expires=end.isoformat()))
    consumer = desk.consumer()
    consumer.consume()
    assert desk.members("all") == []
    assert desk.release_due(now) == 0
    assert desk.release_due(moment + timedelta(milliseconds=1)) == 1
    assert ["a"] == desk.members("all")
    assert desk.release_due(end + timedelta(milliseconds=1)) == 1
    assert desk.members("all") == []
    assert desk.release_due(end + timedelta(days=1)) == 0


def test_an_embargoed_article_is_recorded_only_where_somebody_may_have_it_early(desk: Desk) -> None:
    desk.early = {"world"}
    tomorrow = clock.now() + timedelta(days=1)
    before = desk.document("world")
    desk.accept(article("a", embargoed=tomorrow.isoformat()))
    desk.consumer().consume()
    assert ("early", False) == (
        desk.store.changes.latest_of("world", ["a"])["a"].state,
        desk.store.changes.latest_of("world", ["a"])["a"].was_in_feed,
    )
    assert {} == desk.store.changes.latest_of("all", ["a"])
    assert before == desk.document("world")
    assert desk.store.changes.head("world").changed == 0
    desk.release_due(tomorrow)
    assert ("in", True) == (
        desk.store.changes.latest_of("world", ["a"])["a"].state,
        desk.store.changes.latest_of("world", ["a"])["a"].was_in_feed,
    )
    assert (["a"], ["a"]) == (desk.members("world"), desk.members("all"))


@pytest.mark.parametrize("then", ["kill", "withheld", "elsewhere"])
def test_what_only_some_were_told_of_leaves_no_trace_in_the_feed(desk: Desk, then: str) -> None:
    desk.early = {"world"}
    soon = (clock.now() + timedelta(days=1)).isoformat()
    desk.accept(article("a", embargoed=soon))
    desk.consumer().consume()
    before = desk.document("world")
    later = {
        "kill": kill("a"),
        "withheld": article("a", 2, embargoed=soon, pubstatus="withheld"),
        "elsewhere": article("a", 2, embargoed=soon, section="sport"),
    }
    desk.accept(later[then])
    desk.consumer().consume()
    change = desk.store.changes.latest_of("world", ["a"])["a"]
    assert ("killed" if then == "kill" else "out", False, 2) == (change.state, change.was_in_feed, change.seq)
    assert before == desk.document("world")
    assert desk.payload("world", "atom", PayloadRequest(0, 2)) is None


def test_an_article_that_comes_under_embargo_leaves_the_feed(desk: Desk) -> None:
    desk.early = {"world"}
    desk.accept(article("a"))
    desk.consumer().consume()
    soon = (clock.now() + timedelta(days=1)).isoformat()
    desk.accept(article("a", 2, embargoed=soon))
    desk.consumer().consume()
    assert "deleted-entry" in desk.document("world")
    assert [] == desk.members("world")
    gone = desk.document("world")
    desk.accept(article("a", 3, embargoed=soon))
    desk.consumer().consume()
    assert ("early", True, 3) == (
        desk.store.changes.latest_of("world", ["a"])["a"].state,
        desk.store.changes.latest_of("world", ["a"])["a"].was_in_feed,
        desk.store.changes.latest_of("world", ["a"])["a"].seq,
    )
    assert gone == desk.document("world")


def test_a_hundred_changes_that_a_feed_does_not_tell_hide_none_that_it_tells(desk: Desk) -> None:
    desk.early = {"world"}
    soon = (clock.now() + timedelta(days=1)).isoformat()
    desk.accept(*(article(f"a{n}", embargoed=soon) for n in range(205)), article("b"))
    desk.consumer().consume()
    payload = desk.payload("world", "atom", PayloadRequest(0, 206))
    assert payload is not None
    assert ({"b": (1, "published")}, 206) == (payload.statuses, payload.cursor)
