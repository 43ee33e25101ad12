"""The duties of a worker: what time changes by itself, and what nobody was woken for. None waits for another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any
from unittest import mock

import pytest
import redis
import structlog
from waiting import until

from feeds.definition import FeedDefinition
from worker import clock
from worker.newsroom.publication import Publication
from worker.runtime import sweep
from worker.runtime.duty import Duty
from worker.runtime.sweep import Sweeper
from worker.store import Store
from worker.store.subscription_requests import SubscriptionRequest


class Newsroom:
    """Notes what it is asked to do. `stuck`: it can release nothing; `importing`: it consumes until that is set."""

    in_charge = True

    def __init__(self, store: Store, *, stuck: bool = False, importing: Event | None = None) -> None:
        self.released: list[float] = []
        self.kills = 0
        self.took_over_from_dead: list[bool] = []
        self.consuming = Event()
        self._store = store
        self._stuck = stuck
        self._importing = importing

    def release_due(self, now: Any) -> int:
        due = self._store.articles.due(now, 10)
        for article_id in due:
            self.released.append(time.monotonic())
            self._store.articles.schedule(article_id, clock.now() + timedelta(seconds=1) if self._stuck else None)
        return len(due)

    def consume(self, _seconds: float, *, listens: bool) -> int:
        assert listens
        self.consuming.set()
        time.sleep(0.02)
        if self._importing:
            self._importing.wait(30)
        return 0

    def take_over(self, *, from_dead_workers: bool) -> int:
        self.took_over_from_dead.append(from_dead_workers)
        return 0

    def consume_kills(self) -> int:
        time.sleep(0.02)
        self.kills += 1
        return 1


class Operations:
    def send(self) -> None:
        """Nobody is to be told anything."""


class Wakeups:
    """A broker that is dead: nobody may depend on it."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        raise AssertionError(f"woken by the broker: {name}")


@contextmanager
def sweeping(store: Store, newsroom: Newsroom, begun: list[tuple[str, str]] | None = None) -> Iterator[Sweeper]:
    """A sweeper at work; what it begins is noted in `begun`."""
    notes: list[tuple[str, str]] = [] if begun is None else begun

    def note(what: str) -> Callable[[str], bool]:
        def told(feed: str, *_: Any) -> bool:
            notes.append((what, feed))
            return True

        return told

    site = Publication("https://h.example", "H", "h.example,2026", "en", (FeedDefinition(name="f", title="F"),))
    parts: Any = (store, site, newsroom, newsroom, Operations(), Wakeups(), "w1")
    begin: Any = {
        "try_locally": note("serve"),
        "verify": note("verify"),
        "look": note("look"),
        "inform_ended": note("end"),
    }
    begin |= {"claim_seconds": 30, "listens": True}
    sweeper = Sweeper(*parts, **begin)
    sweeper.start()
    try:
        yield sweeper
    finally:
        sweeper.stop()


def test_an_embargo_that_ends_between_two_looks_waits_for_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    newsroom = Newsroom(store)
    now = clock.now()
    for number, seconds in enumerate((1.5, 1.7, 600)):
        store.articles.schedule(f"a{number}", now + timedelta(seconds=seconds))
    monkeypatch.setattr(sweep, "INTERVAL", 600.0)
    with sweeping(store, newsroom):
        until(lambda: len(newsroom.released) == 2)
    assert len(newsroom.released) == 2


def test_what_can_not_be_released_is_tried_again_after_a_while(store: Store) -> None:
    newsroom = Newsroom(store, stuck=True)
    store.articles.schedule("a", clock.now() + timedelta(seconds=0.1))
    with sweeping(store, newsroom):
        until(lambda: len(newsroom.released) == 2)
    assert newsroom.released[1] - newsroom.released[0] > 0.5


def test_a_long_import_keeps_nothing_else_waiting_and_no_broker_is_needed(store: Store) -> None:
    """The worker is alive, embargoes end, kills are carried out, receivers served and subscribers asked meanwhile."""
    imported = Event()
    newsroom = Newsroom(store, importing=imported)
    store.receivers.enroll("f", "endpoint:e", {"endpoint": "e"})
    begun: list[tuple[str, str]] = []
    with sweeping(store, newsroom, begun):
        assert newsroom.consuming.wait(60)
        begin = clock.now()
        store.articles.schedule("a", begin + timedelta(seconds=1))
        store.changes.record("a", 1, 1, {"f": ("in", 1)})
        intent = SubscriptionRequest(
            "subscribe", "t", "https://r.example/", "atom", "", 60, clock.ms(begin), "n", "h", "c"
        )
        store.subscription_requests.request("f", "s", intent)
        kills = newsroom.kills
        until(lambda: newsroom.released and {("serve", "f"), ("verify", "f")} <= set(begun))
        until(lambda: store.workers.alive(clock.ms(clock.now()), clock.ms(begin) + 2000))
        assert newsroom.kills > kills
        imported.set()
    assert store.workers.alive(clock.ms(clock.now())) == []


def test_nobody_is_taken_for_dead_while_nobody_can_be_heard(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a Redis that is full heartbeats fail, and what says that workers live runs out."""
    monkeypatch.setattr(sweep, "_HEARD_SECONDS", 0.5)
    monkeypatch.setattr(sweep, "INTERVAL", 0.1)
    newsroom = Newsroom(store)
    with sweeping(store, newsroom):
        until(lambda: True in newsroom.took_over_from_dead)
        with monkeypatch.context() as full:
            full.setattr(store.workers, "report_alive", mock.Mock(side_effect=redis.ConnectionError("gone")))
            until(lambda: not newsroom.took_over_from_dead[-1])
        until(lambda: newsroom.took_over_from_dead[-1])
    assert not newsroom.took_over_from_dead[0]


def test_a_duty_says_once_that_redis_is_away_and_goes_on_when_it_is_back() -> None:
    errors = [redis.ConnectionError("gone")] * 3
    done = Event()

    def do() -> None:
        if errors:
            raise errors.pop()
        done.set()

    with structlog.testing.capture_logs() as logged:
        duty = Duty("test", do, 0.0)
        duty.start()
        assert done.wait(60)
        until(lambda: "redis_back" in [line["event"] for line in logged])
        duty.stop()
        duty.join(60)
    assert ["redis_away", "redis_back"] == [line["event"] for line in logged]


def test_a_bug_of_ours_is_no_outage_and_ends_no_duty() -> None:
    errors: list[Exception] = [redis.ResponseError("WRONGTYPE Operation against a key"), ValueError("x")]
    done = Event()

    def do() -> None:
        if errors:
            raise errors.pop()
        done.set()

    with structlog.testing.capture_logs() as logged:
        duty = Duty("test", do, 0.0)
        duty.start()
        assert done.wait(60)
        duty.stop()
        duty.join(60)
    assert ["duty_failed", "duty_failed"] == [line["event"] for line in logged]
