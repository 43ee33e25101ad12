"""A kill beside what else is going on at an endpoint."""

from __future__ import annotations

import threading

from newsroom import Newsroom
from receiver import Answer, Request
from test_takedown import kinds


def test_an_original_that_failed_was_corrected_and_killed_is_followed_by_the_kill_alone(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    receiver.behave["/p6"] = lambda _: (503, b"")
    newsroom.publish("late-1", "s6")
    receiver.until(lambda: newsroom.store.receivers.counts("s6")["backoff"] == 1, 20, "backoff")
    tries = receiver.at("/p6")
    tried = len(tries)
    assert kinds(tries, "late-1") == ["article.published"] * tried
    behind = newsroom.store.changes.head("s6").seq
    newsroom.publish("late-1", "s6", 2)
    receiver.until(lambda: newsroom.store.changes.head("s6").seq > behind, 20, "the correction")
    receiver.behave["/p6"] = lambda _: (204, b"")
    newsroom.kill("late-1")
    receiver.until(lambda: kinds(receiver.at("/p6"), "late-1")[-1:] == ["article.killed"], 20, "the kill")
    newsroom.publish("after-1", "s6")
    receiver.until(lambda: kinds(receiver.at("/p6"), "after-1") != [], 20, "the next article")

    taken = kinds(receiver.at("/p6"), "late-1")[tried:]
    # The correction brings the endpoint forward: that it is tried once more before the kill comes is no harm.
    assert taken[-1] == "article.killed"
    assert taken.count("article.killed") == 1


def test_a_kill_follows_an_original_that_is_in_flight(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    arrived, answer = threading.Event(), threading.Event()

    def slow(_: Request) -> Answer:
        arrived.set()
        answer.wait(2)
        return 204, b""

    receiver.behave["/p2"] = slow
    newsroom.publish("flight-1", "s2")
    assert arrived.wait(60)
    newsroom.kill("flight-1")
    receiver.until(lambda: newsroom.store.changes.head("s2").kill > 0, 20, "the kill to be recorded")
    answer.set()
    receiver.until(lambda: kinds(receiver.at("/p2"), "flight-1")[-1:] == ["article.killed"], 20, "the kill")
    assert kinds(receiver.at("/p2"), "flight-1") == ["article.published", "article.killed"]
