"""From the stream to the change logs: what events do to articles and feeds."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from news_desk import PUBLISHED, Desk, article, kill, site, take_number

from feeds.article import Article
from feeds.definition import FeedDefinition, Selector
from feeds.fingerprint import fingerprints
from worker import clock
from worker.intake.accept import Intake
from worker.store import keys


def test_an_article_enters_stays_and_leaves(desk: Desk) -> None:
    desk.accept(article("a"), article("b"))
    desk.consumer().consume()
    assert ["b", "a"] == desk.members("world")
    desk.accept(article("a", 2), article("b", 2, section="sport"))
    desk.consumer().consume()
    assert (["a"], ["b", "a"]) == (desk.members("world"), desk.members("all"))
    assert desk.store.events.waiting() == 0


def test_a_kill_jumps_the_queue_and_wakes_urgently(desk: Desk) -> None:
    desk.store.receivers.enroll("all", "endpoint:one", {"endpoint": "one"})
    desk.accept(article("a"))
    desk.consumer().consume()
    desk.wakeups.calls.clear()
    desk.accept(*(article(f"n{n}") for n in range(5)))
    desk.accept(kill("a"))
    assert ("consume", True) in desk.wakeups.calls
    desk.consumer().consume()
    changes = desk.store.changes.since("all", 1, 100)
    assert ("a", "killed") == (changes[0].article_id, changes[0].state)
    assert ("all", True) in desk.wakeups.calls


def saying(version: int, text: str) -> dict[str, Any]:
    return article("a", version, headline="Ferries return", body_html=f"<p>{text}</p>")


def marks(event: dict[str, Any]) -> set[str]:
    told = {name: value for name, value in event["article"].items() if name != "published"}
    return set(fingerprints(Article(**told, published=PUBLISHED, updated=PUBLISHED)))


def test_of_a_killed_text_its_fingerprints_are_kept_until_it_comes_back(desk: Desk) -> None:
    first, second = (
        saying(1, "Boats leave the old quay every hour"),
        saying(2, "The last boat leaves the new quay at ten"),
    )
    fourth = saying(4, "Boats leave from the bridge until the storm is over")
    for event in (first, second, kill("a"), kill("a")):
        desk.accept(event)
        desk.consumer().consume()
    held = desk.store.articles.get("a")
    assert held is not None
    assert (3, "", marks(first) | marks(second)) == (
        held.article.version,
        held.article.body_html,
        set(held.fingerprints),
    )
    # Told again when the event came again: who was told first may have died of it.
    assert {("all", 3), ("world", 3)} == set(desk.killed)
    assert len(desk.killed) == 4

    for event, expected in ((fourth | {"type": "article.reinstated"}, set()), (kill("a"), marks(fourth))):
        desk.accept(event)
        desk.consumer().consume()
        held = desk.store.articles.get("a")
        assert held is not None
        assert expected == set(held.fingerprints)


def test_an_original_that_comes_after_its_kill_stays_out(desk: Desk) -> None:
    desk.accept(kill("a"))
    desk.consumer().consume()
    desk.accept(article("a"))
    desk.consumer().consume()
    assert desk.members("all") == []
    held = desk.store.articles.get("a")
    assert held is not None
    assert held.article.pubstatus == "canceled"


def picks(*article_ids: str) -> dict[str, Any]:
    number = take_number()
    time = (PUBLISHED + timedelta(minutes=number)).isoformat()
    return {
        "id": f"evt-{number}",
        "type": "list.updated",
        "time": time,
        "list": {"name": "picks", "articles": list(article_ids)},
    }


@pytest.mark.parametrize(("noun", "step"), [("articles", "save"), ("changes", "record_before"), ("changes", "leaving")])
@pytest.mark.parametrize("picked", [True, False])
def test_a_list_that_another_worker_sets_meanwhile_counts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, noun: str, step: str, picked: bool
) -> None:
    """An article is placed once: here by the list as it was, and saved or recorded when that is carried out."""
    before, after = ([], ["a"]) if picked else (["a"], [])
    for event in (picks("a"), article("a"), picks(*before)):
        desk.accept(event)
        desk.consumer().consume()
    desk.accept(article("a", 2))
    consumer = desk.consumer()
    carry_on = getattr(getattr(desk.store, noun), step)

    def meanwhile(*args: Any, **due: Any) -> Any:
        monkeypatch.setattr(getattr(desk.store, noun), step, carry_on)
        desk.accept(picks(*after))
        desk.consumer("other").consume()
        return carry_on(*args, **due)

    monkeypatch.setattr(getattr(desk.store, noun), step, meanwhile)
    consumer.consume()
    assert after == desk.members("picks")
    [version] = {stored.article.version for stored in desk.store.articles.get_many(["a"]).values()}
    assert version == 2


def test_an_event_id_that_is_used_again_drops_nothing(desk: Desk) -> None:
    """Some systems send the id of the article as the id of each of its events."""
    intake = Intake(desk.store, desk.wakeups)  # type: ignore[arg-type]
    for event in (article("a"), article("a", 2), article("b"), kill("a")):
        same = {**event, "id": "story"}
        again = {name: same[name] for name in sorted(same, reverse=True)}
        for value, expected in ((same, "accepted"), (again, "duplicate")):
            assert [expected] == [receipt.status for receipt in intake.accept([value], clock.now())]
        desk.consumer().consume()
    held = desk.store.articles.get_many(["a", "b"])
    assert ("canceled", 3) == (held["a"].article.pubstatus, held["a"].article.version)
    assert ["b"] == desk.members("all")


def test_a_kill_by_the_state_of_the_article_goes_first_too(desk: Desk) -> None:
    desk.accept(article("a"))
    desk.consumer().consume()
    desk.accept(*(article(f"n{n}") for n in range(3)), article("a", 2, pubstatus="canceled"))
    assert desk.consumer().consume_kills() == 1
    assert ["a"] == [change.article_id for change in desk.store.changes.since("all", 1, 9) if change.state == "killed"]
    assert ("consume", True) in desk.wakeups.calls


def test_a_kill_that_nobody_was_woken_for_is_carried_out_as_it_comes(desk: Desk) -> None:
    desk.accept(article("a"))
    consumer = desk.consumer()
    consumer.consume()
    timer = threading.Timer(0.2, desk.accept, [kill("a")])
    timer.start()
    assert consumer.consume_kills() == 1
    timer.join()
    assert desk.members("all") == []


def test_a_curated_list_brings_articles_in_and_out(desk: Desk) -> None:
    consumer = desk.consumer()

    def pick(*ids: str) -> list[str]:
        desk.accept(
            {"id": f"evt-{take_number()}", "type": "list.updated", "list": {"name": "picks", "articles": list(ids)}}
        )
        consumer.consume()
        return desk.members("picks")

    desk.accept(article("a"), article("b"), article("c"))
    consumer.consume()
    assert ["b", "a"] == pick("b", "unknown", "a")
    head = desk.store.changes.head("picks").seq
    assert ["b", "a"] == pick("b", "unknown", "a")
    assert head == desk.store.changes.head("picks").seq, "nothing has changed, nobody is told"
    assert ["a", "b"] == pick("a", "b")
    assert desk.store.changes.head("picks").seq > head
    assert ["c", "a"] == pick("c", "a")


def test_a_feed_that_is_new_or_defined_anew_gets_the_articles_that_are_there(desk: Desk) -> None:
    desk.accept(article("a", section="sport"))
    desk.index()
    desk.consumer().consume()
    desk.site = site(FeedDefinition(name="sport", title="Sport", select=(Selector(section=("Sport",)),)))
    desk.index()
    assert ["a"] == desk.members("sport")
    head = desk.store.changes.head("sport")
    desk.index()
    assert head == desk.store.changes.head("sport")


def test_only_feeds_with_receivers_wake_a_worker(desk: Desk) -> None:
    desk.store.receivers.enroll("world", "endpoint:one", {"endpoint": "one"})
    desk.accept(article("a"))
    desk.consumer().consume()
    assert [("world", False)] == [call for call in desk.wakeups.calls if call[0] != "consume"]


def test_what_says_no_time_is_in_the_order_in_which_redis_had_it(desk: Desk) -> None:
    unsaid = [article("a", headline=headline) for headline in ("First", "Second")]
    lists = [
        {"id": f"evt-list-{name}", "type": "list.updated", "list": {"name": "picks", "articles": [name]}}
        for name in ("a", "b")
    ]
    for event in (*unsaid, *lists):
        event.get("article", {}).pop("version", None)
        desk.store.client.xadd(keys.EVENTS, {"event": json.dumps(event)})
    slow, quick = desk.consumer("slow"), desk.consumer("quick")
    # One worker has read the first of each, and another carries out what came after before it.
    entries = desk.store.events.read("slow", 10)
    quick._carry_out([entries[1], entries[3]])
    slow._carry_out([entries[0], entries[2]])
    held = desk.store.articles.get("a")
    assert held is not None
    assert held.article.headline == "Second"
    assert {"picks": ("b",)} == desk.store.lists.get_many(["picks"])
