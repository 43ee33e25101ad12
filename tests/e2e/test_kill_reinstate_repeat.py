"""What an editor may do after a kill, and for a partner that has missed an article."""

from __future__ import annotations

import json
import time

import requests
from newsroom import Newsroom, published
from receiver import Receiver
from test_takedown import kinds, report


def until_told(receiver: Receiver, path: str, article: str, *expected: str) -> None:
    def told() -> bool:
        return kinds(receiver.at(path), article) == [f"article.{kind}" for kind in expected]

    receiver.until(told, 30, f"{article}: {', '.join(expected)}")


def test_a_killed_article_comes_back_only_when_it_is_reinstated(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    newsroom.publish("back-1", "s7")
    until_told(receiver, "/p7", "back-1", "published")
    newsroom.kill("back-1")
    until_told(receiver, "/p7", "back-1", "published", "killed")
    newsroom.publish("back-1", "s7", 5)
    newsroom.publish("back-2", "s7")
    until_told(receiver, "/p7", "back-2", "published")
    until_told(receiver, "/p7", "back-1", "published", "killed")

    event = published("back-1", "s7", 6)
    newsroom.send(event | {"type": "article.reinstated"})
    until_told(receiver, "/p7", "back-1", "published", "killed", "published")
    newsroom.until_in_feed("s7", "back-1, version 6")

    def reported() -> bool:
        [row] = report(newsroom, "back-1")["receivers"]
        return bool((row["version"], row["status"]) == (6, "published"))

    receiver.until(reported, 20, "the report to say so")


def test_a_kill_under_the_id_of_its_articles_event_is_a_kill(newsroom: Newsroom) -> None:
    event = newsroom.publish("same-id-1", "s7")
    until_told(newsroom.receiver, "/p7", "same-id-1", "published")
    answer = newsroom.post({"id": event["id"], "type": "article.killed", "article": {"id": "same-id-1"}})
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    until_told(newsroom.receiver, "/p7", "same-id-1", "published", "killed")
    again = newsroom.post({"id": event["id"], "type": "article.killed", "article": {"id": "same-id-1"}})
    assert (again.status_code, again.json()["status"]) == (202, "duplicate")


def test_a_repeat_is_the_same_version_sent_again(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    newsroom.publish("again-1", "s7")
    until_told(receiver, "/p7", "again-1", "published")
    before = newsroom.until_in_feed("s7", "again-1")
    newsroom.send({"type": "article.repeated", "article": {"id": "again-1"}})
    until_told(receiver, "/p7", "again-1", "published", "published")

    first, second = [push for push in receiver.at("/p7") if json.loads(push.body)["article"]["id"] == "again-1"]
    assert json.loads(first.body)["article"] == json.loads(second.body)["article"]
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert second.headers["dateline-replay"].startswith("repeat-")
    assert requests.get(newsroom.topic("s7"), timeout=60).headers["etag"] == before.headers["etag"]


def test_an_endpoint_that_gets_feeds_is_not_sent_a_repeat(newsroom: Newsroom) -> None:
    newsroom.publish("fed-1", "s1")
    newsroom.receiver.wait("/p1")
    newsroom.receiver.until(lambda: newsroom.is_settled("s1"), 20, "the push to be done")
    pushes = len(newsroom.receiver.at("/p1"))
    newsroom.send({"type": "article.repeated", "article": {"id": "fed-1"}})
    newsroom.receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "the event to be done with")
    time.sleep(1.5)  # longer than a sweep
    assert len(newsroom.receiver.at("/p1")) == pushes
    assert newsroom.store.replays.next_articles("s1", {"p1": 1}) == {}


def test_what_was_never_here_is_not_repeated(newsroom: Newsroom) -> None:
    newsroom.send({"type": "article.repeated", "article": {"id": "no-such"}})
    newsroom.receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "the event to be done with")
    assert newsroom.store.articles.get("no-such") is None
