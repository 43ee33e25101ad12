"""The notice of what an endpoint has and must not show goes before anything older, and costs nothing of its rate."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from distributing import Worker
from receiver import Answer, Receiver, Request
from waiting import PATIENCE_SECONDS

from worker import clock
from worker.receivers import article_readings
from worker.store import Store, keys
from worker.store.articles import StoredArticle
from worker.store.attempts import Dispute


def until(receiver: Receiver, true: Callable[[], bool], awaited: str = "it") -> None:
    receiver.until(true, 20, awaited)


def slow(seconds: float) -> Callable[[Request], Answer]:
    def behave(_: Request) -> Answer:
        time.sleep(seconds)
        return 204, b""

    return behave


def had(worker: Worker, *article_ids: str) -> None:
    """Have the endpoint hold these articles."""
    for article_id in article_ids:
        worker.change(article_id)
    worker.go()
    until(worker.receiver, lambda: worker.settled() and len(worker.pushes()) == len(article_ids), "what it holds")


def test_a_kill_lifts_the_rate_for_itself_alone(worker: Worker) -> None:
    worker.endpoint(rate=0.01)
    had(worker, "held")
    for number in range(30):
        worker.change(f"behind-{number}")
    worker.change("held", "killed")
    worker.change("never-had", "in")
    worker.change("never-had", "killed")
    worker.go()
    until(worker.receiver, lambda: len(worker.pushes()) >= 2)
    until(worker.receiver, lambda: worker.store.receivers.counts("f")["backoff"] == 1, "the rest to wait for the rate")
    time.sleep(1)
    assert worker.pushes() == ["published held", "killed held"]


def test_what_is_not_sent_is_not_charged(worker: Worker) -> None:
    worker.endpoint(rate=3)
    had(worker, "a")
    # A second's worth, of which one was sent.
    until(worker.receiver, lambda: worker.store.receivers.counts("f")["claimed"] == 0)
    assert float(worker.store.client.hget(keys.feed("f").of_endpoint("e", "bucket"), "tokens")) == 2


def withdraw(worker: Worker, article_id: str, state: str) -> None:
    """Have an article leave, and wait until whoever sends has heard of that: when it is announced, and as recorded."""
    before = worker.clearance.last("f")
    worker.change(article_id, state)
    until(worker.receiver, lambda: worker.clearance.last("f") >= before + 2, "it to be heard of")


@pytest.mark.parametrize("state", ["killed", "out"])
def test_it_goes_next_while_a_backlog_is_sent_one_by_one(worker: Worker, state: str) -> None:
    worker.endpoint()
    had(worker, "held", "other")
    worker.receiver.behave["/e"] = slow(0.1)
    for number in range(40):
        worker.change(f"behind-{number}")
    worker.go()
    until(worker.receiver, lambda: len(worker.pushes()) >= 5)
    withdraw(worker, "held", state)
    before = len(worker.pushes())
    worker.go()
    notice = "killed held" if state == "killed" else "withdrawn held"
    until(worker.receiver, lambda: notice in worker.pushes())
    # One was in flight, and one more may have begun while it was carried out.
    assert worker.pushes().index(notice) <= before + 2
    until(worker.receiver, worker.settled)
    assert worker.pushes().count(notice) == 1
    assert len(worker.pushes()) == len(set(worker.pushes())) == 43


def test_it_does_not_wait_for_others_that_are_in_flight(worker: Worker) -> None:
    worker.endpoint(concurrency=2)
    had(worker, "held")
    release = threading.Event()

    def hang(request: Request) -> Answer:
        if b"hangs" in request.body:
            release.wait(60)
        return 204, b""

    worker.receiver.behave["/e"] = hang
    worker.change("hangs")
    worker.go()
    until(worker.receiver, lambda: worker.store.receivers.counts("f")["claimed"] == 1)
    time.sleep(0.1)
    worker.change("held", "killed")
    until(worker.receiver, lambda: worker.pushes()[-1:] == ["killed held"], "the kill, without a wake-up call")
    release.set()
    until(worker.receiver, worker.settled)


def test_the_kill_of_what_is_in_flight_follows_its_answer(worker: Worker) -> None:
    worker.endpoint()
    arrived, release = threading.Event(), threading.Event()

    def hang(request: Request) -> Answer:
        if b"Headline of first" in request.body:
            arrived.set()
            release.wait(60)
        return 204, b""

    worker.receiver.behave["/e"] = hang
    for name in ("first", "second", "third"):
        worker.change(name)
    worker.go()
    assert arrived.wait(60)
    withdraw(worker, "first", "killed")
    release.set()
    until(worker.receiver, lambda: len(worker.pushes()) == 4)
    assert worker.pushes() == ["published first", "killed first", "published second", "published third"]


def test_an_endpoint_that_was_down_is_told_of_kills_then_of_withdrawals_then_of_the_rest(worker: Worker) -> None:
    worker.endpoint(concurrency=1)
    had(worker, "moved", "killed-1", "killed-2")
    assert worker.store.receivers.pause("f", "endpoint:e", 0, "down")
    for number in range(1_200):
        worker.change(f"passing-{number}")
        worker.change(f"passing-{number}", "out")
    worker.change("moved", "out")
    worker.change("new")
    worker.change("killed-2", "killed")
    worker.change("killed-1", "killed")
    assert worker.store.receivers.resume("f", "endpoint:e")
    worker.go()
    until(worker.receiver, lambda: len(worker.pushes()) >= 6)
    assert worker.pushes()[3:6] == ["killed killed-2", "killed killed-1", "withdrawn moved"]


def test_a_kill_is_in_the_next_push_of_a_feed_however_far_it_stands(worker: Worker) -> None:
    worker.endpoint("feed", "atom", rate=0.01)
    worker.subscribe()
    for number in range(3):
        worker.change(f"held-{number}")
    worker.go()
    until(worker.receiver, lambda: len(worker.receiver.at("/e")) == len(worker.receiver.at("/s")) == 1)
    until(worker.receiver, worker.settled)
    worker.store.receivers.pause("f", "s", 0, "down")
    for number in range(250):
        worker.change(f"behind-{number}")
    worker.change("held-1", "killed")
    worker.store.receivers.resume("f", "s")
    worker.go()
    # The rate allows nothing yet.
    [_, kill] = worker.receiver.wait("/e", 2)
    assert set(re.findall(r"article/([a-z0-9-]+)", kill.body.decode())) == {"held-1"}
    [_, first, *_] = worker.receiver.wait("/s", 2)
    assert re.search(r'deleted-entry ref="[^"]*article/held-1"', first.body.decode())
    until(worker.receiver, lambda: len(worker.receiver.at("/s")) >= 4)
    assert len(worker.receiver.at("/e")) == 2


def test_after_a_crash_the_kill_of_what_was_in_flight_goes_first(worker: Worker) -> None:
    worker.endpoint()
    worker.receiver.behave["/e"] = slow(0.05)
    for name in ("arrived", *(f"behind-{number}" for number in range(30))):
        worker.change(name)
    # A worker claims the endpoint, sends the first article, and dies; the claim expires.
    now = clock.ms(clock.now())
    assert len(worker.store.receivers.claim("f", 1, now + 100).claims) == 1
    worker.change("arrived", "killed")
    time.sleep(0.2)
    sweep = worker.store.receivers.sweep(["f"], clock.ms(clock.now()), 100)["f"]
    assert sweep.expired == 1
    worker.go()
    until(worker.receiver, worker.settled)
    assert worker.pushes() == ["killed arrived", *(f"published behind-{number}" for number in range(30))]
    # Once it has come past that, its ledger is to be trusted again.
    worker.store.receivers.pause("f", "endpoint:e", 0, "down")
    worker.change("never-had")
    worker.change("new")
    worker.change("never-had", "killed")
    worker.store.receivers.resume("f", "endpoint:e")
    worker.go()
    until(worker.receiver, worker.settled)
    assert worker.pushes()[31:] == ["published new", "killed never-had"]


def test_a_notice_that_is_in_dispute_waits_for_its_turn_without_a_stir(worker: Worker) -> None:
    worker.endpoint(rate=0.05)
    had(worker, "held")
    now = clock.ms(clock.now())
    worker.store.client.hset(
        keys.feed("f").of_endpoint("e", "disputed"), "held", str(Dispute(now + 60_000, 1, now, now, 422, "no"))
    )
    worker.change("held", "killed")
    before = int(worker.store.client.hget(keys.feed("f").meta, "fence"))
    worker.go()
    until(worker.receiver, lambda: worker.store.receivers.counts("f")["backoff"] == 1)
    time.sleep(0.3)
    assert worker.pushes() == ["published held"]
    # It was claimed once, and waits for its rate.
    assert int(worker.store.client.hget(keys.feed("f").meta, "fence")) == before + 1


def test_what_is_killed_while_answers_are_noted_is_read_anew(worker: Worker, redis_url: str) -> None:
    worker.endpoint()
    worker.change("a")
    worker.change("b")
    readings, withdrawn = worker.distributor._sessions.readings, threading.Event()
    note = readings.note

    def note_and_kill(answers: Sequence[Any]) -> None:
        note(answers)
        if "b" in readings._readings and not withdrawn.is_set():
            # The article that goes next has just been read. Another process kills it.
            ours, worker.store = worker.store, Store.connect(redis_url)
            worker.change("b", "killed")
            worker.store.close()
            worker.store = ours
            withdrawn.set()

    readings.note = note_and_kill  # type: ignore[method-assign]
    worker.go()
    until(worker.receiver, lambda: withdrawn.is_set() and worker.settled())
    worker.go()
    until(worker.receiver, worker.settled)
    # As it is now, not as it was read a moment before.
    assert ["published a", "killed b"] == worker.pushes()


def test_answers_are_noted_and_what_goes_next_is_read_in_one_round_trip(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was read stays good for as long as this machine needs.
    monkeypatch.setattr(article_readings, "_FRESH_SECONDS", 2 * PATIENCE_SECONDS)
    worker.endpoint()
    for number in range(20):
        worker.change(f"a{number}")
    articles, read = worker.store.articles, list[set[str]]()
    get_many = articles.get_many

    def noted(ids: set[str], *, keep: bool = True) -> dict[str, StoredArticle]:
        if ids:
            read.append(ids)
        return get_many(ids, keep=keep)

    articles.get_many = noted  # type: ignore[assignment, method-assign]
    worker.go()
    until(worker.receiver, lambda: worker.settled() and len(worker.pushes()) == 20)
    # By itself what goes first; all others as the answers before them were noted.
    assert [1] == [len(ids) for ids in read]
