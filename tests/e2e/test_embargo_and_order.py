"""Embargoes that end while nobody is there, and events that meet."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import requests
from newsroom import Newsroom, published
from test_takedown import kinds


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_kill_of_an_article_under_embargo_is_not_held(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    ends = time.monotonic() + 3
    held = published("held-2", "s7", embargoed=soon(3))
    killed = {"id": "kill-held-2", "type": "article.killed", "article": {"id": "held-2"}}
    # Together, so that no embargo ends between the two.
    answer = newsroom.post([held, killed, published("after-2", "s7")])
    assert answer.status_code == 202, answer.text
    receiver.until(lambda: kinds(receiver.at("/p7"), "after-2") != [], 20, "the next article")
    receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "all three")
    time.sleep(max(0.0, ends + 1 - time.monotonic()))

    assert kinds(receiver.at("/p7"), "held-2") in ([], ["article.killed"])
    assert b"held-2" not in requests.get(newsroom.topic("s7"), timeout=60).content.partition(b"<entry")[2]


def test_a_lifted_embargo_publishes_at_once(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    newsroom.publish("lifted-1", "s7", embargoed=soon(600))
    newsroom.publish("lifted-1", "s7", 2)
    receiver.until(lambda: kinds(receiver.at("/p7"), "lifted-1") == ["article.published"], 20, "the article")


def test_versions_accepted_at_once_by_two_workers_end_in_the_highest(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    with ThreadPoolExecutor(8) as executor:
        for answer in executor.map(newsroom.post, [published("race-1", "s7", version) for version in range(1, 9)]):
            assert answer.status_code == 202
    receiver.until(lambda: version_of(newsroom) == 8, 20, "the highest version")
    last = b"race-1, version 8"
    receiver.until(lambda: any(last in push.body for push in receiver.at("/p7")), 20, "it to be delivered")

    told = [
        int(push.body.rpartition(b"race-1, version ")[2][:1]) for push in receiver.at("/p7") if b"race-1" in push.body
    ]
    assert told == sorted(set(told))


def version_of(newsroom: Newsroom) -> int:
    held = newsroom.store.articles.get("race-1")
    return held.article.version if held else 0


def test_a_cms_whose_clock_is_wrong_is_believed_by_its_versions(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    event = published("skew-1", "s7")
    newsroom.send(event | {"time": soon(3600)})
    receiver.until(lambda: kinds(receiver.at("/p7"), "skew-1") == ["article.published"], 20, "the article")
    newsroom.send(published("skew-1", "s7", 2) | {"time": soon(-3600)})
    receiver.until(lambda: len(kinds(receiver.at("/p7"), "skew-1")) == 2, 20, "the correction")
    newsroom.send({"type": "article.killed", "time": soon(-7200), "article": {"id": "skew-1"}})
    receiver.until(lambda: kinds(receiver.at("/p7"), "skew-1")[2:] == ["article.killed"], 20, "the kill")


def test_an_embargo_that_ends_while_all_workers_are_down_ends_when_one_is_back(newsroom: Newsroom) -> None:
    """The last one here: it ends the workers."""
    receiver = newsroom.receiver
    # Long enough that both are carried out before it ends, also on a machine that does much else.
    for seconds in (4, 16, 64):
        held, ends = f"held-{seconds}", time.monotonic() + seconds
        newsroom.publish(held, "s7", embargoed=soon(seconds))
        newsroom.publish(f"seen-{seconds}", "s7")
        seen = partial(kinds, article=f"seen-{seconds}")
        receiver.until(lambda seen=seen: seen(receiver.at("/p7")) != [], 20, "the other article")  # type: ignore[misc]
        receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "both")
        if time.monotonic() < ends - 1:
            break
    for number in (1, 2):
        process = newsroom.stack.children[number].process
        assert process is not None
        process.kill()
        process.wait()
    assert held.encode() not in requests.get(newsroom.topic("s7"), timeout=60).content
    time.sleep(max(0.0, ends + 0.5 - time.monotonic()))
    assert kinds(receiver.at("/p7"), held) == []

    watch = threading.Thread(target=newsroom.stack.watch, daemon=True)
    watch.start()
    receiver.until(lambda: kinds(receiver.at("/p7"), held) == ["article.published"], 40, "the article")
    newsroom.until_in_feed("s7", held)
    newsroom.stack.stop()
    watch.join()
