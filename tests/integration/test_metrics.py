"""/metrics, as it is read from Redis: what it tells of endpoints, and what it costs."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.requests import Request

from web.client import Clients
from web.health import Health
from worker.store import Store

NOW = 1_800_000_000_000


def health(store: Store, count: int) -> Health:
    """The metrics of a newsroom of so many feeds, each with an endpoint."""
    names = [f"feed-{number}" for number in range(count)]
    for name in names:
        store.receivers.enroll(name, f"endpoint:{name}", {"endpoint": name})
    services = SimpleNamespace(
        store=store,
        site=SimpleNamespace(definitions=[SimpleNamespace(name=name) for name in names], patterns={}),
        settings=SimpleNamespace(
            endpoints=[SimpleNamespace(feed=name, name=name) for name in names],
            web=SimpleNamespace(metrics_networks=[ip_network("10.0.0.0/8")]),
        ),
    )
    return Health(cast(Any, services), cast(Any, None), Clients([]))


def test_many_feeds_cost_no_more_round_trips_than_few(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = health(store, 3), health(store, 60)
    list(few.collect())
    asked = []
    pipeline, command = store.client.pipeline, store.client.execute_command

    def piped(*args: Any, **options: Any) -> Any:
        asked.append("pipeline")
        return pipeline(*args, **options)

    def single(*args: Any, **options: Any) -> Any:
        asked.append(args[0])
        return command(*args, **options)

    monkeypatch.setattr(store.client, "pipeline", piped)
    monkeypatch.setattr(store.client, "execute_command", single)
    list(few.collect())
    of_few = len(asked)
    asked.clear()
    list(many.collect())
    assert len(asked) == of_few <= 12


def test_a_paused_endpoint_is_behind_too(store: Store) -> None:
    told = health(store, 1)
    store.receivers.pause("feed-0", "endpoint:feed-0", NOW, "asked")
    assert store.receivers.counts("feed-0")["behind"] == 0
    store.client.hset("dateline:{feed:feed-0}:meta", "head", 7)
    assert store.receivers.counts("feed-0")["behind"] == 1
    values = {
        (sample.name, sample.labels.get("endpoint")): sample.value for one in told.collect() for sample in one.samples
    }
    assert values["dateline_endpoint_behind", "feed-0"] == 7
    assert values["dateline_endpoint_last_success_seconds", "feed-0"] == 0


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.7", 200), ("192.0.2.7", 403)])
def test_others_than_the_networks_of_the_settings_are_told_nothing(store: Store, peer: str, status: int) -> None:
    request = Request({"type": "http", "client": (peer, 1), "headers": []})
    assert asyncio.run(health(store, 1).metrics(request)).status_code == status
