"""Checks of pages over real sockets: which are made, how often, and what is noted when one can't be made."""

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
from worker.destinations.endpoint import Endpoint
from worker.destinations.http import HttpDestination
from worker.outbound.auth import Identity
from worker.outbound.engine import Engine
from worker.outbound.errors import RequestImpossible, RequestPending
from worker.outbound.guard import Guard
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


class PageOfAPartner:
    """The page of one endpoint, `p`, of one feed, and the readback that checks it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.receiver = Receiver()
        self.receiver.behave["/page/a"] = lambda _: (200, PAGE)
        self.engine = Engine(Guard([ip_network("127.0.0.0/8")]), places=10, per_host=10)
        self.engine.start()
        self.executor = ThreadPoolExecutor(1)
        self.directory = SimpleNamespace(by_name={"p": self.endpoint()})
        self.alerts: list[str] = []
        alerts = SimpleNamespace(raise_alert=lambda kind, **_: self.alerts.append(kind))
        parts: Any = (store, self.engine, self.executor, self.directory, alerts)
        self.readback = Readback(*parts, timeout=2.0, claim_seconds=5.0)
        store.articles.save(KILLED, NEW, {"f"}, clock.ms(clock.now()), fingerprints(TEXT))

    def endpoint(self, check_url: str = "/page/{id}", identity: Identity | None = None) -> Endpoint:
        url = self.receiver.url
        page = f"{url}{check_url}" if check_url else ""
        destination = HttpDestination(f"{url}/p", "text/plain", identity=identity)
        return Endpoint("p", "f", "json", "article", destination, check_url=page)

    def check(self, *, requested: bool = True, **sighting: Any) -> tuple[PageSighting | None, int | None]:
        """Check the page; return what is noted of it and when it is due (ms). `requested`: wait for the request."""
        now = clock.ms(clock.now())
        self.store.page_checks.schedule("f", ["p"], "a", PageSighting(**{"version": 2, "killed": now, **sighting}), now)
        self.readback.check_due("f")
        if requested:
            self.receiver.wait("/page/a", method="GET")
        self.engine.stop(5)
        self.executor.shutdown()
        due = self.store.client.zscore("dateline:{feed:f}:page_checks_due", "p:a")
        return self.store.page_checks.sightings("f", ["p"], "a").get("p"), None if due is None else int(due)


@pytest.fixture
def partner(store: Store) -> Iterator[PageOfAPartner]:
    partner = PageOfAPartner(store)
    yield partner
    partner.engine.stop(0)
    partner.receiver.close()


def ago(milliseconds: int) -> int:
    return clock.ms(clock.now()) - milliseconds


@pytest.mark.parametrize(("checks", "pause"), [(0, PAUSES[1]), (2, PAUSES[3]), (30, PAUSES[-1])])
def test_pauses_grow(partner: PageOfAPartner, checks: int, pause: int) -> None:
    sighting, due = partner.check(checks=checks)
    assert sighting is not None
    assert due is not None
    assert ("there", checks + 1, ["article.still_there"]) == (sighting.verdict, sighting.checks, partner.alerts)
    assert 0 <= due - sighting.checked - pause * 1000 < 30_000


def test_operators_get_one_alert(partner: PageOfAPartner) -> None:
    sighting, _ = partner.check(checks=3, alerted=True, verdict="there")
    assert sighting is not None
    assert (4, True, []) == (sighting.checks, sighting.alerted, partner.alerts)


def test_the_last_check_is_after_five_days(partner: PageOfAPartner) -> None:
    killed = ago(GIVEN_UP_MS - 3_600_000)
    sighting, due = partner.check(checks=9, killed=killed)
    assert sighting is not None
    assert ("there", killed + GIVEN_UP_MS) == (sighting.verdict, due)


def test_after_five_days_the_checks_end(partner: PageOfAPartner) -> None:
    sighting, due = partner.check(checks=9, killed=ago(GIVEN_UP_MS))
    assert sighting is not None
    assert ("there", None) == (sighting.verdict, due)


class WithoutToken(AuthBase):
    """An authentication that has no token."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, _: PreparedRequest) -> PreparedRequest:
        raise self._error


def test_a_token_that_is_on_its_way_is_waited_for(partner: PageOfAPartner) -> None:
    identity = Identity(WithoutToken(RequestPending()), {}, ())
    partner.directory.by_name = {"p": partner.endpoint(identity=identity)}
    sighting, due = partner.check(requested=False)
    assert sighting is not None
    assert due is not None
    assert (0, "", True) == (sighting.checks, sighting.verdict, due <= ago(-1_000))
    assert partner.receiver.requests == []


def test_a_token_that_cannot_be_had_proves_nothing(partner: PageOfAPartner) -> None:
    identity = Identity(WithoutToken(RequestImpossible("no token: 401")), {}, ())
    partner.directory.by_name = {"p": partner.endpoint(identity=identity)}
    sighting, _ = partner.check(requested=False)
    assert sighting is not None
    assert (1, "unproven", "no token: 401") == (sighting.checks, sighting.verdict, sighting.reason)


def test_an_endpoint_that_no_longer_names_its_page_is_forgotten(partner: PageOfAPartner) -> None:
    partner.directory.by_name = {"p": partner.endpoint(check_url="")}
    assert partner.check(requested=False) == (None, None)


def test_an_endpoint_that_is_unknown_here_is_left_to_other_workers(partner: PageOfAPartner) -> None:
    partner.directory.by_name = {}
    sighting, due = partner.check(requested=False)
    assert sighting is not None
    assert due is not None
    assert (0, True) == (sighting.checks, due > ago(0))


def test_checks_of_an_endpoint_that_no_worker_knows_end_in_time(partner: PageOfAPartner) -> None:
    partner.directory.by_name = {}
    sighting, due = partner.check(requested=False, killed=ago(GIVEN_UP_MS + 1_000))
    assert sighting is not None
    assert (0, None) == (sighting.checks, due)


def test_a_check_that_was_not_begun_does_not_count(partner: PageOfAPartner) -> None:
    partner.engine.stop(0)
    sighting, due = partner.check(requested=False)
    assert sighting is not None
    assert due is not None
    assert (0, "", True) == (sighting.checks, sighting.verdict, due <= ago(-1_000))


@pytest.mark.parametrize(
    ("before", "state", "accepted", "expected"),
    [
        ("in", "killed", 0, {"p"}),
        ("in", "out", 0, set()),
        ("in", "killed", GIVEN_UP_MS + 1, set()),
        ("early", "killed", 0, set()),
    ],
)
def test_only_pages_of_what_was_killed_lately_in_the_feed_are_checked(
    partner: PageOfAPartner, before: Any, state: Any, accepted: int, expected: set[str]
) -> None:
    partner.store.changes.record("a", 1, 1, {"f": (before, 1)})
    partner.store.changes.record("a", 2, 2, {"f": (state, 0)})
    partner.readback.schedule("f", StoredArticle(KILLED, 1, frozenset({"f"}), ago(accepted)))
    partner.readback.schedule("other", StoredArticle(KILLED, 1, frozenset({"f"}), ago(accepted)))
    assert expected == partner.store.page_checks.sightings("f", ["p"], "a").keys()
    assert partner.store.page_checks.sightings("other", ["p"], "a") == {}
