"""/metrics, as it is read from Redis: what it tells of endpoints and receivers, to whom, and what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from test_refusals import Desk

from config.settings import WebSettings
from web.client_address import ClientAddresses
from web.metrics import MetricsEndpoint
from worker import clock
from worker.record.availability import Absence
from worker.store import Store, keys
from worker.store.attempts import Attempt, AttemptRecord

NOW = 1_800_000_000_000


def metrics(
    store: Store,
    endpoints: Mapping[str, str],
    *,
    delay: timedelta | None = None,
    absence: Absence | None = None,
    **web: Any,
) -> MetricsEndpoint:
    """The metrics of a newsroom with these endpoints, name -> feed, and a pattern of feeds."""
    feeds = dict.fromkeys(endpoints.values())
    publication = SimpleNamespace(definitions=[SimpleNamespace(name=feed) for feed in feeds], patterns=["author/*"])
    settings = SimpleNamespace(
        endpoints=[
            SimpleNamespace(feed=feed, name=name, rights=SimpleNamespace(delay=delay))
            for name, feed in endpoints.items()
        ],
        web=WebSettings(**web),
    )
    record = mock.Mock(absence=mock.AsyncMock(return_value=absence))
    in_use = SimpleNamespace(settings={endpoint.name: endpoint for endpoint in settings.endpoints})
    doubles: Any = (publication, settings, lambda: in_use)
    return MetricsEndpoint(store, record, *doubles, ClientAddresses([]))


def read_series(metrics: MetricsEndpoint, peer: str = "127.0.0.1") -> dict[str, float]:
    """What whoever asks gets: each series with its value, written as Prometheus shows it."""
    request = Request({"type": "http", "client": (peer, 1), "headers": []})
    answer = asyncio.run(metrics.get(request))
    assert answer.status_code == 200
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sample.labels.items()): sample.value
        for family in text_string_to_metric_families(bytes(answer.body).decode())
        for sample in family.samples
    }


def of(name: str, series: Mapping[str, float]) -> dict[str, float]:
    """The series of one endpoint, without its name and what they all begin with."""
    label = f" endpoint={name}"
    return {
        series.replace(label, "").removeprefix("dateline_endpoint_"): value
        for series, value in series.items()
        if label in f"{series} " and series.startswith("dateline_endpoint_")
    }


def enrolled(store: Store, count: int) -> dict[str, str]:
    names = {f"partner-{number}": f"feed-{number}" for number in range(count)}
    for name, feed in names.items():
        store.receivers.enroll(feed, f"endpoint:{name}", {"endpoint": name})
    return names


@pytest.mark.parametrize("pattern_feeds", [0, 300])
def test_many_feeds_and_endpoints_cost_no_more_round_trips_than_few(
    store: Store, monkeypatch: pytest.MonkeyPatch, pattern_feeds: int
) -> None:
    few, many = metrics(store, enrolled(store, 3)), metrics(store, enrolled(store, 60))
    for number in range(pattern_feeds):
        store.patterns.create("author/*", {f"a{number}": f"A{number}"}, 1000)
        store.receivers.enroll(f"author/a{number}", "endpoint:someone", {"endpoint": "someone"})
    read_series(many)
    sent: list[str] = []
    for name in ("send_command", "send_packed_command"):
        original = getattr(store.client.connection_pool.connection_class, name)

        def counted(self: Any, *args: Any, original: Any = original, name: str = name, **options: Any) -> Any:
            sent.append(name)
            return original(self, *args, **options)

        monkeypatch.setattr(store.client.connection_pool.connection_class, name, counted)
    read_series(few)
    of_few = sent.count("send_packed_command")
    sent.clear()
    read_series(many)
    assert sent.count("send_packed_command") == of_few
    assert 0 < of_few <= 13


def test_the_feeds_of_a_pattern_are_one_series_and_removed_endpoints_are_none(store: Store) -> None:
    names = enrolled(store, 2)
    before = read_series(metrics(store, names))
    for number in range(40):
        store.receivers.enroll(f"author/a{number}", f"endpoint:gone-{number}", {"endpoint": f"gone-{number}"})
        store.attempts.record({(f"author/a{number}", f"gone-{number}"): [_attempt("ferry", "delivered")]})
    after = read_series(metrics(store, names))
    assert after["dateline_receivers feed=author/* state=settled"] == 40
    assert len(after) == len(before) + 5
    assert not any("gone-" in series for series in after)


def _attempt(article: str, outcome: str) -> AttemptRecord:
    return AttemptRecord(Attempt(NOW, article, 1, "published", outcome, 204, 10, 100, "", "", "", ""), {})


def test_whoever_is_behind_counts_wherever_it_stands(store: Store) -> None:
    for name in ("settled", "claimed", "backoff", "paused", "up-to-date"):
        store.receivers.enroll("feed-0", f"endpoint:{name}", {"endpoint": name})
    k = keys.feed("feed-0")
    store.client.hset(k.meta, "head", 7)
    store.client.zadd(k.settled, {"endpoint:up-to-date": 7})
    claims = store.receivers.claim("feed-0", 10, NOW).claims
    assert len(claims) == 4
    store.client.zrem(k.claimed, "endpoint:settled", "endpoint:backoff")
    store.client.zadd(k.settled, {"endpoint:settled": 3})
    store.client.zadd(k.backoff, {"endpoint:backoff": NOW})
    store.receivers.pause("feed-0", "endpoint:paused", NOW, "asked")
    series = read_series(metrics(store, {"settled": "feed-0"}))
    assert series["dateline_receivers_behind feed=feed-0"] == 4
    states = {state: series[f"dateline_receivers feed=feed-0 state={state}"] for state in ("settled", "claimed")}
    assert states == {"settled": 2, "claimed": 1}
    # One that has everything is not behind because somebody pauses it.
    store.receivers.pause("feed-0", "endpoint:up-to-date", NOW, "asked")
    assert read_series(metrics(store, {"settled": "feed-0"}))["dateline_receivers_behind feed=feed-0"] == 4


def _at(desk: Desk, **options: Any) -> dict[str, float]:
    with mock.patch.object(clock, "now", return_value=desk.now):
        return of("p", read_series(metrics(desk.store, {"p": "world"}, **options)))


def test_one_that_does_well(store: Store) -> None:
    desk = Desk(store)
    desk.publish("one", "two")
    desk.go(20)
    assert _at(desk) == {
        "pushes_total outcome=delivered": 2,
        "pushes_total outcome=retry": 0,
        "behind": 0,
        "oldest_waiting_seconds": 0,
        "parked": 0,
        "disputed": 0,
        "failing_seconds": 0,
        "last_success_timestamp_seconds": (desk.now - timedelta(seconds=20)).timestamp(),
    }


def test_one_that_refuses_everything(store: Store) -> None:
    desk = Desk(store)
    desk.answer = lambda _: 422
    for number in range(20):
        desk.publish(f"ferry-{number}")
        desk.go(1)
    series = _at(desk)
    assert series["pushes_total outcome=retry"] == len(desk.pushes) > 0
    assert (series["behind"], series["oldest_waiting_seconds"], series["failing_seconds"]) == (20, 20, 20)
    assert (series["pushes_total outcome=delivered"], series["last_success_timestamp_seconds"]) == (0, 0)
    # What may wait for so long by the settings is not late.
    assert _at(desk, delay=timedelta(seconds=15))["oldest_waiting_seconds"] == 5
    assert _at(desk, delay=timedelta(hours=1))["oldest_waiting_seconds"] == 0


def test_one_that_refuses_two_articles_in_two_ways(store: Store) -> None:
    desk = Desk(store)
    desk.answer = lambda push: {"bad": 422, "lost": 404}.get(push.article, 204)
    desk.publish("one", "bad", "lost", "two")
    desk.go(5)
    series = _at(desk)
    assert (series["parked"], series["disputed"], series["behind"]) == (1, 1, 0)
    assert series["pushes_total outcome=refused"] == 1


@pytest.mark.parametrize("status", [403, 404, 422])
def test_one_that_refuses_a_kill_while_it_takes_others(store: Store, status: int) -> None:
    desk = Desk(store)
    desk.publish("killed", "lost")
    desk.go(1)
    desk.answer = lambda push: status if push.kind == "article.killed" else 204
    desk.kill("killed")
    for number in range(5):
        desk.publish(f"ferry-{number}")
        desk.go(5)
    series = _at(desk)
    assert (series["disputed"], series["kills_refused"], series["parked"]) == (1, 1, 0)
    desk.answer = lambda _: 204
    desk.go(600)
    assert (_at(desk)["disputed"], _at(desk).get("kills_refused")) == (0, None)


@pytest.mark.parametrize(("how", "reason"), [("answer", "suspended"), ("asked", "person"), ("removed", "removed")])
def test_one_that_is_left_alone_says_why(store: Store, how: str, reason: str) -> None:
    desk = Desk(store)
    desk.answer = lambda _: 410
    if how != "answer":
        store.receivers.pause("world", "endpoint:p", NOW, how)
    desk.publish("ferry")
    desk.go(30)
    series = _at(desk)
    assert {name: value for name, value in series.items() if "paused" in name} == {f"paused reason={reason}": 1}
    assert (series["behind"], series["oldest_waiting_seconds"]) == (1, 30)
    store.endpoints.retry("world", "p", clock.ms(desk.now))
    assert not any("paused" in name for name in _at(desk))


def test_what_is_damaged_hides_nothing_else(store: Store) -> None:
    names = enrolled(store, 3)
    store.attempts.record({("feed-2", "partner-2"): [_attempt("ferry", "delivered")]})
    store.client.set(keys.feed("feed-0").members, "no set")
    store.client.set(keys.feed("feed-1").backoff, "no set")
    store.client.set(keys.feed("feed-1").of_endpoint("partner-1", "health"), "no hash")
    store.client.set(keys.pattern("author/*"), "no hash")
    events = {"dateline_events{result=published}": "many", "dateline_events{kind=x}": 1}
    store.client.hset(keys.COUNTERS, mapping=events | {"dateline_events{result=killed}": 3})
    series = read_series(metrics(store, names))
    assert series["dateline_events_total result=killed"] == 3
    assert series["dateline_receivers feed=feed-0 state=settled"] == 1
    assert series["dateline_endpoint_pushes_total endpoint=partner-2 outcome=delivered"] == 1


def test_what_an_alarm_waits_for_is_told_before_there_is_any(store: Store) -> None:
    series = read_series(metrics(store, {}))
    assert series["dateline_events_total result=rejected"] == 0
    assert series["dateline_readbacks_total verdict=there"] == 0
    assert series["dateline_log_lines_lost_total"] == 0


def test_what_runs_is_told(store: Store) -> None:
    now = clock.ms(clock.now())
    for name, last_beat in (("long-gone", now - 60_000), ("one", now), ("two", now)):
        store.workers.report_alive(name, last_beat)
    series = read_series(metrics(store, {}))
    assert series["dateline_workers"] == 2
    assert [value for name, value in series.items() if name.startswith("dateline_build_info version=")] == [1]


def test_what_is_not_in_the_record_yet_is_counted(store: Store) -> None:
    assert read_series(metrics(store, {}))["dateline_outbox_oldest_seconds"] == 0
    store.attempts.record({("feed-2", "partner-2"): [_attempt("ferry", "delivered")]})
    store.client.xadd(keys.feed("feed-3").outbox, {"ended": '["s",""]'}, id=f"{clock.ms(clock.agreed()) - 90_000}-0")
    store.outboxes.report(["feed-2", "feed-3"])
    series = read_series(metrics(store, {}))
    assert series["dateline_outbox_entries"] == 2
    assert series["dateline_outbox_oldest_seconds"] == pytest.approx(90, abs=30)


def test_a_record_that_is_away_is_told(store: Store) -> None:
    since = clock.ms(clock.agreed()) - 90_000
    assert read_series(metrics(store, {}, absence=Absence(since, "it does not answer")))[
        "dateline_record_away_seconds"
    ] == pytest.approx(90, abs=30)
    assert read_series(metrics(store, {}))["dateline_record_away_seconds"] == 0


def test_what_the_record_has_not_got_yet_is_counted(store: Store) -> None:
    assert read_series(metrics(store, {}))["dateline_unnoted_seconds"] == 0
    store.lists.set("picks", clock.now(), ["a"])
    store.client.hset(keys.UNNOTED, "a", f"{clock.ms(clock.agreed()) - 90_000}-x")
    store.client.xadd(keys.UNNOTED_RESULTS, {"result": "{}"})
    series = read_series(metrics(store, {}))
    assert (series["dateline_unnoted kind=change"], series["dateline_unnoted kind=result"]) == (2, 1)
    assert series["dateline_unnoted_seconds"] == pytest.approx(90, abs=30)


@pytest.mark.parametrize(
    ("networks", "peer", "status"),
    [
        (None, "127.0.0.1", 200),
        (None, "::1", 200),
        (None, "172.18.0.4", 200),
        (None, "fd12:3456::9", 200),
        (None, "203.0.113.9", 403),
        (None, "2001:db8::9", 403),
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.0/24"], "127.0.0.1", 403),
        ([], "127.0.0.1", 403),
        (["0.0.0.0/0", "::/0"], "2001:db8::9", 200),
    ],
)
def test_others_than_the_networks_of_the_settings_are_told_nothing(
    store: Store, networks: list[str] | None, peer: str, status: int
) -> None:
    web = {} if networks is None else {"metrics_networks": networks}
    request = Request({"type": "http", "client": (peer, 1), "headers": []})
    answer = asyncio.run(metrics(store, enrolled(store, 1), **web).get(request))
    assert answer.status_code == status
    assert (b"partner-0" in bytes(answer.body)) is (status == 200)


@pytest.mark.parametrize("damaged", [True, False], ids=["a bug", "an outage"])
def test_a_bug_is_not_called_an_outage(store: Store, monkeypatch: pytest.MonkeyPatch, damaged: bool) -> None:
    error = redis.ResponseError("WRONGTYPE x") if damaged else redis.ConnectionError("refused")
    monkeypatch.setattr(store.events, "waiting", mock.Mock(side_effect=error))
    request = Request({"type": "http", "client": ("127.0.0.1", 1), "headers": []})
    endpoint = metrics(store, {})
    if damaged:
        # Which the application turns into a 500, with a traceback in the log.
        with pytest.raises(redis.ResponseError):
            asyncio.run(endpoint.get(request))
    else:
        response = asyncio.run(endpoint.get(request))
        assert response.status_code == 503
        assert b"Redis does not answer" in response.body
