"""What is cold leaves Redis whole, and comes back whole when somebody needs it; on both databases."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import empty_record
import pytest
from recording import held, note
from sqlalchemy import insert, select

from feeds.article import Article
from worker import clock
from worker.receivers.ledger import LedgerEntry
from worker.record import Record, tables
from worker.record.availability import RecordAway
from worker.retention.known_id_filter import KnownIdFilter
from worker.retention.outdated import OutdatedRows
from worker.retention.recorded import RecordedArticles
from worker.retention.trim import Trimmer
from worker.retention.warm import HotArticles
from worker.store import Store, keys
from worker.store.articles import NEW, Remains, StoredArticle
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
    file = tmp_path_factory.mktemp("r") / "record.db"
    empty_record.put(file)
    record = Record.connect(f"sqlite:///{file}", synchronous="normal")
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


def behind(store: Store) -> None:
    store.client.zadd(keys.feed("g").settled, {"endpoint:e2": 0})


def paused_behind(store: Store) -> None:
    assert store.receivers.pause("g", "endpoint:e2", 5, "suspended")
    state = json.loads(store.client.hget(keys.feed("g").receiver_states, "endpoint:e2"))
    store.client.hset(keys.feed("g").receiver_states, "endpoint:e2", json.dumps(state | {"cursor": 0}))


def claimed_behind(store: Store) -> None:
    store.client.zadd(keys.feed("g").settled, {"endpoint:e2": 0})
    store.client.hset(keys.feed("g").meta, "head", 1_000_000)
    assert store.receivers.claim("g", 10, OLD).claims


NEEDS: dict[str, Callable[[Store], Any]] = {
    "behind": behind,
    "paused": paused_behind,
    "claimed": claimed_behind,
    "scheduled": lambda store: store.client.zadd(keys.SCHEDULE, {"a00": 5_000_000_000_000}),
    "not noted": lambda store: store.client.hset(keys.UNNOTED, "a00", "1-ff"),
    "refused by the gate": lambda store: store.client.hset(keys.refused("atom"), "a00", "{}"),
    "replay": lambda store: store.replays.request("g", "e1", {"a00": 1}, "r", same_ids=True, rate=1),
    "parked": lambda store: store.client.hset(keys.feed("g").of_endpoint("e1", "parked"), "a00", "{}"),
    "disputed": lambda store: store.client.hset(keys.feed("g").of_endpoint("e1", "disputed"), "a00", "{}"),
    "page": lambda store: store.client.hset(keys.feed("g").page_checks, "e1:a00", "{}"),
    "notice": lambda store: store.client.zadd(keys.feed("f").tombstones, {"a00": 1}),
    "another text": lambda store: store.client.hset(keys.article("a00"), "doc", "{}"),
    "another state": lambda store: store.client.hset(keys.feed("g").article_states, "a00", "{}"),
    "another ledger": lambda store: store.client.hset(keys.feed("g").ledger("e1"), "a00", "{}"),
    "saved meanwhile": lambda store: store.client.hset(keys.article("a00"), "rev", "2-ff"),
}


@pytest.mark.parametrize("need", NEEDS)
@pytest.mark.parametrize("marked", [False, True])
def test_what_something_needs_stays(store: Store, sqlite_record: Record, need: str, *, marked: bool) -> None:
    parts = Parts(store, sqlite_record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "a00")
    note(store, sqlite_record, "a00")
    if marked:
        parts.trimmer.trim_articles(["a00"])
    NEEDS[need](store)
    before = held(store, "a00")
    parts.trim("a00")
    assert held(store, "a00") == before


def test_an_endpoint_that_was_removed_long_ago_keeps_nothing(store: Store, sqlite_record: Record) -> None:
    parts = Parts(store, sqlite_record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "a00")
    note(store, sqlite_record, "a00")
    store.client.zadd(keys.feed("g").settled, {"endpoint:e2": 0})
    assert store.receivers.pause("g", "endpoint:e2", clock.ms(clock.now()), "removed")
    parts.trim("a00")
    assert held(store, "a00")
    store.client.zadd(keys.feed("g").paused, {"endpoint:e2": OLD})
    parts.trim("a00")
    assert not held(store, "a00")


def test_an_endpoint_that_comes_back_finds_what_it_has_missed(store: Store, sqlite_record: Record) -> None:
    parts = Parts(store, sqlite_record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    names = [f"a0{number}" for number in range(6)]
    for number, name in enumerate(names):
        save(store, name, number=number)
    note(store, sqlite_record, *names)
    parts.trim(*names)
    assert not any(held(store, name) for name in names)
    with mock.patch("worker.retention.warm._AT_ONCE", 2):
        parts.articles.warm_changed_after("g", 3)
    assert [change.article_id for change in store.changes.since("g", 3, 10)] == names[3:]
    assert [name for name in names if held(store, name)] == names[3:]


def test_a_feed_that_is_being_rebuilt_keeps_all(store: Store, sqlite_record: Record) -> None:
    parts = Parts(store, sqlite_record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "a00")
    note(store, sqlite_record, "a00")
    store.client.hset(keys.feed("g").meta, "rebuilding", 1)
    parts.trim("a00")
    assert held(store, "a00")


def test_a_pick_of_a_curated_list_stays(store: Store, sqlite_record: Record) -> None:
    parts = Parts(store, sqlite_record)
    parts.terms.limits, parts.terms.lists = {}, {"a00"}
    assert parts.ids.complete(lambda: True)
    save(store, "a00")
    note(store, sqlite_record, "a00")
    parts.trim("a00")
    assert held(store, "a00")


def test_a_window_that_others_leave_is_filled_again(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record, 20)
    parts.trim(*names)
    assert store.changes.members("f") == names[:7:-1]
    for name in names[:15:-1]:
        store.changes.record(name, 2, OLD + 1, {"f": ("killed", 0)})
    parts.trimmer.fill_windows()
    assert store.changes.members("f") == names[15:3:-1]
    assert store.changes.size("f") == 16


def test_a_round_goes_through_all_of_them(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record, 20)
    with mock.patch("worker.retention.trim._BATCH", 3):
        for _ in range(3):
            parts.trimmer.trim()
    assert [name for name in names if not held(store, name)] == names[:8]
    assert store.client.zcard(keys.ARTICLES) == 12


def test_an_id_that_is_new_costs_the_record_no_question(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    parts.trim(*names)
    assert parts.recorded.epoch()
    with mock.patch.object(RecordedArticles, "ask", side_effect=AssertionError):
        assert parts.articles.look_up("new", certain=True).rev == NEW
        with pytest.raises(AssertionError):
            parts.articles.look_up(names[0], certain=True)


def test_the_filter_is_built_anew_from_the_record_in_steps(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    parts.trim(*names)
    store.client.delete(keys.KNOWN_IDS, keys.KNOWN_IDS_META)
    # Until it is complete, the record is asked.
    assert isinstance(parts.articles.look_up("new", certain=True), Remains)
    with mock.patch("worker.retention.known_id_filter._AT_ONCE", 4):
        assert not parts.ids.complete(lambda: False)
        steps = iter([True, False])
        assert not Parts(store, record).ids.complete(lambda: next(steps))
        assert Parts(store, record).ids.complete(lambda: True)
    epoch, _, answers = store.known_ids.ask([*names, "new"])
    assert (epoch, answers) == (parts.recorded.epoch(), [True] * 15 + [False])


def test_fewer_than_one_in_a_hundred_ids_are_taken_for_known(store: Store) -> None:
    for start in range(0, 20_000, 500):
        store.known_ids.add(f"id-{number}" for number in range(start, start + 500))
    _, _, answers = store.known_ids.ask([f"id-{number}" for number in range(0, 20_000, 7)])
    assert all(answers)
    wrong = sum(sum(store.known_ids.ask([f"other-{n}" for n in range(at, at + 500)])[2]) for at in range(0, 5000, 500))
    assert wrong < 50


def test_while_the_record_is_away_a_cold_article_can_t_be_had(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    empty_record.put(file)
    record = Record.connect(f"sqlite:///{file}", wait_seconds=0.2)
    parts = Parts(store, record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "a00")
    note(store, record, "a00")
    parts.trim("a00")
    assert not held(store, "a00")
    record.close()
    away = file.rename(tmp_path / "away.db")
    for certain in (False, True):
        with pytest.raises(RecordAway):
            parts.articles.look_up("a00", certain=certain)
    with pytest.raises(RecordAway):
        parts.articles.get("a00")
    assert parts.articles.look_up("new", certain=True).rev == NEW
    assert parts.trimmer.trim() is None
    away.rename(file)
    assert parts.articles.get("a00")
    record.close()


def test_what_is_too_old_goes_from_the_record(record: Record) -> None:
    recorded = RecordedArticles(record)
    now = clock.ms(clock.now())
    event = {"digest": "0" * 64, "reinstatement": "", "kind": "", "way": "post"}
    rows = [("old", now - 20 * DAY, now - 20 * DAY), ("late", now - 20 * DAY, now), ("open", now - 20 * DAY, None)]
    attempt = {"article_id": "a", "feed": "f", "version": 1, "action": "published", "outcome": "delivered"}
    attempt |= {"status": 200, "milliseconds": 1, "bytes": 1, "sha256": "", "error": "", "answer": ""}
    with record.write() as connection:
        for name, accepted, done in rows:
            connection.execute(insert(tables.events).values(**event, event_id=name, accepted=accepted, done=done))
        attempts = [
            attempt | {"receiver": "e", "message_id": f"m{n}", "time": now - 20 * DAY + n // 3} for n in range(50)
        ]
        attempts.append(attempt | {"receiver": "e", "message_id": "new", "time": now})
        connection.execute(insert(tables.attempts), attempts)
    outdated = OutdatedRows(recorded, attempts=timedelta(days=10), events=timedelta(days=10))
    with mock.patch("worker.retention.outdated._AT_ONCE", 7):
        assert outdated.delete(lambda: True) == 51
    with record.read() as connection:
        assert set(connection.scalars(select(tables.events.c.event_id))) == {"late", "open"}
        assert list(connection.scalars(select(tables.attempts.c.message_id))) == ["new"]
    assert outdated.delete(lambda: True) == 0


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
