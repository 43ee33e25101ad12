"""What goes next leaves while answers are on their way into Redis, but nothing of an article that waits for its own."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

import pytest
from distributing import Worker
from receiver import Request
from waiting import PATIENCE_SECONDS

from worker.receivers import article_readings
from worker.store import Store
from worker.store.attempts import SentAttempts


class HeldNotes:
    """Attempts go to Redis; whether they are kept is told when it is allowed, once for each `let_go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sent: SimpleQueue[None] = SimpleQueue()
        self._allowed: SimpleQueue[None] = SimpleQueue()
        self._free = threading.Event()
        whole = SentAttempts.answers

        def answers(sent: SentAttempts) -> Any:
            if not self._free.is_set():
                self._sent.put(None)
                self._allowed.get(timeout=PATIENCE_SECONDS)
            return whole(sent)

        monkeypatch.setattr(SentAttempts, "answers", answers)
        # What was read stays good for as long as this machine needs.
        monkeypatch.setattr(article_readings, "_FRESH_SECONDS", 2 * PATIENCE_SECONDS)

    def wait(self) -> None:
        """Wait until attempts are on their way, and all is sent that is sent meanwhile."""
        self._sent.get(timeout=PATIENCE_SECONDS)

    def let_go(self) -> None:
        self._allowed.put(None)

    def let_all_go(self) -> None:
        self._free.set()
        self.let_go()


class HeldAnswers:
    """An endpoint that answers each article when it is told to, and how."""

    def __init__(self, worker: Worker) -> None:
        self._answers: dict[str, SimpleQueue[int]] = defaultdict(SimpleQueue)
        self._worker = worker
        worker.receiver.behave["/e"] = self._answer
        self.came: list[str] = []
        self._open = False

    def _answer(self, request: Request) -> tuple[int, bytes]:
        article = json.loads(request.body)["article"]["id"]
        self.came.append(article)
        if self._open:
            return 204, b""
        return self._answers[article].get(timeout=PATIENCE_SECONDS), b""

    def until(self, *articles: str) -> None:
        """Wait until so many have come; they are these."""
        self._worker.receiver.until(lambda: len(self.came) >= len(articles), 60, f"{articles}")
        assert sorted(articles) == sorted(self.came)

    def answer(self, article: str, status: int = 204) -> None:
        """Answer an article, and wait until the engine has the answer."""
        submissions = self._worker.engine._submissions
        before = submissions.answered
        self._answers[article].put(status)
        self._worker.receiver.until(lambda: submissions.answered > before, 60, f"the answer to {article}")

    def answer_all(self) -> None:
        """Answer what has come, and all that comes from now on."""
        self._open = True
        for article in tuple(self.came):
            self._answers[article].put(204)


def first_answered(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, articles: str, concurrency: int
) -> tuple[HeldNotes, HeldAnswers]:
    """Have articles sent, and the first one answered: its answer is on its way into Redis, the others are in flight."""
    notes, endpoint = HeldNotes(monkeypatch), HeldAnswers(worker)
    worker.endpoint(concurrency=concurrency)
    for article in articles:
        worker.change(article)
    worker.go()
    endpoint.until(*articles[:concurrency])
    endpoint.answer(articles[0])
    notes.wait()
    return notes, endpoint


def finish(worker: Worker, notes: HeldNotes, endpoint: HeldAnswers) -> None:
    """Have everything answered and noted."""
    notes.let_all_go()
    endpoint.answer_all()
    worker.receiver.until(worker.settled, 60, "the end")


def test_the_next_article_leaves_before_it_is_known_that_the_last_answer_is_kept(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, endpoint = first_answered(worker, monkeypatch, "abcde", 2)
    notes.let_go()
    # In that round trip it was read what goes next.
    endpoint.until("a", "b", "c")
    endpoint.answer("b")
    notes.wait()
    endpoint.until("a", "b", "c", "d")
    kept = worker.store.ledgers.read("f", {"e": list("abcd")})["e"]
    assert {"a", "b"} == kept.keys(), "the answer is in Redis before anything more leaves"
    finish(worker, notes, endpoint)
    assert Counter(f"published {article}" for article in "abcde") == Counter(worker.pushes())


def test_nothing_of_an_article_is_sent_before_its_last_answer_is_kept(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, endpoint = first_answered(worker, monkeypatch, "abc", 3)
    # Refused, and then the endpoint takes another: so the first is to be sent again, before all others.
    endpoint.answer("b", 422)
    endpoint.answer("c")
    notes.let_go()
    notes.wait()
    assert 0 == worker.engine.unanswered, "the refusal is not kept yet"
    finish(worker, notes, endpoint)
    assert Counter({"published a": 1, "published b": 2, "published c": 1}) == Counter(worker.pushes())


def test_what_was_read_before_a_kill_does_not_leave(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    notes, endpoint = first_answered(worker, monkeypatch, "abcde", 2)
    notes.let_go()
    endpoint.until("a", "b", "c")
    # The text of the next one is read by now, and stays good for long in this test.
    worker.change("d", "killed")
    finish(worker, notes, endpoint)
    assert "published d" not in worker.pushes()
    assert {"published a", "published b", "published c", "published e"} <= set(worker.pushes())


def test_connections_that_break_during_a_catch_up_lose_and_disorder_nothing(worker: Worker) -> None:
    articles = [f"a{number}" for number in range(300)]
    worker.endpoint(concurrency=16)
    for article in articles:
        worker.change(article)
    worker.go()
    for part in range(50, 300, 50):
        worker.receiver.wait("/e", part)
        worker.store.client.client_kill_filter(_type="normal", skipme=True)
    worker.receiver.until(lambda: {f"published {article}" for article in articles} <= set(worker.pushes()), 60, "all")

    def settled() -> bool:
        worker.go()
        return worker.settled()

    worker.receiver.until(settled, 60, "the end")
    ids = defaultdict(set)
    for request in worker.receiver.at("/e"):
        ids[json.loads(request.body)["article"]["id"]].add(request.headers["webhook-id"])
    assert all(len(found) == 1 for found in ids.values()), "a repetition carries the same message id"
    assert set(articles) == worker.store.ledgers.read("f", {"e": articles})["e"].keys()


def test_what_was_read_before_a_change_does_not_stand_for_it(
    worker: Worker, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing would be due of the article as it was, and the endpoint would never have the correction.
    monkeypatch.setattr(article_readings, "_FRESH_SECONDS", 2 * PATIENCE_SECONDS)
    worker.endpoint(concurrency=2)
    for version in (1, 2, 3):
        # It is carried out in another process.
        ours, worker.store = worker.store, Store.connect(redis_url)
        for name in ("a", "b"):
            worker.change(name)
        worker.store.close()
        worker.store = ours
        worker.go()
        worker.receiver.until(
            lambda version=version: worker.settled() and len(worker.pushes()) >= 2 * version,  # type: ignore[misc]
            60,
            f"version {version}",
        )
    assert Counter(worker.pushes()) == {"published a": 1, "published b": 1, "corrected a": 2, "corrected b": 2}


def test_requests_leave_while_others_are_made(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    lots, submit = list[int](), worker.engine.submit

    def counted(requests: Sequence[Any]) -> None:
        lots.append(len(requests))
        submit(requests)

    monkeypatch.setattr(worker.engine, "submit", counted)
    worker.endpoint(concurrency=60)
    for number in range(60):
        worker.change(f"a{number}")
    worker.go()
    worker.receiver.until(worker.settled, 60, "the end")
    assert lots == [25, 25, 10]
