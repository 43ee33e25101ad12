"""Partner endpoints: one request per article in order, or one with all changes; kills, refusals, outages."""

from __future__ import annotations

import json
import time

import feedparser
import requests
from newsroom import SECRET, Newsroom, put_off
from receiver import Receiver, Request

from worker.outbound.signing import verify_webhook
from worker.receivers.ledger import LedgerEntry


def pushes(receiver: Receiver, path: str) -> list[tuple[str, str, int]]:
    """What an article endpoint was sent: type, article id, version."""
    events = []
    for request in receiver.at(path):
        event = json.loads(request.body)
        events.append((event["type"], event["article"]["id"], event["article"]["version"]))
    return events


def test_article_mode_one_request_per_article_in_order(newsroom: Newsroom) -> None:
    newsroom.publish("p0-1", "s0")
    newsroom.receiver.wait("/p0")
    newsroom.publish("p0-1", "s0", 2)
    newsroom.receiver.wait("/p0", 2)
    newsroom.kill("p0-1")
    kill = newsroom.receiver.wait("/p0", 3)[2]
    assert [
        ("article.published", "p0-1", 1),
        ("article.corrected", "p0-1", 2),
        ("article.killed", "p0-1", 3),
    ] == pushes(newsroom.receiver, "/p0")
    for request in newsroom.receiver.at("/p0"):
        verify_webhook(request.headers, request.body, [SECRET], time.time())
        assert request.headers["content-type"] == "application/json"
        assert json.loads(request.body)["id"] == request.headers["webhook-id"]
    assert "headline" not in kill.body.decode()
    assert "text of p0-1" not in kill.body.decode()


def test_feed_mode_one_request_with_all_changes(newsroom: Newsroom) -> None:
    down, taken = True, []

    def moody(request: Request) -> tuple[int, bytes]:
        if down:
            return 503, b""
        taken.append(request)
        return 204, b""

    newsroom.receiver.behave["/p1"] = moody
    newsroom.publish("p1-1", "s1")
    newsroom.receiver.wait("/p1")
    newsroom.publish("p1-2", "s1")
    newsroom.receiver.until(lambda: newsroom.store.changes.head("s1").seq == 2, 20, "both changes")
    down = False
    newsroom.publish("p1-3", "s1")
    newsroom.receiver.until(lambda: newsroom.is_settled("s1"), 20, "the end")
    names = {entry.id.rpartition("/")[2] for push in taken for entry in feedparser.parse(push.body).entries}
    assert {"p1-1", "p1-2", "p1-3"} == names
    verify_webhook(taken[0].headers, taken[0].body, [SECRET], time.time())


def test_what_is_refused_for_good_is_parked_and_the_rest_goes_on(newsroom: Newsroom) -> None:
    def choosy(request: Request) -> tuple[int, bytes]:
        return (422, b"no such section") if b"p2-2" in request.body else (204, b"")

    newsroom.receiver.behave["/p2"] = choosy
    for number in (1, 2, 3):
        newsroom.publish(f"p2-{number}", "s2")
    newsroom.receiver.until(
        lambda: set(newsroom.store.attempts.parked("s2", "p2")) == {"p2-2"}, 20, "p2-2 to be parked"
    )
    newsroom.receiver.until(lambda: newsroom.is_settled("s2"), 20, "the endpoint to settle")
    ledger = newsroom.store.ledgers.read_one("s2", "p2", ["p2-1", "p2-2", "p2-3"])
    entries = [LedgerEntry.parse(text) for text in ledger.values()]
    assert ["published", "refused-published", "published"] == [entry.label for entry in entries]


def test_a_kill_reaches_an_endpoint_in_backoff_at_once_and_alone(newsroom: Newsroom) -> None:
    newsroom.receiver.behave["/p3"] = lambda _: (500, b"")
    newsroom.publish("p3-1", "s3")
    newsroom.receiver.wait("/p3")
    # An hour from now, so that nobody waits for it here.
    newsroom.receiver.until(lambda: put_off(newsroom.store, "s3", "p3"), 20, "backoff")
    tried = len(newsroom.receiver.at("/p3"))
    newsroom.receiver.behave["/p3"] = lambda _: (204, b"")
    newsroom.kill("p3-1")
    newsroom.receiver.wait("/p3", tried + 1)
    assert pushes(newsroom.receiver, "/p3")[tried][0] == "article.killed"


def test_a_repetition_carries_the_same_message_id(newsroom: Newsroom) -> None:
    answers = iter([(503, b""), (204, b"")])
    newsroom.receiver.behave["/p4"] = lambda _: next(answers)
    newsroom.publish("p4-1", "s4")
    first, second = newsroom.receiver.wait("/p4", 2, seconds=40)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_410_suspends_an_endpoint_and_keeps_its_cursor(newsroom: Newsroom) -> None:
    newsroom.receiver.behave["/p5"] = lambda _: (410, b"")
    newsroom.publish("p5-1", "s5")
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts("s5")["paused"] == 1, 20, "the suspension")
    newsroom.receiver.behave["/p5"] = lambda _: (204, b"")
    assert newsroom.store.receivers.resume("s5", "endpoint:p5")
    assert len(newsroom.receiver.wait("/p5", 2)) == 2


