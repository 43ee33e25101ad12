"""Endpoints that are topics of Pub/Sub and queues of Service Bus, in a newsroom that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cloud_brokers import KEY, POLICY, PubSub, ServiceBus
from command_line import dateline
from newsroom import Newsroom, start
from receiver import Answer, Receiver, Request


def endpoint(name: str, section: str, kind: str, url: str, lines: str) -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "{kind}"\nformat = "json"\nurl = "{url}"\n'
        f"concurrency = 8\n[endpoints.{kind.replace('-', '_')}]\n{lines}\n"
    )


@pytest.fixture(scope="module")
def pubsub(shared_receiver: Receiver) -> PubSub:
    return PubSub(shared_receiver)


@pytest.fixture(scope="module")
def service_bus(shared_receiver: Receiver) -> ServiceBus:
    return ServiceBus(shared_receiver)


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, pubsub: PubSub, service_bus: ServiceBus
) -> Iterator[Newsroom]:
    folder = tmp_path_factory.mktemp("n")
    (folder / "account.json").write_text(pubsub.credentials)
    more = (
        endpoint("google", "s20", "pubsub", pubsub.url, f'credentials_file = "{folder / "account.json"}"')
        + endpoint("azure", "s20", "service-bus", service_bus.url, f'policy = "{POLICY}"\nkey = "{KEY}"')
        + endpoint("closed", "s21", "service-bus", service_bus.url, f'policy = "{POLICY}"\nkey = "not the key"')
    )
    with start(folder, shared_receiver, 2, more) as newsroom:
        yield newsroom


def test_each_article_its_correction_and_its_kill_come_in_order(
    newsroom: Newsroom, pubsub: PubSub, service_bus: ServiceBus
) -> None:
    articles = [f"c-{number}" for number in range(6)]
    busy: list[Request] = []

    def busy_at_first(request: Request) -> Answer | None:
        busy.append(request)
        return (503, b"") if len(busy) <= 3 else None

    pubsub.answer = service_bus.answer = busy_at_first
    for version in (1, 2):
        for article in articles:
            newsroom.publish(article, "s20", version)
        for model in (pubsub, service_bus):
            newsroom.receiver.until(lambda model=model: len(model.kept) >= 6 * version, 60, "all")  # type: ignore[misc]  # noqa: B023
    for article in articles:
        newsroom.kill(article)
    for model in (pubsub, service_bus):
        newsroom.receiver.until(lambda model=model: len(model.kept) >= 18, 60, "the kills")  # type: ignore[misc]
        came: dict[str, list[str]] = {}
        for kept in model.kept:
            event: dict[str, Any] = json.loads(kept.text)
            assert kept.group == event["article"]["id"]
            came.setdefault(kept.group, []).append(event["type"].removeprefix("article."))
        assert {article: ["published", "corrected", "killed"] for article in articles} == came


def test_a_test_says_that_it_is_one(newsroom: Newsroom, pubsub: PubSub, service_bus: ServiceBus) -> None:
    for name, model in (("google", pubsub), ("azure", service_bus)):
        before = len(model.kept)
        done = dateline("endpoints", "test", name, "--config", str(newsroom.config))
        assert done.returncode == 0, done.stderr
        assert ["true"] * 2 == [one.properties["dateline-test"] for one in model.kept[before:]]


def test_wrong_credentials_pause_it(newsroom: Newsroom) -> None:
    newsroom.publish("x-1", "s21")

    def standing() -> Any:
        return next(iter(newsroom.receivers("s21")))

    newsroom.receiver.until(lambda: standing().state == "paused", 60, "the pause")
    assert "answered 401: InvalidSignature" in standing().remembered.reason
    assert "not the key" not in standing().remembered.reason
