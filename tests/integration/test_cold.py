"""What is cold leaves Redis whole, and comes back whole when somebody needs it; on both databases."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest
from recording import held, note

from feeds.article import Article
from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.record import Record
from worker.retention.known_id_filter import KnownIdFilter
from worker.retention.outdated import OutdatedRows
from worker.retention.recorded import RecordedArticles
from worker.retention.trim import Trimmer
from worker.retention.warm import HotArticles
from worker.store import Store, keys
from worker.store.articles import NEW, StoredArticle
from worker.store.scripts import Scripts

DAY = 86_400_000
OLD = 1_700_000_000_000
YEARS = timedelta(days=4000)


class Terms:
    """One feed with a window of two articles, others with none."""

    def __init__(self) -> None:
        self.limits = {"f": 2}
        self.lists: set[str] = set()

    def may_trim(self) -> bool:
        return True

    def limit(self, feed: str) -> int:
        return self.limits.get(feed, 0)

    def picks(self) -> set[str]:
        return self.lists

    def formats(self) -> list[str]:
        return ["atom"]


class Parts:
    """One process' parts on the record."""

    def __init__(self, store: Store, record: Record, grace: float = 0.0, hot: timedelta = timedelta(days=30)) -> None:
        self.store = store
        self.recorded = RecordedArticles(record)
        self.articles = HotArticles(store, self.recorded)
        self.ids = KnownIdFilter(store, self.recorded)
        self.terms = Terms()
        outdated = OutdatedRows(self.recorded, attempts=YEARS, events=YEARS)
        terms: Any = self.terms
        parts = (store, self.recorded, self.articles, self.ids, outdated, terms)
        self.trimmer = Trimmer(*parts, hot=hot, grace_seconds=grace)

    def trim(self, *article_ids: str) -> None:
        """Mark those that are cold, and take them out."""
        for _ in range(2):
            self.trimmer.trim_articles(article_ids)


def save(store: Store, name: str, feeds: tuple[str, ...] = ("f", "g"), number: int = 1, **more: Any) -> None:
    """Have an old article in feeds, with what endpoints hold of it."""
    moment = clock.moment(OLD + number)
    article = Article(
        id=name, version=1, headline=f"Of {name}", url=f"https://h.example/{name}", published=moment, updated=moment
    )
    store.articles.save(article.model_copy(update=more), NEW, feeds, OLD, ("aa", "bb"))
    store.changes.record(name, 1, OLD, dict.fromkeys(feeds, ("in", OLD + number)))
    for feed in feeds:
        for endpoint in ("e1", "e2"):
            store.receivers.enroll(feed, f"endpoint:{endpoint}", {"endpoint": endpoint})
            entry = LedgerEntry(1, "published", OLD, "ab" * 32)
            store.client.hset(keys.feed(feed).ledger(endpoint), name, str(entry))
            store.client.zadd(keys.feed(feed).settled, {f"endpoint:{endpoint}": 1_000_000})


@pytest.fixture
def parts(store: Store, record: Record) -> Parts:
    parts = Parts(store, record)
    assert parts.ids.complete(lambda: True)
    return parts


def some(store: Store, record: Record, count: int = 15) -> list[str]:
    """Fill the feeds; the first ones are below every window."""
    names = [f"a{n:02}" for n in range(count)]
    for number, name in enumerate(names):
        save(store, name, number=number)
    note(store, record, *names)
    return names


def test_nothing_of_a_cold_article_stays_and_all_of_it_comes_back(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    before = {name: held(store, name) for name in names}
    parts.trim(*names)
    out = [name for name in names if not held(store, name)]
    # Two are in the window, ten are the spare ones below it.
    assert out == names[:3]
    assert store.changes.size("f") == 15
    assert parts.articles.get_many(out).keys() == set(out)
    assert {name: held(store, name) for name in names} == before
    assert store.changes.size("f") == 15
    assert store.client.hget(keys.feed("f").meta, "cold") == "0"


def test_an_article_that_came_back_can_go_again(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    before = held(store, names[0])
    for _ in range(3):
        parts.trim(*names)
        assert not held(store, names[0])
        parts.articles.warm([names[0]])
        assert held(store, names[0]) == before
        store.client.hset(keys.article(names[0]), "warmed", 0)


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
                assert self._turn.wait(20)
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


@pytest.fixture(scope="module")
def sqlite_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    record = Record.connect(f"sqlite:///{tmp_path_factory.mktemp('r') / 'record.db'}", synchronous="normal")
    record.upgrade()
    yield record
    record.close()


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
    _meet(store, sqlite_record, other, ORDERS[::37])


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
