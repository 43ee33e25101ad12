"""A record that is lost or damaged, because Redis evicted it or somebody changed it, holds up no other."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from worker import clock
from worker.store import Store, keys, scripts
from worker.store.attempts import Dispute
from worker.store.page_checks import PageSighting
from worker.store.receiver_states import Failing
from worker.store.receivers import ReceiverOverview, Settlement
from worker.store.refusals import Refusal
from worker.store.subscription_requests import SubscriptionRequest

DAMAGED = ("", "x", "1:2", "é", "{", "[]", "null")


@pytest.fixture
def told(store: Store) -> list[str]:
    """The damaged records of which people hear."""
    records: list[str] = []

    def tell(*, record: str, reason: str, next_step: str) -> None:
        assert reason
        assert next_step
        records.append(record)

    store.damaged_records.alert = tell
    return records


def enroll(store: Store, feed: str, *names: str) -> None:
    for name in names:
        store.receivers.enroll(feed, f"endpoint:{name}", {"endpoint": name})


def behind(store: Store, feed: str, articles: int = 1) -> None:
    for number in range(articles):
        store.changes.record(f"a{number}", 1, 1, {feed: ("in", number)})


def in_backoff(store: Store, feed: str, due: int = 5) -> None:
    """Have all receivers of the feed fail."""
    claims = store.receivers.claim(feed, 100, 1_000_000).claims
    failing = Failing(1, 1, 1)
    store.receivers.settle(feed, 1, [Settlement(claim, "retry", claim.cursor, due, failing, "503") for claim in claims])


def by_name(store: Store, feed: str) -> dict[str, ReceiverOverview]:
    return {receiver.id.partition(":")[2]: receiver for receiver in store.receivers.scan(feed)}


@pytest.mark.parametrize("damage", [None, *DAMAGED])
def test_a_hold_that_is_lost_leaves_its_receiver_where_it_began(store: Store, damage: str | None) -> None:
    behind(store, "f", 2)
    enroll(store, "f", "one", "two")
    behind(store, "f", 4)
    in_backoff(store, "f")
    holds = keys.feed("f").receiver_states
    if damage is None:
        store.client.delete(holds)
    else:
        store.client.hset(holds, mapping={"endpoint:one": damage, "endpoint:two": damage})
    swept = store.receivers.sweep(["f"], 10, 100)["f"]
    assert (2, 2) == (swept.due, swept.behind)
    # When they were enrolled two articles had been there.
    assert [2, 2] == [receiver.cursor for receiver in by_name(store, "f").values()]


@pytest.mark.parametrize("damage", [None, "x"])
def test_a_receiver_whose_hold_is_lost_is_paused_and_resumed(store: Store, damage: str | None) -> None:
    behind(store, "f")
    enroll(store, "f", "one", "two")
    behind(store, "f", 3)
    in_backoff(store, "f")
    for step in ("pause", "resume", "enroll"):
        if damage is None:
            store.client.delete(keys.feed("f").receiver_states)
        else:
            store.client.hset(keys.feed("f").receiver_states, mapping={"endpoint:one": damage, "endpoint:two": damage})
        if step == "pause":
            assert store.receivers.pause("f", "endpoint:one", 5, "asked")
            assert store.receivers.pause("f", "endpoint:two", 5, "removed")
        elif step == "resume":
            assert store.receivers.resume("f", "endpoint:one")
        elif damage is None:
            assert store.receivers.enroll("f", "endpoint:two", {"endpoint": "two"}) == "back"
    assert by_name(store, "f")["one"].state == "settled"
    assert by_name(store, "f")["one"].cursor == 1
    assert store.replays.rewind("f", "two")


@pytest.mark.parametrize(
    "spoiled", ["receiver_states", "receivers", "claimed", "backoff", "leases", "meta", "verifications_due"]
)
def test_a_feed_that_is_damaged_keeps_no_other_from_being_swept(store: Store, told: list[str], spoiled: str) -> None:
    for feed in ("bad", "good"):
        enroll(store, feed, "one")
        behind(store, feed)
        in_backoff(store, feed)
    key = getattr(keys.feed("bad"), spoiled)
    store.client.delete(key)
    store.client.set(key, "a string")
    for _ in range(3):
        swept = store.receivers.sweep(["bad", "good"], 10, 100)
    assert swept.keys() == {"good"}
    assert told == ["receivers of bad"]
    assert by_name(store, "good")["one"].state == "settled"


def test_an_outage_in_the_middle_of_a_sweep_is_no_damage(
    store: Store, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = redis.exceptions.OutOfMemoryError("command not allowed", status_code="OOM")
    monkeypatch.setattr(scripts._Sent, "answers", lambda _: [full])
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        store.receivers.sweep(["f"], 10, 100)
    assert told == []


@pytest.mark.parametrize("damage", [None, *DAMAGED])
def test_a_subscription_whose_details_are_lost_is_set_aside_and_others_are_claimed(
    store: Store, told: list[str], damage: str | None
) -> None:
    details = {"callback": "https://r.example/", "format": "atom", "secret": "", "host": "h", "client": "c"}
    for name in ("s1", "s2"):
        store.receivers.enroll("f", name, details)
    enroll(store, "f", "one")
    behind(store, "f")
    for name in ("s1", "endpoint:one"):
        if damage is None:
            store.client.hdel(keys.feed("f").receivers, name)
        else:
            store.client.hset(keys.feed("f").receivers, name, damage)
    claims = store.receivers.claim("f", 10, 1_000_000)
    assert {"s2": "https://r.example/", "endpoint:one": None} == {
        claim.receiver: claim.details.get("callback") for claim in claims.claims
    }
    assert told == ["receiver s1 of f"]
    assert store.receivers.counts("f")["paused"] == 1
    assert {"s2", "one", ""} >= by_name(store, "f").keys()
    store.receivers.remove("f", "s1", "")


@pytest.mark.parametrize("damage", [None, *DAMAGED])
def test_requests_and_pages_that_can_not_be_read_are_dropped(store: Store, told: list[str], damage: str | None) -> None:
    intent = SubscriptionRequest("subscribe", "t", "https://r.example/", "atom", "", 60, 1, "n", "h", "c")
    k = keys.feed("f")
    for name in ("s1", "s2"):
        store.subscription_requests.request("f", name, intent)
    store.page_checks.schedule("f", ["one", "two"], "a", PageSighting(1, 1), 1)
    for key, member in ((k.subscription_requests, "s1"), (k.page_checks, "one:a")):
        if damage is None:
            store.client.hdel(key, member)
        else:
            store.client.hset(key, member, damage)
    assert ["s2"] == [name for name, _ in store.subscription_requests.claim_due("f", 10, 10, 1000)]
    assert ["two"] == [page.endpoint for page in store.page_checks.claim_due("f", 10, 10, 1000)]
    assert [1, 1] == [store.client.zcard(k.verifications_due), store.client.zcard(k.page_checks_due)]
    assert len(told) == (0 if damage is None else 2)
    store.page_checks.schedule("f", ["one"], "a", PageSighting(2, 1), 1)
    assert {2} == {page.sighting.version for page in store.page_checks.claim_due("f", 10, 10, 1000)}


@pytest.mark.parametrize("damage", [None, *DAMAGED])
def test_the_state_of_an_article_that_is_lost_is_worked_out_anew(
    store: Store, told: list[str], damage: str | None
) -> None:
    behind(store, "f", 3)
    if damage is None:
        store.client.hdel(keys.feed("f").article_states, "a1")
    else:
        store.client.hset(keys.feed("f").article_states, "a1", damage)
    assert ["a0", "a2"] == [change.article_id for change in store.changes.since("f", 0, 10)]
    assert told == ["state of a1 in f"]
    assert ["a1"] == store.client.zrange(keys.SCHEDULE, 0, -1)
    assert store.changes.record("a1", 1, 1, {"f": ("in", 1)})["f"] == 4
    assert ["a0", "a2", "a1"] == [change.article_id for change in store.changes.since("f", 0, 10)]


def test_what_is_kept_of_attempts_of_an_endpoint_is_no_reason_to_stop(store: Store, told: list[str]) -> None:
    from worker.store.attempts import Attempt, AttemptRecord

    def attempt(article: str) -> Any:
        fields = dict.fromkeys(Attempt._fields, 0) | {
            "article": article,
            "outcome": "delivered",
            "sha256": "",
            "error": "",
            "answer": "",
        }
        return AttemptRecord(Attempt(**fields), {article: '{"version":1,"status":"published"}'})

    k = keys.feed("f")
    store.client.set(k.of_endpoint("bad", "health"), "a string")
    store.client.hset(k.ledger("good"), "a", "damaged")
    store.attempts.record({("f", "bad"): [attempt("a")], ("f", "good"): [attempt("a")]})
    assert told == ["attempts of bad"]
    assert {"a": '{"version":1,"status":"published"}'} == store.ledgers.read_one("f", "good", ["a"])
    store.client.hset(keys.feed("f").ledger("good"), "a", "damaged")
    assert {"a": "damaged"} == store.ledgers.read_one("f", "good", ["a"])
    assert told == ["attempts of bad", "entry of a in the ledger of good"]


@pytest.mark.parametrize("damage", [*DAMAGED, "a string"])
def test_lists_refusals_replays_disputes_and_events_that_can_not_be_read_hold_up_no_other(
    store: Store, told: list[str], damage: str
) -> None:
    k = keys.feed("f")
    for name in ("bad", "good"):
        store.lists.set(name, clock.moment(1), ["a"])
        store.refusals.note(name, "a", Refusal(1, 1, ["why"]))
        store.replays.request("f", name, {"a": 1}, "again", same_ids=False, rate=1.0)
        store.client.hset(k.of_endpoint(name, "disputed"), "a", str(Dispute(1, 1, 1, 1, 404, "no")))
    if damage == "a string":
        store.client.delete(keys.curated("bad"))
        store.client.set(keys.curated("bad"), damage)
        store.client.hset(keys.refused("bad"), "a", damage)
    else:
        store.client.hset(keys.curated("bad"), "articles", damage)
        store.client.hset(keys.refused("bad"), "a", damage)
    store.client.hset(k.of_endpoint("bad", "replaying"), "rate", damage)
    store.client.hset(k.of_endpoint("bad", "disputed"), "a", damage)
    store.client.xadd(keys.OPERATIONS, {"event": damage})
    store.operations.add({"id": "op", "type": "t"})
    assert {"bad": (), "good": ("a",)} == store.lists.get_many(["bad", "good"])
    assert ["good"] == list(store.refusals.of("a", ["bad", "good"]))
    assert {} == store.refusals.all("bad")
    assert ["good"] == list(store.replays.next_articles("f", {"bad": 5, "good": 5}))
    standings = store.attempts.standings("f", ["bad", "good"])
    assert {"bad": 0, "good": 1} == {name: len(standing.disputes) for name, standing in standings.items()}
    _, events = store.operations.claim(10, 1000)
    assert ["op"] == [event["id"] for _, event in events]
    assert store.client.xlen(keys.OPERATIONS) == 1
    assert {"replay of bad", "disputes of bad"} <= set(told)


def test_a_bug_says_what_it_was_about(store: Store) -> None:
    store.client.set(keys.feed("f").meta, "a string")
    with pytest.raises(redis.ResponseError, match=r"record of dateline:\{feed:f\}:meta: .*WRONGTYPE"):
        store.changes.record("a", 1, 1, {"f": ("in", 1), "g": ("in", 1)})
    assert store.changes.members("g") == ["a"]


def test_what_people_look_at_is_there_while_redis_is_full(store: Store) -> None:
    enroll(store, "f", "one")
    behind(store, "f", 3)
    expected = store.changes.archive_page("f", 0, 2, 1), store.receivers.get_many("f", ["endpoint:one"])
    store.client.script_flush()
    store.client.config_set("maxmemory", "1mb")
    try:
        assert expected == (store.changes.archive_page("f", 0, 2, 1), store.receivers.get_many("f", ["endpoint:one"]))
        assert store.definitions.progress().articles == 0
        assert store.receivers.counts("f")["behind"] == 1
        assert len(by_name(store, "f")) == 1
        assert len(store.changes.since("f", 0, 10)) == 3
        store.changes.window("f", 2)
    finally:
        store.client.config_set("maxmemory", 0)


def test_people_are_told_of_one_record_once_an_hour(store: Store, told: list[str]) -> None:
    for _ in range(3):
        store.damaged_records.report("a record", "why", "what")
    assert told == ["a record"]
