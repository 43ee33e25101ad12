"""An error of ours about one receiver keeps no other from being served and settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import redis
import structlog
from distributing import CLAIM_SECONDS, Worker

from worker import clock
from worker.receivers.article_pushes import ArticlePushes
from worker.receivers.ledger import LedgerEntry
from worker.store import keys

GOOD = ("a", "m", "z")
BUG = TypeError("a bug of ours")


def about_bad(value: Any) -> bool:
    """Whether a call of the distributor has to do with the endpoint `bad`."""
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        return any(map(about_bad, value))
    return "bad" in str(getattr(value, "claim", value))


def failing(whole: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """The same function, but that it raises whenever it has to do with the endpoint `bad`."""
    # What is in flight has been counted by then.
    afterwards = whole is ArticlePushes.take_answer

    def fail(*arguments: Any, **named: Any) -> Any:
        bad = any(map(about_bad, (*arguments, *named.values())))
        if bad and not afterwards:
            raise error
        value = whole(*arguments, **named)
        if bad:
            raise error
        return value

    return fail


PLACES: dict[str, tuple[Callable[[Worker], object], str, Exception, str]] = {
    "the end of a claim": (lambda worker: worker.distributor._store.receivers, "settle", BUG, "settling_failed"),
    "the script": (
        lambda worker: worker.distributor._store.receivers,
        "settle",
        redis.ResponseError("ERR in a script"),
        "record_damaged",
    ),
    "what goes before it": (
        lambda worker: worker.distributor._store.attempts,
        "note_suspension",
        BUG,
        "settling_failed",
    ),
    "what is told of it": (lambda worker: worker.alerts, "raise_alert", BUG, "settling_failed"),
    "what is kept": (lambda worker: worker.distributor._store.attempts, "send", BUG, "noting_failed"),
    "pages to look at": (lambda worker: worker, "on_answers", BUG, "noting_failed"),
    "an answer": (lambda _: ArticlePushes, "take_answer", BUG, "push_failed"),
}


@pytest.mark.parametrize("place", PLACES)
def test_others_are_served_and_settled(worker: Worker, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    whose, name, error, event = PLACES[place]
    for endpoint in (*GOOD[:2], "bad", *GOOD[2:]):
        worker.endpoint(name=endpoint)
    if event == "settling_failed":
        worker.receiver.behave["/bad"] = lambda _: (410, b"")
    worker.store.damaged_records.alert = lambda **about: structlog.get_logger().error("record_damaged", **about)
    with monkeypatch.context() as patched, structlog.testing.capture_logs() as logged:
        owner = whose(worker)
        patched.setattr(owner, name, failing(getattr(owner, name), error))
        for article in ("one", "two"):
            worker.change(article)
            worker.go()
            worker.receiver.until(lambda article=article: all(served(worker, article)), 60, "the others")
        worker.receiver.until(lambda: event in {line["event"] for line in logged}, 60, "the log")
    lines = [line for line in logged if line["event"] == event]
    assert "distributor_failed" not in {line["event"] for line in logged}
    if event == "record_damaged":
        assert ["receivers of f"] == [line["record"] for line in lines]
    elif event != "noting_failed":
        # Its claim lasts, so it is logged once.
        assert 1 == len(lines)
    assert all(line.get("exc_info") for line in lines if event != "record_damaged")

    worker.receiver.behave.clear()
    later = clock.ms(clock.now()) + int(CLAIM_SECONDS + 70) * 1000
    worker.store.receivers.resume("f", "endpoint:bad")
    worker.store.receivers.sweep(["f"], later, 100)
    worker.go()
    worker.receiver.until(lambda: settled(worker, "bad"), 60, "the one that was in trouble")
    assert {"published one", "published two"} == set(worker.pushes("bad"))


@pytest.mark.parametrize("damage", ["", "x", "[]", "null", '{"version":1}', '{"version":1,"status":"killed","at":1}'])
def test_a_damaged_entry_of_a_ledger_keeps_no_kill_from_an_endpoint(worker: Worker, damage: str) -> None:
    worker.endpoint()
    for article in ("one", "two"):
        worker.change(article)
    worker.go()
    worker.receiver.until(lambda: {"published one", "published two"} <= set(worker.pushes()), 60, "the articles")
    worker.receiver.until(worker.settled, 60, "the end of the claim")
    worker.store.client.hset(keys.feed("f").ledger("e"), "one", damage)
    for article in ("one", "two"):
        worker.change(article, "killed")
    worker.go()
    worker.receiver.until(lambda: {"killed one", "killed two"} <= set(worker.pushes()), 60, "the kills")
    worker.receiver.until(worker.settled, 60, "the end of the claim")
    entries = worker.store.ledgers.read_one("f", "e", ["one", "two"])
    assert ["killed", "killed"] == [LedgerEntry.parse(text).label for text in entries.values()]


def served(worker: Worker, article: str) -> list[bool]:
    """Whether each of the other endpoints got the article, and its claim has ended."""
    return [f"published {article}" in worker.pushes(name) and settled(worker, name) for name in GOOD]


def settled(worker: Worker, name: str) -> bool:
    [receiver] = worker.store.receivers.get_many("f", [f"endpoint:{name}"])
    return receiver.state == "settled" and receiver.cursor == worker.store.changes.head("f").seq
