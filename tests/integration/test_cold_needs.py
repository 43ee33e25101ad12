"""What something needs stays in Redis, however old it is; on SQLite, as all that decides is in Redis."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from cold_parts import OLD, Parts, save
from recording import held, note

from worker import clock
from worker.record import Record
from worker.store import Store, keys


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
