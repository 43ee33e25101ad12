"""Looks at pages over real sockets: which are made, how often, and what is kept when one can't be."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from receiver import Receiver
from requests import PreparedRequest
from requests.auth import AuthBase

from feeds.article import Article
from feeds.fingerprint import fingerprints
from worker import clock
from worker.destinations.http import Endpoint
from worker.outbound.auth import Identity
from worker.outbound.engine import Engine
from worker.outbound.guard import Guard
from worker.outbound.oauth2_tokens import TokenFailed, TokenPending
from worker.store import Store
from worker.store.articles import NEW, StoredArticle
from worker.store.page_checks import PageSighting
from worker.takedown.readback import GIVEN_UP_MS, PAUSES, Readback

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TEXT = Article(
    id="a",
    version=1,
    headline="Ferries return to the inner harbour",
    url="https://x.example/ferries",
    published=NOW,
    updated=NOW,
)
KILLED = Article(id="a", version=2, url=TEXT.url, published=NOW, updated=NOW, pubstatus="canceled")
PAGE = f"<h1>{TEXT.headline}</h1>".encode()


class Reading:
    """A readback of one feed with one endpoint, `p`, and its page."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.receiver = Receiver()
        self.receiver.behave["/page/a"] = lambda _: (200, PAGE)
        self.engine = Engine(Guard([ip_network("127.0.0.0/8")]), places=10, per_host=10)
        self.engine.start()
        self.executor = ThreadPoolExecutor(1)
        self.directory = SimpleNamespace(by_name={"p": self.endpoint()})
        self.told: list[str] = []
        operations = SimpleNamespace(tell=lambda kind, **_: self.told.append(kind))
        parts: Any = (store, self.engine, self.executor, self.directory, operations)
        self.readback = Readback(*parts, timeout=2.0, claim_seconds=5.0)
        store.articles.save(KILLED, NEW, {"f"}, clock.ms(clock.now()), fingerprints(TEXT))

    def endpoint(self, check_url: str = "/page/{id}", identity: Identity | None = None) -> Endpoint:
        url = self.receiver.url
        page = f"{url}{check_url}" if check_url else ""
        return Endpoint("p", "f", "json", f"{url}/p", "article", identity=identity, check_url=page)

    def look(self, *, asks: bool = True, **seen: Any) -> tuple[PageSighting | None, int | None]:
        """Look at the page; return what is kept of it then, and when it is due (ms). `asks`: a request comes of it."""
        now = clock.ms(clock.now())
        self.store.page_checks.schedule("f", ["p"], "a", PageSighting(**{"version": 2, "since": now, **seen}), now)
        self.readback.look("f")
        if asks:
            self.receiver.wait("/page/a", method="GET")
        self.engine.stop(5)
        self.executor.shutdown()
        due = self.store.client.zscore("dateline:{feed:f}:page_checks_due", "p:a")
        return self.store.page_checks.sightings("f", ["p"], "a").get("p"), None if due is None else int(due)


@pytest.fixture
def reading(store: Store) -> Iterator[Reading]:
    reading = Reading(store)
    yield reading
    reading.engine.stop(0)
    reading.receiver.close()


def ago(milliseconds: int) -> int:
    return clock.ms(clock.now()) - milliseconds


@pytest.mark.parametrize(("looks", "pause"), [(0, PAUSES[1]), (2, PAUSES[3]), (30, PAUSES[-1])])
def test_pauses_grow(reading: Reading, looks: int, pause: int) -> None:
    seen, due = reading.look(looks=looks)
    assert seen is not None
    assert due is not None
    assert ("there", looks + 1, ["article.still_there"]) == (seen.verdict, seen.looks, reading.told)
    assert 0 <= due - seen.last - pause * 1000 < 5000


def test_operators_are_told_once(reading: Reading) -> None:
    seen, _ = reading.look(looks=3, alarmed=True, verdict="there")
    assert seen is not None
    assert (4, True, []) == (seen.looks, seen.alarmed, reading.told)


def test_the_last_look_is_after_five_days(reading: Reading) -> None:
    since = ago(GIVEN_UP_MS - 3_600_000)
    seen, due = reading.look(looks=9, since=since)
    assert seen is not None
    assert ("there", since + GIVEN_UP_MS) == (seen.verdict, due)


def test_after_five_days_nobody_looks_any_more(reading: Reading) -> None:
    seen, due = reading.look(looks=9, since=ago(GIVEN_UP_MS))
    assert seen is not None
    assert ("there", None) == (seen.verdict, due)


class Without(AuthBase):
    """An authentication that has no token."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, _: PreparedRequest) -> PreparedRequest:
        raise self._error


def test_a_token_that_is_on_its_way_is_waited_for(reading: Reading) -> None:
    identity = Identity(Without(TokenPending()), {}, ())
    reading.directory.by_name = {"p": reading.endpoint(identity=identity)}
    seen, due = reading.look(asks=False)
    assert seen is not None
    assert due is not None
    assert (0, "", True) == (seen.looks, seen.verdict, due <= ago(-1_000))
    assert reading.receiver.requests == []


def test_a_token_that_cannot_be_had_proves_nothing(reading: Reading) -> None:
    identity = Identity(Without(TokenFailed("no token: 401")), {}, ())
    reading.directory.by_name = {"p": reading.endpoint(identity=identity)}
    seen, _ = reading.look(asks=False)
    assert seen is not None
    assert (1, "unproven", "no token: 401") == (seen.looks, seen.verdict, seen.why)


def test_an_endpoint_that_no_longer_names_its_page_is_forgotten(reading: Reading) -> None:
    reading.directory.by_name = {"p": reading.endpoint(check_url="")}
    assert reading.look(asks=False) == (None, None)


def test_an_endpoint_that_is_unknown_here_is_left_to_other_workers(reading: Reading) -> None:
    reading.directory.by_name = {}
    seen, due = reading.look(asks=False)
    assert seen is not None
    assert due is not None
    assert (0, True) == (seen.looks, due > ago(0))


def test_what_nobody_knows_ends_in_time(reading: Reading) -> None:
    reading.directory.by_name = {}
    seen, due = reading.look(asks=False, since=ago(GIVEN_UP_MS + 1_000))
    assert seen is not None
    assert (0, None) == (seen.looks, due)


def test_a_look_that_was_not_begun_does_not_count(reading: Reading) -> None:
    reading.engine.stop(0)
    seen, due = reading.look(asks=False)
    assert seen is not None
    assert due is not None
    assert (0, "", True) == (seen.looks, seen.verdict, due <= ago(-1_000))


@pytest.mark.parametrize(
    ("before", "state", "accepted", "expected"),
    [
        ("in", "killed", 0, {"p"}),
        ("in", "out", 0, set()),
        ("in", "killed", GIVEN_UP_MS + 1, set()),
        ("early", "killed", 0, set()),
    ],
)
def test_only_what_was_killed_lately_in_the_feed_is_looked_for(
    reading: Reading, before: Any, state: Any, accepted: int, expected: set[str]
) -> None:
    reading.store.changes.record("a", 1, 1, {"f": (before, 1)})
    reading.store.changes.record("a", 2, 2, {"f": (state, 0)})
    reading.readback.expect("f", StoredArticle(KILLED, 1, frozenset({"f"}), ago(accepted)))
    reading.readback.expect("other", StoredArticle(KILLED, 1, frozenset({"f"}), ago(accepted)))
    assert expected == reading.store.page_checks.sightings("f", ["p"], "a").keys()
    assert reading.store.page_checks.sightings("other", ["p"], "a") == {}
