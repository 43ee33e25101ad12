"""Processes that note what the outboxes hold are killed between any two steps: nothing is missing, nothing is twice."""

from __future__ import annotations

import time
from collections import Counter

import draining
import pytest
from ledgers import ledger_of, noted_ledger
from test_outboxes import note_all, push, subscribe

from worker.record import Record, subscriptions
from worker.retention.attempt_history import last_attempts
from worker.retention.outbox_drain import OutboxDrain
from worker.store import Store, keys

FEEDS = ["f", "g"]
LATER = 2_000_000_000_000_000


@pytest.fixture
def store(store: Store) -> Store:
    store.client.sadd(keys.RECEIVING, *FEEDS)
    return store


def see_that_all_is_noted(store: Store, record: Record, pushes: int) -> None:
    """The ledgers are the same, and each answer is there once."""
    for feed in FEEDS:
        assert ledger_of(store, feed, f"p-{feed}") == noted_ledger(record, feed, f"p-{feed}")
        tries = last_attempts(store, record, feed, f"p-{feed}", 10_000)
        assert Counter((one.time, one.article_id) for one in tries).most_common(1)[0][1] == 1
        assert len(tries) == pushes


def test_killed_before_each_step(redis_url: str, store: Store, record: Record, record_url: str) -> None:
    pushes = 0
    for step in draining.STEPS:
        process = draining.start(redis_url, record_url, step)
        for feed in FEEDS:
            for number in range(pushes, pushes + 20):
                push(store, number, f"a{number % 7}", f"p-{feed}", feed)
        subscribe(store, f"s-{step}", pushes + 1, LATER)
        pushes += 20
        store.outboxes.report(FEEDS)
        process.join(60)
        assert process.exitcode == -9
        # Its lease lasts for a while, and nobody waits for that here.
        store.client.delete(keys.DRAINING)
    note_all(store, OutboxDrain(store, record))
    see_that_all_is_noted(store, record, pushes)
    with record.read() as connection:
        alive = subscriptions.alive(connection, "f", LATER - 1, 99)
    assert {one.receiver for one in alive} == {f"s-{step}" for step in draining.STEPS}


def test_two_that_drain_while_attempts_come_and_one_dies(
    redis_url: str, store: Store, record: Record, record_url: str
) -> None:
    processes = [draining.start(redis_url, record_url) for _ in range(2)]
    try:
        for number in range(300):
            for feed in FEEDS:
                push(store, number, f"a{number % 11}", f"p-{feed}", feed)
            store.outboxes.report(FEEDS)
            if number % 50 == 49:
                # Now both may have the lease.
                store.client.delete(keys.DRAINING)
            if number == 200:
                processes[0].kill()
        deadline = time.monotonic() + 60
        while store.outboxes.waiting(FEEDS).entries:
            assert time.monotonic() < deadline
            store.client.delete(keys.DRAINING)
            store.outboxes.report(FEEDS)
            time.sleep(0.05)
    finally:
        for process in processes:
            process.kill()
            process.join()
    see_that_all_is_noted(store, record, 300)
