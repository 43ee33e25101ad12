"""Pub/Sub and Service Bus as destinations: order, repetitions, refusals. The services are models of ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cloud_brokers import KEY, POLICY, PubSub, ServiceBus
from contract.caller import Caller, arrived
from contract.misbehaving import PATIENCE
from receiver import Receiver

from feeds.article import Article
from worker.destinations.interface import Delivery, Message
from worker.destinations.pubsub import Account, Topic
from worker.destinations.service_bus import Entity
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def pubsub(receiver: Receiver) -> PubSub:
    return PubSub(receiver)


@pytest.fixture
def service_bus(receiver: Receiver) -> ServiceBus:
    return ServiceBus(receiver)


def message(article_id: str = "hh-1", version: int = 1, status: str = "published") -> Message:
    article = Article.model_construct(id=article_id, version=version, published=NOON, updated=NOON, edition="ar")
    body = f"{article_id} {version} عبّارة".encode()
    return Message.of(f"msg_{article_id[:20]}_{version}", body, status, article, compressed=False)


def push(caller: Caller, model: PubSub | ServiceBus, sent: Message, secret: str = "", **more: Any) -> Answer:
    destination: Topic | Entity
    if isinstance(model, PubSub):
        destination = Topic(caller.engine, model.url, Account(secret or model.credentials), "application/json")
    else:
        destination = Entity(caller.engine, model.url, POLICY, secret or KEY, "application/json")
    answers: list[Answer] = []
    caller.submit([destination.push(sent, Delivery(PATIENCE, time.monotonic() + 2 * PATIENCE, **more), answers.append)])
    return arrived(answers)


def test_pubsub_gets_the_messages_of_an_article_under_one_key(caller: Caller, pubsub: PubSub) -> None:
    for version, status in ((1, "published"), (2, "corrected"), (3, "killed")):
        assert 200 == push(caller, pubsub, message("hh-1", version, status)).status
    assert 200 == push(caller, pubsub, message("ش" * 600), replay_id="r1", test=True).status
    assert ["hh-1 1 عبّارة", "hh-1 2 عبّارة", "hh-1 3 عبّارة"] == [one.text for one in pubsub.kept[:3]]
    assert ["hh-1"] * 3 == [one.group for one in pubsub.kept[:3]]
    assert {
        "article-id": "hh-1",
        "article-version": "3",
        "status": "killed",
        "message-id": "msg_hh-1_3",
        "content-type": "application/json",
    } == pubsub.kept[2].properties
    last = pubsub.kept[3]
    assert (64, "r1", "true") == (
        len(last.group),
        last.properties["dateline-replay"],
        last.properties["dateline-test"],
    )


def test_service_bus_gets_the_messages_of_an_article_in_one_session(caller: Caller, service_bus: ServiceBus) -> None:
    for version, status in ((1, "published"), (2, "corrected"), (3, "killed")):
        assert 200 == push(caller, service_bus, message("hh 1/ش", version, status)).status
    assert ["hh 1/ش 1 عبّارة", "hh 1/ش 2 عبّارة", "hh 1/ش 3 عبّارة"] == [one.text for one in service_bus.kept]
    assert ["hh 1/ش"] * 3 == [one.group for one in service_bus.kept]
    assert {
        "article-id": "hh 1/ش",
        "article-version": 3,
        "status": "killed",
        "message-id": "msg_hh 1/ش_3",
        "label": "killed",
    } == service_bus.kept[2].properties
    # What is sent again is dropped, but for what somebody has ordered.
    assert 200 == push(caller, service_bus, message("hh 1/ش", 3, "killed"), doubtful=True).status
    assert 200 == push(caller, service_bus, message("hh 1/ش", 3, "killed"), replay_id="r1").status
    assert ["msg_hh 1/ش_3", "msg_hh 1/ش_3r1"] == [one.id for one in service_bus.kept[2:]]
    assert 200 == push(caller, service_bus, message("x" * 200)).status
    assert 64 == len(service_bus.kept[-1].group)


def test_who_is_not_let_in_hears_why(
    caller: Caller, receiver: Receiver, pubsub: PubSub, service_bus: ServiceBus
) -> None:
    stranger = PubSub(receiver)
    wrong = push(caller, pubsub, message(), secret=stranger.credentials)
    assert (Fault.DENIED, 0) == (wrong.fault, len(pubsub.kept))
    assert "answered 401 UNAUTHENTICATED: Request had invalid authentication credentials." == wrong.message
    wrong = push(caller, service_bus, message(), secret="not the key")
    assert (Fault.DENIED, 0) == (wrong.fault, len(service_bus.kept))
    assert wrong.message.startswith("answered 401: InvalidSignature")


@pytest.mark.parametrize(
    ("status", "code", "judged", "fault"),
    [
        (400, "INVALID_ARGUMENT", 400, None),
        (403, "PERMISSION_DENIED", 403, Fault.DENIED),
        (404, "NOT_FOUND", 404, Fault.DENIED),
        (429, "RESOURCE_EXHAUSTED", 429, None),
        (503, "UNAVAILABLE", 503, None),
    ],
)
def test_what_pubsub_answers_is_told(
    caller: Caller, pubsub: PubSub, status: int, code: str, judged: int, fault: Fault | None
) -> None:
    pubsub.answer = lambda _: (status, b'{"error": {"status": "%b", "message": "Not\\nnow."}}' % code.encode())
    answer = push(caller, pubsub, message())
    assert (judged, fault, f"answered {status} {code}: Not now.") == (answer.status, answer.fault, answer.message)
    pubsub.answer = lambda _: (status, b"<html>")
    assert f"answered {status}" == push(caller, pubsub, message()).message


@pytest.mark.parametrize(
    ("status", "detail", "judged", "fault"),
    [
        (400, "The request's content is invalid", 400, None),
        (401, "Unauthorized access. 'Send' claim(s) are required", 401, Fault.DENIED),
        (403, "The received message is too large: 300000", 413, None),
        (403, "The maximum entity size has been reached, QuotaExceeded", 507, None),
        (403, "Ip has been prevented to connect to the endpoint", 403, Fault.DENIED),
        (404, "The messaging entity could not be found", 404, Fault.DENIED),
        (410, "The specified queue or topic does not exist", 410, Fault.DENIED),
        (503, "The server is busy", 503, None),
    ],
)
def test_what_service_bus_answers_is_told(
    caller: Caller, service_bus: ServiceBus, status: int, detail: str, judged: int, fault: Fault | None
) -> None:
    body = f"<Error><Code>{status}</Code><Detail>{detail}</Detail></Error>".encode()
    service_bus.answer = lambda _: (status, body)
    answer = push(caller, service_bus, message())
    assert (judged, fault, f"answered {status}: {detail}") == (answer.status, answer.fault, answer.message)


def test_a_token_is_used_until_it_is_near_its_end(caller: Caller, pubsub: PubSub) -> None:
    account = Account(pubsub.credentials)
    first = account.token()
    assert first == account.token()
    account._renew = 0.0
    account.token()
    assert 200 == push(caller, pubsub, message()).status
