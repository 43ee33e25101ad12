"""How endpoints stand: what people and metrics look at, for any number of them in one round trip."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import dateline
from partner_desk import NOON, SITE, Desk
from records import hot_articles

from worker import clock
from worker.retention.outbox_entries import attempt_of
from worker.store import Store, keys
from worker.store.attempts import Attempt, AttemptRecord
from worker.store.endpoints import EndpointOverview
from worker.takedown.coverage_report import coverage_report

NOW = 1_800_000_000_000


def attempt(article: str, outcome: str, time: int = NOW, status: int = 422) -> AttemptRecord:
    error = "" if outcome == "delivered" else f"HTTP {status}"
    return AttemptRecord(Attempt(time, article, 1, "published", outcome, status, 10, 100, "", "", error, ""), {})


def test_one_that_refuses_all_is_seen_to(store: Store) -> None:
    store.receivers.enroll("news", "endpoint:no", {"endpoint": "no"})
    store.attempts.record({("news", "no"): [attempt(f"tram-{n}", "refused") for n in range(5)]})
    (outlook,) = store.endpoints.overviews([("news", "no")])
    assert (outlook.state, outlook.parked, outlook.health.successes) == ("settled", 5, 0)
    assert (outlook.health.status, outlook.health.failed, outlook.health.success) == (422, NOW, 0)


def test_a_paused_one_says_since_when_and_why(store: Store) -> None:
    store.receivers.enroll("news", "endpoint:off", {"endpoint": "off"})
    assert store.receivers.pause("news", "endpoint:off", NOW, "HTTP 410: gone")
    (outlook,) = store.endpoints.overviews([("news", "off")])
    assert (outlook.state, outlook.score, outlook.reason) == ("paused", NOW, "HTTP 410: gone")
    assert store.endpoints.retry("news", "off", NOW) == ("paused", 0, 0)
    assert store.endpoints.overviews([("news", "off")])[0].state == "settled"


def test_one_that_nobody_knows_is_not_enrolled(store: Store) -> None:
    assert store.endpoints.overviews([("news", "nobody")])[0].state is None
    assert store.endpoints.overviews([]) == []
    assert store.endpoints.retry("news", "nobody", NOW) is None


def round_trips(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list that gets something whenever something is sent to Redis."""
    sent: list[Any] = []
    connection = store.client.connection_pool.connection_class
    send = connection.send_packed_command

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        sent.append(args)
        return send(self, *args, **options)

    monkeypatch.setattr(connection, "send_packed_command", counted)
    return sent


