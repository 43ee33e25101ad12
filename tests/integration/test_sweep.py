"""What time changes by itself, between two sweeps."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from worker import clock, sweep
from worker.store import Store
from worker.sweep import Sweeper


class Publisher:
    """Notes what it is asked to release; `stuck`: an article that it can't."""

    def __init__(self, store: Store, *, stuck: bool) -> None:
        self.released: list[float] = []
        self._store = store
        self._stuck = stuck

    def release_due(self, now: Any) -> None:
        for article_id in self._store.articles.due(now, 10):
            self.released.append(time.monotonic())
            if not self._stuck:
                self._store.articles.schedule(article_id, None)

    def reclaim(self) -> None:
        """Nothing was left lying."""

    consume = reclaim


class Operations:
    def send(self) -> None:
        """Nobody is to be told anything."""


def sweeper(store: Store, publisher: Publisher) -> Sweeper:
    return Sweeper(store, None, publisher, Operations(), None, "w1")  # type: ignore[arg-type]


def until(publisher: Publisher, times: int) -> None:
    deadline = time.monotonic() + 20
    while len(publisher.released) < times:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_embargo_that_ends_between_two_sweeps_waits_for_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher(store, stuck=False)
    now = clock.now()
    for number, seconds in enumerate((1.5, 1.7, 600)):
        store.articles.schedule(f"a{number}", now + timedelta(seconds=seconds))
    monkeypatch.setattr(sweep, "INTERVAL", 0.2)
    sweeping = sweeper(store, publisher)
    sweeping.start()
    time.sleep(0.5)
    monkeypatch.setattr(sweep, "INTERVAL", 600.0)
    try:
        until(publisher, 2)
    finally:
        sweeping.stop()
    assert len(publisher.released) == 2


def test_what_can_not_be_released_is_tried_again_by_sweeps_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher(store, stuck=True)
    store.articles.schedule("a", clock.now() + timedelta(seconds=0.5))
    monkeypatch.setattr(sweep, "INTERVAL", 1.0)
    sweeping = sweeper(store, publisher)
    sweeping.start()
    try:
        until(publisher, 2)
    finally:
        sweeping.stop()
    assert publisher.released[1] - publisher.released[0] > 0.1
