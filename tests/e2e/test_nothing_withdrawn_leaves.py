"""Once a kill or a withdrawal is carried out no request that carries the text begins, in whichever worker it waits."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from newsroom import Newsroom, start
from receiver import Answer, Receiver, Request
from test_crash import enroll_many, worker
from waiting import until

SUBSCRIBERS = 400
ON_THE_WAY = 0.4
"""Seconds that a request which had begun may take to be whole at the receiver."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """Three workers and a feed with many slow subscribers: most pushes wait in one worker for their turn."""
    receiver = Receiver()
    with start(tmp_path_factory.mktemp("n"), receiver, 3) as newsroom:
        enroll_many(newsroom, "s20", SUBSCRIBERS)
        yield newsroom
    receiver.close()


def slow(_: Request) -> Answer:
    time.sleep(0.5)
    return 204, b""


def text(article_id: str, version: int = 1) -> bytes:
    return f"text of {article_id} in version {version}".encode()


def carried_out(newsroom: Newsroom, feed: str, article_id: str, state: str) -> float:
    """Wait until the change log says so; return when the receiver has taken what was sent by then.

    On a machine that does much else a request that has come lies there until a thread takes it: some of ours tell.
    """
    states = f"dateline:{{feed:{feed}}}:article_states"
    until(lambda: f'"state":"{state}"' in newsroom.store.client.hget(states, article_id), state, pause=0.002)
    receiver = newsroom.receiver
    receiver.behave["/now"] = lambda _: (204, b"")
    before = len(receiver.at("/now"))
    with ThreadPoolExecutor(10) as tellers:
        list(tellers.map(lambda _: requests.post(f"{receiver.url}/now", timeout=60), range(10)))
    return max(request.at for request in receiver.at("/now")[before:])


def all_settled(newsroom: Newsroom, feed: str) -> None:
    def settled() -> bool:
        counts = newsroom.store.receivers.counts(feed)
        return counts["behind"] == counts["claimed"] == counts["backoff"] == 0

    newsroom.receiver.until(settled, 60, "everybody to be up to date")


def late(newsroom: Newsroom, words: bytes, moment: float) -> list[float]:
    """How many seconds after a moment requests with these words came."""
    pushes = [push for push in newsroom.receiver.requests if words in push.body]
    assert pushes, "nobody was told"
    return [round(push.at - moment, 2) for push in pushes if push.at > moment + ON_THE_WAY]


@pytest.mark.parametrize("frozen", [None, 1, 2, 3])
@pytest.mark.parametrize("how", ["killed", "out"])
def test_pushes_to_subscribers_that_wait_for_their_turn(busy: Newsroom, frozen: int | None, how: str) -> None:
    article_id = f"queued-{frozen}-{how}"
    busy.receiver.otherwise = slow
    busy.publish(article_id, "s20")
    busy.receiver.until(lambda: any(text(article_id) in push.body for push in busy.receiver.requests), 20, "a push")
    victim = worker(busy, frozen).process if frozen else None
    if victim:
        os.kill(victim.pid, signal.SIGSTOP)
    if how == "killed":
        busy.kill(article_id)
    else:
        busy.publish(article_id, "elsewhere", 2)
    try:
        moment = carried_out(busy, "s20", article_id, how)
        time.sleep(2 * ON_THE_WAY)
    finally:
        if victim:
            os.kill(victim.pid, signal.SIGCONT)
    all_settled(busy, "s20")
    assert late(busy, text(article_id), moment) == []


def test_an_article_that_leaves_while_its_endpoint_is_being_served_is_not_told_as_corrected(busy: Newsroom) -> None:
    told: list[tuple[str, str, int]] = []

    def slowly(request: Request) -> Answer:
        event = json.loads(request.body)
        told.append((event["type"], event["article"]["id"], event["article"]["version"]))
        time.sleep(0.2)
        return 204, b""

    busy.receiver.behave["/p4"] = slowly
    for number in range(10):
        busy.publish(f"leaves-{number}", "s4")
    # The correction is what takes it from the feed only if it was there before, whichever worker had which event.
    busy.receiver.until(lambda: len(told) > 1 and busy.store.changes.size("s4") == 10, 20, "all, the first told")
    busy.publish("leaves-8", "elsewhere", 2)
    carried_out(busy, "s4", "leaves-8", "out")
    all_settled(busy, "s4")

    assert {(kind, version) for kind, article_id, version in told if article_id == "leaves-8"} <= {
        ("article.published", 1),
        ("article.withdrawn", 2),
    }
