"""Whoever meets a trimmer between two of its scripts, or dies in the middle, leaves every article cold or whole."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from unittest import mock

import pytest
from cold_parts import Parts, save
from recording import held, note

from worker.record import Record
from worker.store import Store, keys
from worker.store.articles import StoredArticle
from worker.store.scripts import Scripts


class Steps:
    """Two actors who take turns at every call of Redis, in an order that is given."""

    def __init__(self, order: tuple[int, ...]) -> None:
        self._order = list(order)
        self._turn = threading.Condition()
        self._ended = [False, False]
        self._actors: dict[int, int] = {}

    def wait(self) -> None:
        """Wait for the turn of the actor of this thread; others go on at once."""
        actor = self._actors.get(threading.get_ident())
        if actor is None:
            return
        with self._turn:
            while self._order and self._order[0] != actor and not self._ended[1 - actor]:
                assert self._turn.wait(60)
            if self._order and self._order[0] == actor:
                self._order.pop(0)
            self._turn.notify_all()

    def run(self, *actors: Callable[[], Any]) -> None:
        """Run both until they end. What they raise is raised."""
        errors: list[BaseException] = []

        def go(number: int, actor: Callable[[], Any]) -> None:
            self._actors[threading.get_ident()] = number
            try:
                actor()
            except BaseException as error:  # noqa: BLE001 (raised below)
                errors.append(error)
            with self._turn:
                self._ended[number] = True
                self._turn.notify_all()

        threads = [threading.Thread(target=go, args=args) for args in enumerate(actors)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        for error in errors:
            raise error


def stepped(steps: Steps) -> Any:
    """Have every script, also each of many in one pipeline, wait for its turn."""
    run_many = Scripts.run_many

    def one_by_one(scripts: Scripts, name: str, calls: list[Any]) -> list[Any]:
        if not name.startswith("cooling/"):
            return run_many(scripts, name, calls)
        answers = []
        for call in calls:
            steps.wait()
            answers += run_many(scripts, name, [call])
        return answers

    return mock.patch.object(Scripts, "run_many", one_by_one)


ORDERS = list(itertools.combinations(range(14), 7))
"""Which of fourteen turns are the first actor's."""


def order(turns: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(0 if turn in turns else 1 for turn in range(14))


@pytest.mark.parametrize("other", ["warm", "event", "trim"])
def test_whoever_meets_a_trimmer_between_two_scripts_finds_the_article_whole(
    store: Store, sqlite_record: Record, other: str
) -> None:
    _meet(store, sqlite_record, other, ORDERS[::113])


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("other", ["warm", "event", "trim"])
def test_whoever_meets_a_trimmer_in_any_order_of_their_scripts_finds_the_article_whole(
    store: Store, sqlite_record: Record, other: str
) -> None:
    _meet(store, sqlite_record, other, ORDERS)


def _meet(store: Store, record: Record, other: str, orders: list[tuple[int, ...]]) -> None:
    """A trimmer takes out (2 x examine, remove, 2 x take out), and somebody needs the article at the same time."""
    parts, rival = Parts(store, record), Parts(store, record)
    parts.terms.limits = rival.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "a")
    note(store, record, "a")
    whole = held(store, "a")
    for turns in orders:
        parts.trimmer.trim_articles(["a"])
        assert store.articles.look_up("a").rev.endswith("~")
        steps = Steps(order(turns))
        with stepped(steps):
            needs = partial(rival.trimmer.trim_articles, ["a"]) if other == "trim" else partial(_need, rival, other)
            steps.run(partial(parts.trimmer.trim_articles, ["a"]), needs)
        if other == "trim":
            assert held(store, "a") in ({}, whole), turns
        else:
            assert held(store, "a") == whole, turns
        # It may be marked again.
        assert parts.articles.get("a")
        assert held(store, "a") == whole, turns
        store.client.hset(keys.article("a"), "warmed", 0)


def _need(parts: Parts, what: str) -> None:
    if what == "warm":
        # Also when its hash is there yet.
        parts.articles.warm(["a"])
    else:
        parts.articles.look_up("a", certain=True)
    assert isinstance(parts.articles.look_up("a", certain=True), StoredArticle)


@pytest.mark.parametrize("died_after", range(1, 6))
def test_a_trimmer_that_dies_leaves_nothing_that_is_not_taken_out(
    store: Store, sqlite_record: Record, died_after: int
) -> None:
    parts = Parts(store, sqlite_record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "b")
    note(store, sqlite_record, "b")
    whole = held(store, "b")
    parts.trimmer.trim_articles(["b"])
    _die(died_after, lambda: parts.trimmer.trim_articles(["b"]))
    if died_after % 2:
        assert parts.articles.get("b")
        assert held(store, "b") == whole
        store.client.hset(keys.article("b"), "warmed", 0)
    for _ in range(4):
        parts.trimmer.trim_articles(["b"])
    assert held(store, "b") == {}
    assert parts.articles.get("b")
    assert held(store, "b") == whole


@pytest.mark.parametrize("died_after", range(1, 6))
def test_who_dies_while_an_article_comes_back_leaves_it_cold_or_whole(
    store: Store, sqlite_record: Record, died_after: int
) -> None:
    parts = Parts(store, sqlite_record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "c")
    note(store, sqlite_record, "c")
    whole = held(store, "c")
    parts.trim("c")
    assert held(store, "c") == {}
    _die(died_after, lambda: parts.articles.warm(["c"]))
    if store.articles.get("c"):
        assert held(store, "c") == whole
    elif died_after % 2:
        for _ in range(3):
            parts.trimmer.trim_articles(["c"])
        assert held(store, "c") == {}
    assert parts.articles.get("c")
    assert held(store, "c") == whole


class Killed(BaseException):
    """Stands for SIGKILL."""


def _die(after: int, actor: Callable[[], Any]) -> None:
    """Run an actor that is killed after so many of its scripts."""
    count = itertools.count(1)
    run_many = Scripts.run_many

    def one_by_one(scripts: Scripts, name: str, calls: list[Any]) -> list[Any]:
        if not name.startswith("cooling/"):
            return run_many(scripts, name, calls)
        answers = []
        for call in calls:
            answers += run_many(scripts, name, [call])
            if next(count) == after:
                raise Killed
        return answers

    with mock.patch.object(Scripts, "run_many", one_by_one), contextlib.suppress(Killed):
        actor()


def test_articles_come_and_go_while_others_work_on_them(store: Store, sqlite_record: Record) -> None:
    """Threads take out and need the same articles: none is lost, none is half."""
    parts = Parts(store, sqlite_record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    names = [f"t{number}" for number in range(6)]
    for number, name in enumerate(names):
        save(store, name, number=number)
    note(store, sqlite_record, *names)
    whole = {name: held(store, name) for name in names}
    end = time.monotonic() + 4

    def trim() -> None:
        own = Parts(store, sqlite_record)
        own.terms.limits = {}
        while time.monotonic() < end:
            own.trim(*names)

    def need() -> None:
        own = Parts(store, sqlite_record)
        while time.monotonic() < end:
            for name in random.sample(names, 3):
                assert isinstance(own.articles.look_up(name, certain=True), StoredArticle)
                store.client.hset(keys.article(name), "warmed", 0)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(act) for act in (trim, trim, need, need)]:
            done.result(60)
    # A hash with nothing but `warmed` was written by this test.
    for name in names:
        if store.client.hlen(keys.article(name)) == 1:
            store.client.delete(keys.article(name))
    assert parts.articles.get_many(names).keys() == set(names)
    assert {name: held(store, name) for name in names} == whole