@pytest.mark.parametrize("count", [3, 60])
def test_all_are_read_in_one_round_trip(store: Store, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [(f"feed-{n}", f"partner-{n}") for n in range(count)]
    for feed, name in names:
        store.receivers.enroll(feed, f"endpoint:{name}", {"endpoint": name})
    store.endpoints.overviews(names)
    sent = round_trips(store, monkeypatch)
    assert [outlook.state for outlook in store.endpoints.overviews(names)] == ["settled"] * count
    assert len(sent) == 1


class Partner(Desk):
    """The desk of a newsroom with one endpoint, and how that stands."""

    def outlook(self) -> EndpointOverview:
        (outlook,) = self.store.endpoints.overviews([("world", "p")])
        return outlook

    def retry(self) -> Any:
        return self.store.endpoints.retry("world", "p", clock.ms(self.now))


def ms(seconds: float) -> int:
    return clock.ms(NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize("mode", ["article", "feed"])
def test_one_that_is_gone_says_since_when_and_what_it_answered(store: Store, mode: str) -> None:
    partner = Partner(store, mode=mode)
    partner.answer = lambda _: 410
    partner.go(3)
    partner.publish("ferry")
    partner.serve()

    outlook = partner.outlook()
    assert (outlook.state, outlook.score, outlook.reason) == ("paused", ms(3), "suspended: answered 410 Gone")
    (attempt,) = (attempt_of("world", entry) for entry in store.outboxes.last("world", 10) if entry.kind == "attempt")
    assert (attempt.outcome, attempt.error) == ("suspended", "answered 410 Gone")


def test_one_that_failed_for_days_says_for_how_long_and_what_it_said_last(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda _: 503
    partner.publish("ferry")
    partner.go(6 * 86_400, 3600)

    outlook = partner.outlook()
    assert (outlook.state, outlook.behind) == ("paused", 1)
    assert outlook.reason == "suspended: no success for 5 days; at last answered 503 Service Unavailable"
    assert (outlook.failing.since, outlook.health.success, outlook.health.failed) == (ms(0), 0, outlook.score)


def test_a_person_who_pauses_what_is_failing_leaves_since_when_it_fails(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda _: 503
    partner.publish("ferry")
    partner.go(2)
    assert store.receivers.pause("world", "endpoint:p", ms(9), "asked")

    outlook = partner.outlook()
    assert (outlook.state, outlook.score, outlook.reason) == ("paused", ms(9), "asked")
    assert (outlook.failing.since, outlook.health.error) == (ms(0), "answered 503 Service Unavailable")


def test_what_it_answers_is_counted_by_what_came_of_it(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda push: 422 if push.article == "bad" else 204
    partner.publish("one", "bad", "two")
    partner.go(1)

    health = partner.outlook().health
    assert health.outcomes == {"delivered": 2, "retry": 1, "refused": 1}
    assert (health.successes, health.failed_tries, health.attempts) == (2, 2, 4)


def test_what_was_given_back_is_no_answer_and_no_failure(store: Store) -> None:
    store.receivers.enroll("news", "endpoint:p", {"endpoint": "p"})
    store.attempts.record({("news", "p"): [attempt("ferry", "delivered", status=204)]})
    store.attempts.record({("news", "p"): [attempt("tram", "given_back", NOW + 5, 0)]})
    (outlook,) = store.endpoints.overviews([("news", "p")])
    assert (outlook.health.status, outlook.health.last, outlook.health.failed, outlook.health.error) == (
        204,
        NOW,
        0,
        "",
    )
    assert outlook.health.outcomes == {"delivered": 1, "given_back": 1}


def test_what_our_gate_keeps_back_is_set_aside_and_no_answer(store: Store) -> None:
    store.receivers.enroll("news", "endpoint:p", {"endpoint": "p"})
    store.attempts.record({("news", "p"): [attempt("tram", "parked", status=0)]})
    (outlook,) = store.endpoints.overviews([("news", "p")])
    assert (outlook.parked, outlook.health.last, outlook.health.failed) == (1, 0, NOW)
    assert (outlook.health.outcomes, outlook.health.failed_tries) == ({"parked": 1}, 0)


def test_what_waits_is_what_it_has_not_been_told_and_since_when(store: Store) -> None:
    partner = Partner(store)
    partner.publish("old-1", "old-2", "old-3")
    partner.go(0)
    assert (partner.outlook().behind, partner.outlook().waiting) == (0, 0)
    partner.answer = lambda _: 503
    partner.go(10)
    partner.publish("ferry")
    partner.go(10)
    partner.publish("tram")
    # Versions of one article are one that waits; and it waits since it was first refused, not since its correction.
    for version in range(2, 6):
        partner.publish("ferry", version=version)
    partner.go(1)

    outlook = partner.outlook()
    assert (outlook.state, outlook.behind, outlook.waiting) == ("backoff", 2, ms(10))


def test_what_is_sent_again_and_what_was_told_out_of_turn_does_not_wait(store: Store) -> None:
    partner = Partner(store)
    partner.publish("one", "two", "three")
    partner.go(1)
    store.replays.request("world", "p", {"one": 1}, "replay-1", same_ids=False, rate=50)
    assert store.replays.rewind("world", "p")
    outlook = partner.outlook()
    assert (outlook.state, outlook.behind, outlook.waiting, outlook.replays) == ("settled", 0, 0, 1)


def test_while_it_waits_after_a_failure_what_is_in_dispute_waits_too(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda push: 404 if push.article == "bad" else 204
    partner.publish("one", "bad", "two")
    partner.go(3)
    assert partner.outlook().next_try == partner.outlook().due > 0
    partner.answer = lambda _: (503, 3600)
    partner.publish("three")
    partner.serve()
    outlook = partner.outlook()
    assert (outlook.state, outlook.next_try) == ("backoff", ms(3603))
    assert outlook.due < outlook.next_try


def test_one_in_dispute_says_when_it_is_tried_again(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda push: 404 if push.article == "bad" else 204
    partner.publish("one", "bad", "two")
    partner.go(3)

    outlook = partner.outlook()
    assert (outlook.state, outlook.behind, outlook.disputed, outlook.parked) == ("settled", 0, 1, 0)
    assert outlook.due == store.attempts.standings("world", ["p"])["p"].disputes["bad"].due


def test_one_that_waits_is_tried_at_once_whatever_it_asked_for(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda _: (503, 7200)
    partner.publish("ferry")
    partner.go(2)
    assert len(partner.pushes) == 1
    partner.answer = lambda _: 204

    assert partner.retry() == ("backoff", 1, 0)
    assert partner.outlook().failing.since == ms(0)
    partner.serve()
    assert partner.has() == {"ferry": ("article.published", 1)}
    assert partner.outlook().failing.since == 0


def test_one_that_is_suspended_is_resumed_and_not_suspended_by_the_next_failure(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda _: 503
    partner.publish("ferry")
    partner.go(6 * 86_400, 3600)

    assert partner.retry() == ("paused", 1, 0)
    partner.serve()
    assert partner.state() == "backoff"
    partner.answer = lambda _: 204
    partner.go(10)
    assert partner.has() == {"ferry": ("article.published", 1)}


def test_what_it_refuses_while_it_takes_others_is_tried_at_once_too(store: Store) -> None:
    partner = Partner(store)
    partner.answer = lambda push: 500 if push.article == "bad" else 204
    partner.publish("one", "bad")
    partner.go(600, 5)
    assert partner.disputed() == {"bad"}
    tries = len(partner.tries("bad"))
    partner.serve()
    assert len(partner.tries("bad")) == tries
    partner.answer = lambda _: 204

    assert partner.retry() == ("settled", 0, 1)
    partner.serve()
    assert len(partner.tries("bad")) == tries + 1
    assert (partner.disputed(), partner.outlook().due) == (set(), 0)


def test_one_that_is_up_to_date_has_nothing_to_be_tried(store: Store) -> None:
    partner = Partner(store)
    partner.publish("ferry")
    partner.serve()
    assert partner.retry() == ("settled", 0, 0)
    partner.serve()
    assert len(partner.pushes) == 1


def test_a_worker_that_serves_it_is_not_disturbed(store: Store) -> None:
    partner = Partner(store)
    partner.publish("ferry")
    (claim,) = store.receivers.claim("world", 10, ms(30)).claims
    assert partner.retry() == ("claimed", 1, 0)
    assert store.receivers.get_many("world", ["endpoint:p"])[0].remembered.token == claim.token


def test_one_whose_record_is_damaged_is_told_and_hides_no_other(store: Store) -> None:
    told: list[str] = []
    store.damaged_records.alert = lambda **about: told.append(about["record"])
    for name in ("one", "two", "three", "four"):
        store.receivers.enroll("news", f"endpoint:{name}", {"endpoint": name})
    store.attempts.record({("news", "one"): [attempt("tram", "delivered", status=204)]})
    news = keys.feed("news")
    store.client.hset(news.of_endpoint("one", "health"), mapping={"latency": "?", "from-a-later-release": "x"})
    store.client.set(news.of_endpoint("two", "health"), "no hash")
    store.client.hset(news.receiver_states, "endpoint:three", "nonsense")
    outlooks = store.endpoints.overviews([("news", name) for name in ("one", "two", "three", "four")])
    assert [outlook.state for outlook in outlooks] == ["settled", None, "settled", "settled"]
    assert outlooks[0].health.successes == 1
    assert "endpoint two" in told


class Terminal:
    """What `dateline endpoints` prints into a pipe."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self._config = folder / "dateline.toml"
        self._config.write_text(
            f'redis_url = "{redis_url}"\n[[feeds]]\nname = "world"\ntitle = "World"\n'
            '[[endpoints]]\nname = "p"\nfeed = "world"\nformat = "json"\nurl = "https://p.example/"\n'
        )

    def row(self, command: str = "endpoints") -> dict[str, str]:
        """The cells of the endpoint, or of its feed, by their columns."""
        done = dateline(command, "--config", str(self._config))
        assert done.returncode == 0, done.stderr
        header, _, row, *_ = done.stdout.splitlines()
        places = [found.start() for found in re.finditer(r"(?:^|(?<=   ))\S", header)]
        ends = [*places[1:], None]
        return {header[begin:end].strip(): row[begin:end].strip() for begin, end in zip(places, ends, strict=True)}


@pytest.fixture
def terminal(tmp_path: Path, redis_url: str) -> Terminal:
    return Terminal(tmp_path, redis_url)


def test_one_that_refuses_everything_does_not_look_healthy(store: Store, terminal: Terminal) -> None:
    partner = Partner(store)
    partner.answer = lambda _: 422
    for number in range(30):
        partner.publish(f"ferry-{number}")
        partner.go(1)
    row = terminal.row()
    assert (row["State"], row["Behind"], row["Delivered"]) == ("backoff", "30", "0")
    assert int(row["Failed"]) == len(partner.pushes)
    assert (row["Failing since (UTC)"], row["Waiting since (UTC)"]) == ("2026-03-01 12:00:00",) * 2
    assert row["Last answer"].startswith("422 Unprocessable ")
    assert (row["Last success (UTC)"], row["Why"][:13]) == ("never", "answered 422 ")
    assert row["Next try (UTC)"] > "2026-03-01 12:00:30"


def test_what_is_parked_shows_until_it_takes_something_again(store: Store, terminal: Terminal) -> None:
    partner = Partner(store)
    partner.answer = lambda push: 422 if push.article == "bad" else 204
    partner.publish("one", "bad")
    partner.go(30)
    row = terminal.row()
    assert (row["State"], row["Behind"], row["Delivered"], row["Parked"]) == ("refusing", "0", "1", "1")
    assert row["Why"].startswith("answered 422 ")
    partner.publish("two")
    partner.go(1)
    row = terminal.row()
    assert (row["State"], row["Delivered"], row["Parked"], row["Why"]) == ("settled", "2", "1", "")
    assert row["Last answer"] == "204 No Content at 2026-03-01 12:00:30"


def test_the_feed_of_one_that_is_in_trouble_shows_it(store: Store, terminal: Terminal) -> None:
    partner = Partner(store)
    partner.answer = lambda push: 422 if push.article == "bad" else 204
    partner.publish("one", "bad")
    partner.go(30)
    partner.answer = lambda _: 503
    partner.publish("two")
    partner.go(1)
    row = terminal.row("feeds")
    assert (row["Feed"], row["Articles"], row["Receivers"], row["Behind"], row["Parked"]) == (
        "world",
        "3",
        "1",
        "1",
        "1",
    )


def test_who_has_an_article_is_read_in_as_many_round_trips_for_many_endpoints_as_for_few(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = Partner(store)
    partner.answer = lambda push: 422 if push.article == "bad" else 204
    partner.publish("one", "bad")
    partner.go(30)
    # The scripts are loaded when they are asked for first.
    coverage_report(store, hot_articles(store), SITE, "bad")
    sent = round_trips(store, monkeypatch)
    report = coverage_report(store, hot_articles(store), SITE, "bad")
    assert report is not None
    assert [(row.receiver, row.standing, row.reason[:12]) for row in report.rows] == [("p", "parked", "answered 422")]
    of_one = len(sent)
    for number in range(300):
        store.receivers.enroll("world", f"endpoint:other-{number}", {"endpoint": f"other-{number}"})
    sent.clear()
    report = coverage_report(store, hot_articles(store), SITE, "bad")
    assert report is not None
    assert len(report.rows) == 301
    assert len(sent) == of_one


def test_a_suspended_one_shows_since_when_and_why_until_it_takes_something(store: Store, terminal: Terminal) -> None:
    partner = Partner(store)
    partner.answer = lambda _: 410
    partner.publish("ferry")
    partner.go(2)
    row = terminal.row()
    assert (row["State"], row["Why"]) == ("paused", "suspended since 2026-03-01 12:00:00: answered 410 Gone")
    assert (row["Failing since (UTC)"], row["Next try (UTC)"]) == ("2026-03-01 12:00:00", "")


def test_one_that_was_never_tried_shows_nothing_that_was_not(store: Store, terminal: Terminal) -> None:
    assert (terminal.row()["State"], terminal.row()["Why"]) == ("not enrolled", "no worker has seen it yet")
    Partner(store)
    row = terminal.row()
    assert (row["State"], row["Last answer"], row["Last success (UTC)"]) == ("settled", "", "never")
