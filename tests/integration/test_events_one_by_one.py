"""Events that come soon after one another are carried out one by one, and noted and acknowledged together."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread
from typing import Any
from unittest import mock

import pytest
from news_desk import Desk, article, kill

from worker.newsroom.event_consumer import EventConsumer
from worker.record import Record
from worker.store import keys
from worker.store.events import GROUP

MODULE = "worker.newsroom.event_consumer"


def waiting_for_others() -> contextlib.AbstractContextManager[Any]:
    """Every event waits for others, for as long as it takes."""
    return mock.patch.multiple(MODULE, _SOON_SECONDS=math.inf, _TOGETHER_SECONDS=3600.0)


class Died(BaseException):
    """As a SIGKILL: nothing below catches it."""


@pytest.fixture
def desk(store: Any, record: Record) -> Iterator[Desk]:
    desk = Desk(store, record)
    with mock.patch("worker.newsroom.event_consumer._AGAIN_MS", 0):
        yield desk
    desk.noting.stop()


@contextlib.contextmanager
def listening(desk: Desk) -> Iterator[EventConsumer]:
    """Let a worker listen for events meanwhile, and end well."""
    consumer, counts = desk.consumer(), []
    thread = Thread(target=lambda: counts.append(consumer.consume(600, listens=True)))
    thread.start()
    try:
        yield consumer
    finally:
        consumer.stop()
        # It hears of it when something comes.
        desk.accept(kill("the-end"))
        thread.join(60)
    assert counts, "it failed"


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_in_feed(desk: Desk, name: str) -> bool:
    return name in desk.members("all")


def all_noted(desk: Desk, transactions: list[str], count: int) -> bool:
    return len(transactions) == count and not waiting(desk)


def waiting(desk: Desk) -> int:
    """How many events are not acknowledged yet."""
    return sum(desk.store.client.xpending(stream, GROUP)["pending"] for stream in (keys.EVENTS, keys.URGENT))


@pytest.fixture
def transactions(desk: Desk) -> Iterator[list[str]]:
    """Grows with each transaction that writes into the record."""
    begun: list[str] = []
    write = desk.record.availability.write

    def counted(*sync: Any) -> Any:
        begun.extend(sync)
        return write(*sync)

    with mock.patch.object(desk.record.availability, "write", counted):
        yield begun


def test_they_are_carried_out_at_once_and_noted_together(desk: Desk, transactions: list[str]) -> None:
    with waiting_for_others(), listening(desk):
        for number in range(5):
            desk.accept(article(f"a{number}"))
            until(partial(is_in_feed, desk, f"a{number}"))
        assert transactions == []
        assert waiting(desk) == 5
    assert len(transactions) == 1
    assert waiting(desk) == 0
    assert not desk.store.client.hgetall(keys.UNNOTED)


def test_one_that_comes_alone_is_noted_at_once(desk: Desk, transactions: list[str]) -> None:
    with mock.patch.multiple(MODULE, _SOON_SECONDS=0.0, _TOGETHER_SECONDS=3600.0), listening(desk):
        desk.accept(article("a"))
        until(partial(all_noted, desk, transactions, 1))


def test_one_that_is_followed_by_no_other_is_noted_while_it_still_listens(desk: Desk, transactions: list[str]) -> None:
    with mock.patch(f"{MODULE}._SOON_SECONDS", math.inf), listening(desk):
        for count, name in enumerate(("a", "b"), 1):
            desk.accept(article(name))
            until(partial(all_noted, desk, transactions, count))


def test_a_kill_waits_for_nothing_and_takes_along_what_waited(desk: Desk, transactions: list[str]) -> None:
    with waiting_for_others(), listening(desk):
        desk.accept(article("a"))
        until(partial(is_in_feed, desk, "a"))
        assert transactions == []
        desk.accept(kill("a"))
        until(partial(all_noted, desk, transactions, 1))
        assert len(transactions) == 1


def test_what_waits_is_acknowledged_when_another_worker_takes_charge(desk: Desk, transactions: list[str]) -> None:
    with waiting_for_others(), listening(desk) as consumer:
        desk.accept(article("a"))
        until(partial(is_in_feed, desk, "a"))
        assert transactions == []
        consumer._permit.lose()
        # It is for the other one.
        desk.accept(article("b"))
        until(lambda: transactions and waiting(desk) == 1)
    assert desk.members("all") == ["a"]


def test_what_waits_is_acknowledged_when_it_listens_no_longer(desk: Desk) -> None:
    desk.accept(article("a"))
    with waiting_for_others():
        assert desk.consumer().consume(1.0, listens=True) == 1
    assert waiting(desk) == 0
    assert not desk.store.client.hgetall(keys.UNNOTED)


def test_nobody_takes_over_what_waits_while_its_worker_lives_and_others_do_when_it_has_died(desk: Desk) -> None:
    consumer, other = desk.consumer("w1"), desk.consumer("w2")
    desk.store.workers.report_alive("w1", int(time.time() * 1000))
    with waiting_for_others(), mock.patch.object(desk.noting, "note_in_time", side_effect=Died):
        thread = Thread(target=_until_it_dies, args=(consumer,))
        thread.start()
        desk.accept(article("a"))
        until(partial(is_in_feed, desk, "a"))
        assert consumer.take_over() == other.take_over() == 0
        thread.join(60)
    assert waiting(desk) == 1
    desk.store.workers.leave("w1")
    assert other.take_over() == 1
    assert waiting(desk) == 0
    assert desk.members("all") == ["a"]


def _until_it_dies(consumer: EventConsumer) -> None:
    with contextlib.suppress(Died):
        consumer.consume(2.0, listens=True)