def test_an_article_that_leaves_the_feed_is_withdrawn(newsroom: Newsroom) -> None:
    newsroom.publish("p6-1", "s6")
    newsroom.receiver.wait("/p6")
    newsroom.publish("p6-1", "elsewhere", 2)
    newsroom.receiver.wait("/p6", 2)
    assert ("article.withdrawn", "p6-1", 2) == pushes(newsroom.receiver, "/p6")[1]


def test_endpoints_are_read_again_on_sighup(newsroom: Newsroom) -> None:
    newsroom.publish("hup-1", "s10")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s10") == 1, 20, "the article")
    with newsroom.config.open("a") as file:
        file.write(
            f'\n[[endpoints]]\nname = "late"\nfeed = "s10"\nmode = "article"\nformat = "json"\n'
            f'url = "{newsroom.receiver.url}/late"\n'
        )
    newsroom.stack.hang_up()
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts("s10")["settled"] == 1, 20, "the new endpoint")
    newsroom.publish("hup-2", "s10")
    newsroom.receiver.wait("/late")
    # It begins with what is new. The web server has gone on meanwhile.
    assert requests.get(f"{newsroom.base_url}/readyz", timeout=60).status_code == 200
    assert [("article.published", "hup-2", 1)] == pushes(newsroom.receiver, "/late")


def test_who_refuses_everything_for_a_while_gets_everything_and_the_kill(newsroom: Newsroom) -> None:
    newsroom.publish("p7-killed", "s7")
    newsroom.receiver.until(lambda: newsroom.is_settled("s7"), 20, "the first article")
    refuses, taken = True, []

    def moody(request: Request) -> tuple[int, bytes]:
        if refuses:
            return 403, b"who are you?"
        taken.append(json.loads(request.body))
        return 204, b""

    newsroom.receiver.behave["/p7"] = moody
    for number in range(4):
        newsroom.publish(f"p7-{number}", "s7")
    newsroom.kill("p7-killed")
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts("s7")["backoff"] == 1, 20, "backoff")
    newsroom.receiver.until(lambda: len(newsroom.receiver.at("/p7")) >= 5, 30, "some tries")
    assert newsroom.store.attempts.parked("s7", "p7") == {}
    refuses = False
    newsroom.receiver.until(lambda: newsroom.is_settled("s7"), 30, "the endpoint to settle")
    assert {event["article"]["id"]: event["type"] for event in taken} == {
        "p7-killed": "article.killed",
        **{f"p7-{number}": "article.published" for number in range(4)},
    }


def asked_to_wait(newsroom: Newsroom, number: int, seconds: int) -> Request:
    """Have an endpoint take one article, and ask to be left alone at the next; return what it was sent then."""
    receiver, feed, path = newsroom.receiver, f"s{number}", f"/p{number}"
    receiver.behave[path] = lambda _: (204, b"")
    before = len(receiver.at(path))
    newsroom.publish(f"first-{number}", feed)
    receiver.wait(path, before + 1)
    receiver.until(lambda: newsroom.is_settled(feed), 20, "the first article")
    receiver.behave[path] = lambda _: (429, b"", {"Retry-After": str(seconds)})
    newsroom.publish(f"asked-{number}", feed)
    receiver.until(lambda: newsroom.store.receivers.counts(feed)["backoff"] == 1, 20, "backoff")
    receiver.behave[path] = lambda _: (204, b"")
    for news in range(4):
        newsroom.publish(f"news-{number}-{news}", feed)
    return receiver.at(path)[before + 1]


def test_news_do_not_break_retry_after(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    before = len(receiver.at("/p4"))
    refused = asked_to_wait(newsroom, 4, 3)
    rest = receiver.wait("/p4", before + 7)[before + 2 :]
    assert rest[0].at - refused.at >= 2.9


def test_a_kill_breaks_retry_after_and_goes_alone(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    before = len(receiver.at("/p6"))
    asked_to_wait(newsroom, 6, 3600)
    receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "the news")
    newsroom.kill("first-6")
    receiver.wait("/p6", before + 3)
    newsroom.publish("after-6", "s6")
    receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "more news")
    time.sleep(1.5)  # longer than a sweep
    assert [event[:2] for event in pushes(receiver, "/p6")[before:]] == [
        ("article.published", "first-6"),
        ("article.published", "asked-6"),
        ("article.killed", "first-6"),
    ]
