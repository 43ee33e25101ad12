"""What is cold behaves as if it never had been: of two newsrooms one takes everything out between any two acts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from cold_parts import Parts
from partner_desk import SITE, Desk
from recording import held
from sqlalchemy import delete

from worker.management.audit_trail import AuditTrail
from worker.management.callers import shell
from worker.receivers.endpoint_orders import EndpointName, EndpointOrders, ReplayChoice
from worker.receivers.replay_selection import articles_to_replay
from worker.record import Record, tables
from worker.record.search import index_waiting
from worker.retention.noter import Noter
from worker.retention.outbox_drain import OutboxDrain
from worker.store import Store, keys
from worker.takedown.coverage_report import coverage_report

NAMES = ("a", "b", "c", "d")


class Room:
    """A newsroom with one partner, on a record."""

    def __init__(self, store: Store, record: Record, *, trims: bool, mode: str = "article") -> None:
        self.store = store
        self.desk = Desk(store, record=record, mode=mode)
        self.parts = Parts(store, record, hot=timedelta(milliseconds=1))
        self.parts.terms.limits = {}
        self.drain = OutboxDrain(store, record)
        self.noter = Noter(store, record)
        self.trims = trims
        assert self.parts.ids.complete(lambda: True)

    def do(self, act: Callable[[Room], None]) -> None:
        """Carry out an act and serve the partner; then take out all that is cold."""
        act(self)
        self.desk.go(3)
        # What could not be noted in a moment a duty notes.
        self.noter.note(self.store.client.hkeys(keys.UNNOTED))
        # As if a hundred others had left since: what has left is cold only then.
        self.store.client.delete(keys.feed("world").tombstones)
        if self.trims:
            self.trim()

    def trim(self) -> None:
        # As the sweep does.
        self.store.outboxes.report(["world"])
        while self.drain.drain() == 0:
            pass
        time.sleep(0.02)
        there = [name for name in NAMES if self.store.articles.get(name)]
        # What has just come back stays for a moment.
        self.parts.trim(*there)
        assert [name for name in there if held(self.store, name)] == [], self.parts.trimmer._stay

    def end(self) -> tuple[Any, ...]:
        """All that the partner was sent, and that Redis has in the end of each article; who has it."""
        self.parts.articles.get_many(NAMES)
        things = {name: held(self.store, name) for name in NAMES}
        for of_article in things.values():
            for key, value in of_article.items():
                if key.startswith("dateline:article:"):
                    # When Redis had the event.
                    value["accepted"] = ""
                    document = json.loads(value["doc"])
                    document.pop("arrived", None)
                    value["doc"] = document
        return self.desk.pushes, things


def send(kind: str, article: str, **more: Any) -> Callable[[Room], None]:
    return lambda room: room.desk._send({"type": kind, "article": {"id": article, **more}})


def reinstate(article: str, version: int) -> Callable[[Room], None]:
    document = {"headline": "It stands", "url": "https://herald.example/it", "body_html": "<p>It stands.</p>"}
    return send("article.reinstated", article, version=version, **document)


def correct(article: str, version: int) -> Callable[[Room], None]:
    return lambda room: room.desk.publish(article, version=version)


def replay(room: Room) -> None:
    """Send again what has changed since the beginning, as `dateline replay` does."""
    room.parts.recorded.epoch()
    since = room.desk.now - timedelta(days=1)
    parts = room.parts
    articles = articles_to_replay(
        room.store, parts.articles, parts.recorded, "world", "p", since=since, article_id=None, parked=False
    )
    room.store.replays.request("world", "p", articles, "replay-1", same_ids=False, rate=1000)
    assert room.store.replays.rewind("world", "p")


ACTS: dict[str, list[Callable[[Room], None]]] = {
    "corrections": [correct("a", 2), correct("b", 2), correct("a", 3), correct("a", 2)],
    "kills": [send("article.killed", "a"), send("article.killed", "a"), correct("a", 2), send("article.killed", "b")],
    "reinstated": [send("article.killed", "a"), reinstate("a", 2), correct("a", 3)],
    "repeated": [send("article.repeated", "c"), send("article.repeated", "c")],
    "replayed": [correct("b", 2), replay, send("article.killed", "d"), replay],
}


@pytest.mark.parametrize("mode", ["article", "feed"])
@pytest.mark.parametrize("acts", ACTS)
def test_what_is_cold_behaves_as_if_it_never_had_been(store: Store, record: Record, acts: str, mode: str) -> None:
    ends = []
    for trims in (False, True):
        room = Room(store, record, trims=trims, mode=mode)
        room.do(lambda room: room.desk.publish(*NAMES))
        for act in ACTS[acts]:
            room.do(act)
        ends.append(room.end())
        if not trims:
            with record.write() as connection:
                for table in reversed(tables.metadata.sorted_tables):
                    if table is not tables.meta:
                        connection.execute(delete(table))
    hot, cold = ends
    assert cold[0] == hot[0]
    assert cold[1] == hot[1]
    assert hot[0]


@pytest.mark.parametrize("state", ["hot", "cold", "cold, and not gone through yet"])
def test_a_replay_of_a_section_has_the_same_articles(store: Store, record: Record, state: str) -> None:
    room = Room(store, record, trims=state != "hot")
    room.do(lambda room: room.desk.publish(*NAMES))
    text = {"headline": "It moved", "url": "https://herald.example/it", "version": 2}
    for name, section in (("b", "Local  NEWS"), ("c", "local"), ("d", "local news")):
        room.do(send("article.corrected", name, section=section, **text))
    if state == "cold":
        while index_waiting(record):
            pass
    orders = EndpointOrders(store, room.parts.articles, room.parts.recorded, mock.Mock(), AuditTrail(store, record))
    choice = ReplayChoice(since=room.desk.now - timedelta(days=1), section="local news")
    articles = orders.to_replay(shell("mira"), EndpointName("p", "world"), choice)
    assert sorted(articles) == ["b", "d"]


def test_coverage_of_a_cold_article_is_the_same(store: Store, record: Record) -> None:
    room = Room(store, record, trims=False)
    room.do(lambda room: room.desk.publish(*NAMES))
    before = coverage_report(store, room.parts.articles, SITE, "a")
    assert before
    room.trim()
    assert not held(store, "a")
    after = coverage_report(store, room.parts.articles, SITE, "a")
    assert after
    assert after.as_json() == before.as_json()
    assert coverage_report(store, room.parts.articles, SITE, "never") is None
