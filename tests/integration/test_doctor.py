"""`dateline doctor`: each part by itself, whatever is wrong with the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_alarms import failing, look
from test_finding import run

from worker import clock
from worker.record import Record
from worker.store import Store, keys
from worker.store.durability import dangers


@pytest.fixture
def store(store: Store, redis_url: str, record: Record, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("DATELINE_REDIS_URL", redis_url)
    monkeypatch.setenv("DATELINE_RECORD_URL", record.url.render_as_string(hide_password=False))
    # Redis of tests keeps nothing.
    monkeypatch.setattr("worker.store.durability.dangers", lambda _: [])
    return store


def findings() -> tuple[dict[str, Any], int]:
    """The parts, each with its state and text, and the status."""
    result = run("doctor", "--json")
    return {row["part"]: (row["state"], row["text"]) for row in json.loads(result.stdout)}, result.exit_code


def running(store: Store) -> None:
    store.workers.report_alive("worker-1", clock.ms(clock.agreed()))
    store.address.announce("https://herald.example")


def test_a_newsroom_that_is_well(store: Store) -> None:
    running(store)
    parts, status = findings()
    assert status == 0
    assert {state for state, _ in parts.values()} == {"good"}
    assert list(parts) == ["settings", "disk", "record", "Redis", "web server", "workers", "events", "alarms"]
    assert run("doctor").stdout.splitlines()[0].split() == ["Part", "State", "What"]


def test_nothing_runs(store: Store) -> None:
    parts, status = findings()
    assert status == 1
    assert {part for part, (state, _) in parts.items() if state == "wrong"} == {"web server", "workers"}
    assert "Start `dateline up` or `dateline worker`" in parts["workers"][1]


def test_a_redis_that_keeps_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running(store)
    monkeypatch.setattr("worker.store.durability.dangers", dangers)
    parts, status = findings()
    assert (status, parts["Redis"][0]) == (1, "wrong")
    assert "set appendonly yes" in parts["Redis"][1]


def test_what_is_away_hides_nothing_of_the_others(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATELINE_REDIS_URL", "redis://127.0.0.1:1/0")
    parts, status = findings()
    assert (status, parts["Redis"][0], parts["record"][0]) == (1, "wrong", "good")
    monkeypatch.setenv("DATELINE_REDIS_URL", redis_url)
    monkeypatch.setenv("DATELINE_RECORD_URL", "postgresql+psycopg://dateline@127.0.0.1:1/nowhere")
    running(store)
    parts, status = findings()
    assert (status, parts["record"][0], parts["Redis"][0]) == (1, "wrong", "good")


def test_what_somebody_should_look_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    running(store)
    store.client.xadd(keys.EVENTS, {"event": "{}"}, id="1-1")
    look(store, 1, failing("partner-one"))
    monkeypatch.setattr("worker.cli.doctor._LEAST_FREE_BYTES", 1 << 60)
    monkeypatch.setattr("worker.cli.doctor._LEAST_FREE", 1.0)
    parts, status = findings()
    assert (status, parts["disk"][0], parts["events"][0]) == (0, "look", "look")
    assert parts["alarms"] == ("look", "r (partner-one): see `dateline alarms`")
