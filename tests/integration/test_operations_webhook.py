"""The operations webhook on real sockets: all is told, and of one thing nothing before what came before it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

import pytest
import structlog
from receiver import Answer, Receiver, Request
from redis.exceptions import ConnectionError as RedisConnectionError

from worker.outbound.engine import Engine
from worker.outbound.guard import Guard
from worker.runtime.operations_webhook import OperationsWebhook
from worker.store import Store, keys
from worker.store.alerts import Alerts


@pytest.fixture
def hook(store: Store, receiver: Receiver) -> Iterator[OperationsWebhook]:
    engine = Engine(Guard([ip_network("127.0.0.0/8")]))
    engine.start()
    with ThreadPoolExecutor(1) as executor:
        yield OperationsWebhook(store, engine, executor, f"{receiver.url}/operations", (), 5)
        engine.stop(1)


def told(receiver: Receiver) -> list[tuple[str, str]]:
    events = [json.loads(request.body) for request in receiver.at("/operations")]
    return [(event["data"]["endpoint"], event["type"]) for event in events]


def test_of_an_endpoint_nothing_is_told_before_what_came_before_it(
    store: Store, receiver: Receiver, hook: OperationsWebhook
) -> None:
    turns = itertools.count(1)

    def slow_at_first(request: Request) -> Answer:
        kind = json.loads(request.body)["type"]
        if kind == "endpoint.suspended":
            turn = next(turns)
            time.sleep(0.1)
            return (503, b"") if turn <= 3 else (204, b"")
        return 204, b""

    receiver.behave["/operations"] = slow_at_first
    alerts = Alerts(store.operations, webhook=True)
    names = [f"p{number}" for number in range(30)]
    for kind in ("endpoint.suspended", "endpoint.recovered"):
        for name in names:
            alerts.raise_alert(kind, endpoint=name, feed="world")

    def all_told() -> bool:
        hook.send()
        return not store.client.xlen(keys.OPERATIONS) and len(told(receiver)) >= 2 * len(names) + 3

    receiver.until(all_told, 30, "all to be told")
    for name in names:
        kinds = [kind for endpoint, kind in told(receiver) if endpoint == name]
        assert kinds == sorted(kinds, reverse=True), name
        assert kinds[-1] == "endpoint.recovered"


def test_a_redis_that_fails_after_the_sending_is_told_of(
    store: Store, receiver: Receiver, hook: OperationsWebhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RedisConnectionError("gone")

    Alerts(store.operations, webhook=True).raise_alert("endpoint.suspended", endpoint="p", feed="world")
    with structlog.testing.capture_logs() as logs:
        monkeypatch.setattr(store.operations, "finish", fails)
        hook.send()
        receiver.until(lambda: any(line["event"] == "redis_away" for line in logs), 60, "the line")
    [line] = [line for line in logs if line["event"] == "redis_away"]
    assert line["next_step"] == "what was sent may be sent again, under the same id"
