"""Endpoints that hold a feed's document: whole each time, news in the ledger, delays, kills that go ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import feedparser
import pytest
from distributing import Worker
from receiver import Receiver
from waiting import until

from feeds.rights import Rights
from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.store import Store, keys

PATIENCE = 60


class Partner:
    """An endpoint that holds the document of the feed, over HTTP: what it was sent can be seen."""

    def __init__(self, worker: Worker, **more: Any) -> None:
        self.worker = worker
        worker.endpoint("feed", "rss", holds_document=True, **more)

    def until(self, true: Callable[[], bool], awaited: str) -> None:
        until(true, lambda: f"{awaited}: {self.documents()}")

    def go(self) -> None:
        self.worker.go()
        self.until(self.worker.settled, "all to be sent")

    def documents(self) -> list[list[str]]:
        """The headlines in each document that was sent."""
        bodies = [request.body for request in self.worker.receiver.at("/e")]
        return [[entry.title for entry in feedparser.parse(body).entries] for body in bodies]

    def ledger(self) -> dict[str, tuple[int, str]]:
        entries = self.worker.store.ledgers.read_one("f", "e", ["a", "b", "c"])
        parsed = {name: LedgerEntry.parse(text) for name, text in entries.items()}
        return {name: (entry.version, entry.status) for name, entry in parsed.items()}


@pytest.fixture
def worker(redis_url: str, store: Store, receiver: Receiver) -> Iterator[Worker]:
    assert store.client.ping()
    worker = Worker(redis_url, receiver)
    yield worker
    worker.stop()


A, B = "Headline of a", "Headline of b"


def test_it_is_whole_each_time_and_the_ledger_has_what_is_news(worker: Worker) -> None:
    partner = Partner(worker)
    worker.change("a")
    partner.go()
    first = worker.store.ledgers.read_one("f", "e", ["a"])
    worker.change("b")
    partner.go()
    assert [sorted(document) for document in partner.documents()] == [[A], [A, B]]
    assert partner.ledger() == {"a": (1, "published"), "b": (1, "published")}
    assert worker.store.ledgers.read_one("f", "e", ["a"]) == first


def test_a_kill_is_the_document_without_the_article(worker: Worker) -> None:
    partner = Partner(worker)
    worker.change("a")
    worker.change("b")
    partner.go()
    worker.change("a", "killed")
    partner.go()
    assert A not in partner.documents()[-1]
    assert B in partner.documents()[-1]
    assert partner.ledger() == {"a": (2, "killed"), "b": (1, "published")}


def test_the_kill_of_what_is_in_no_document_any_more_is_noted_too(worker: Worker) -> None:
    partner = Partner(worker)
    worker.change("a")
    partner.go()
    worker.change("a", "left")
    worker.change("b")
    partner.go()
    worker.change("a", "killed")
    # It is in no list of those that have left, either: that was long ago.
    worker.store.client.delete(keys.feed("f").tombstones)
    partner.go()
    assert partner.ledger()["a"] == (3, "killed")


def test_rights_hold(worker: Worker) -> None:
    partner = Partner(worker, rights=Rights(text="headline"))
    worker.change("a", body_html="<p>All of it.</p>", summary="Some of it.")
    partner.go()
    assert partner.documents() == [[A]]
    assert b"of it" not in worker.receiver.at("/e")[0].body


def test_what_is_delayed_is_in_no_document_before_and_a_kill_is_not_delayed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = Partner(worker, delay=3_600_000)
    now = clock.now()
    worker.change("a")
    hour = timedelta(hours=1, seconds=1)
    later = [timedelta(0)]
    for name in ("now", "agreed"):
        monkeypatch.setattr(clock, name, lambda: now + later[0] + timedelta(seconds=time.monotonic() % 1))
    worker.go()
    partner.until(lambda: worker.store.receivers.counts("f")["backoff"] == 1, "it to wait")
    assert partner.documents() == []
    later[0] = hour
    worker.store.receivers.sweep(["f"], clock.ms(clock.now()), 100)
    partner.go()
    assert partner.documents() == [[A]]


def test_a_kill_does_not_wait_for_the_rate(worker: Worker) -> None:
    partner = Partner(worker, rate=0.001)
    worker.change("a")
    worker.go()
    partner.until(lambda: partner.documents() == [[A]], "the first")
    worker.change("b")
    worker.go()
    partner.until(lambda: worker.store.receivers.counts("f")["backoff"] == 1, "it to wait")
    assert len(partner.documents()) == 1
    worker.change("a", "killed")
    worker.store.receivers.bring_forward("f", {"endpoint:e": clock.ms(clock.now())})
    worker.store.receivers.sweep(["f"], clock.ms(clock.now()) + 1000, 100)
    worker.go()
    partner.until(lambda: len(partner.documents()) == 2, "the document without it")
    assert A not in partner.documents()[1]
    partner.until(lambda: partner.ledger()["a"] == (2, "killed"), "its answer to be noted")


def test_a_replay_writes_it_again(worker: Worker) -> None:
    partner = Partner(worker)
    worker.change("a")
    partner.go()
    worker.store.replays.request("f", "e", {"a": 1}, "r-1", same_ids=False, rate=0)
    assert worker.store.replays.rewind("f", "e")
    partner.go()
    assert partner.documents() == [[A], [A]]
