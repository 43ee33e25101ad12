"""How often one event asks Redis: each round trip is a part of the time until the first reader has the news."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from news_desk import Desk, article, kill
from redis.connection import AbstractConnection

from worker.store import Store


@pytest.fixture
def desk(store: Store) -> Desk:
    """A newsroom that has carried out events of each kind, so that Redis has all scripts."""
    desk = Desk(store)
    picks = {"id": "evt-list", "type": "list.updated", "list": {"name": "picks", "articles": ["warm"]}}
    for event in (article("warm"), article("warm", 2, section="sport"), kill("warm"), picks):
        desk.accept(event)
        desk.consumer().consume()
    return desk


@contextmanager
def counted() -> Iterator[list[object]]:
    """What is sent to Redis meanwhile: a pipeline is sent at once."""
    requests: list[object] = []
    send = AbstractConnection.send_packed_command

    def note(connection: AbstractConnection, command: object, check_health: bool = True) -> None:
        requests.append(command)
        send(connection, command, check_health)

    with mock.patch.object(AbstractConnection, "send_packed_command", note):
        yield requests


def test_an_event_reads_its_article_once_and_places_it_once(desk: Desk) -> None:
    """Three round trips are of the batch: to read it, to acknowledge it, and to see that there is no other.

    The others: the article, if its document is no update; the curated list, and which documents its picks are; the
    schedule; to save; of an article that leaves a feed, whether it is in it, and the announcement; to record, with the
    schedule, the rev and which feeds have receivers.
    """
    counts = {}
    events = {
        "new": article("a"),
        "corrected": article("a", 2),
        "moved": article("a", 3, section="sport"),
        "duplicate": article("a", 3, section="sport"),
        "killed": kill("a"),
        "killed before it came": kill("b"),
    }
    for name, event in events.items():
        consumer = desk.consumer()
        desk.accept(event)
        with counted() as requests:
            assert consumer.consume() == 1
        counts[name] = len(requests)
    assert {
        "new": 9,
        "corrected": 9,
        "moved": 11,
        "duplicate": 8,
        "killed": 11,
        "killed before it came": 9,
    } == counts
