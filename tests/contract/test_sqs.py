"""Queues of Amazon SQS as a destination: order, repetitions, refusals. The service is moto's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from contract.caller import Caller, arrived
from contract.misbehaving import PATIENCE
from sqs_server import REGION, SqsServer
from werkzeug.wrappers import Response

from feeds.article import Article
from worker.destinations.interface import Delivery, Message
from worker.destinations.sqs import Queue
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer, SigV4

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[SqsServer]:
    server = SqsServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def obliging(server: SqsServer) -> None:
    server.behave, server.lose = lambda _: None, 0


def message(article_id: str = "hh-1", version: int = 1, status: str = "published", text: str = "") -> Message:
    article = Article.model_construct(id=article_id, version=version, published=NOON, edition="ar")
    body = (text or f"{article_id} {version} عبّارة").encode()
    return Message.of(f"msg_{article_id[:20]}_{version}", body, status, article, compressed=False)


def push(caller: Caller, server: SqsServer, url: str, sent: Message, secret: str = "", **more: Any) -> Answer:
    signature = SigV4(server.key_id, secret or server.secret, REGION, "sqs")
    answers: list[Answer] = []
    delivery = Delivery(PATIENCE, time.monotonic() + 2 * PATIENCE, **more)
    queue = Queue(caller.engine, url, signature, "application/json")
    caller.submit([queue.push(sent, delivery, answers.append)])
    return arrived(answers)


def test_messages_of_an_article_are_a_group_in_order(caller: Caller, server: SqsServer) -> None:
    url = server.declare("news.fifo")
    for version, status in ((1, "published"), (2, "corrected"), (3, "killed")):
        assert 200 == push(caller, server, url, message("hh-1", version, status)).status
    assert 200 == push(caller, server, url, message("hh 2/ش", 1)).status
    taken = server.messages(url, 4)
    ours = [one for one in taken if one["MessageAttributes"]["article-id"]["StringValue"] == "hh-1"]
    assert ["hh-1 1 عبّارة", "hh-1 2 عبّارة", "hh-1 3 عبّارة"] == [one["Body"] for one in ours]
    assert {"hh-1"} == {one["Attributes"]["MessageGroupId"] for one in ours}
    first = {name: value["StringValue"] for name, value in ours[0]["MessageAttributes"].items()}
    assert {
        "article-id": "hh-1",
        "article-version": "1",
        "status": "published",
        "message-id": "msg_hh-1_1",
        "content-type": "application/json",
    } == first
    (other,) = [one for one in taken if one not in ours]
    assert 64 == len(other["Attributes"]["MessageGroupId"])


def test_a_repetition_is_dropped_and_what_somebody_has_ordered_is_not(caller: Caller, server: SqsServer) -> None:
    url = server.declare("again.fifo")
    server.lose = 1
    assert push(caller, server, url, message()).fault is not None
    assert 200 == push(caller, server, url, message(), doubtful=True).status
    assert 1 == server.waiting(url)
    assert 200 == push(caller, server, url, message(), replay_id="r1").status
    assert ["", "r1"] == [
        one["MessageAttributes"].get("dateline-replay", {}).get("StringValue", "") for one in server.messages(url, 2)
    ]


def test_other_queues_have_neither(caller: Caller, server: SqsServer) -> None:
    url = server.declare("plain")
    for _ in range(2):
        assert 200 == push(caller, server, url, message(), test=True).status
    taken = server.messages(url, 2)
    assert ["true", "true"] == [one["MessageAttributes"]["dateline-test"]["StringValue"] for one in taken]
    assert "MessageGroupId" not in taken[0]["Attributes"]


def test_who_is_not_let_in_or_finds_no_queue_hears_why(caller: Caller, server: SqsServer) -> None:
    url = server.declare("closed")
    wrong = push(caller, server, url, message(), secret="not the secret at all")
    assert (Fault.DENIED, True) == (wrong.fault, wrong.message.startswith("answered 403"))
    assert server.secret not in wrong.message
    nowhere = push(caller, server, f"{url}-there-is-none", message())
    assert Fault.DENIED == nowhere.fault
    assert "QueueDoesNotExist" in nowhere.message


def test_what_is_too_large_is_refused_because_of_the_article(caller: Caller, server: SqsServer) -> None:
    answer = push(caller, server, server.declare("small"), message(text="x" * 1_100_000))
    assert (400, None) == (answer.status, answer.fault)
    assert "InvalidParameterValue" in answer.message


@pytest.mark.parametrize(
    ("status", "code", "judged", "fault"),
    [
        (400, "com.amazonaws.sqs#RequestThrottled", 429, None),
        (503, "com.amazonaws.sqs#ServiceUnavailable", 503, None),
        (400, "com.amazonaws.sqs#KmsDisabled", 400, Fault.DENIED),
        (400, "com.amazonaws.sqs#InvalidMessageContents", 400, None),
    ],
)
def test_what_it_answers_is_told_in_its_own_words(
    caller: Caller, server: SqsServer, status: int, code: str, judged: int, fault: Fault | None
) -> None:
    server.behave = lambda _: Response(f'{{"__type": "{code}", "message": "Not\\nnow."}}', status)
    answer = push(caller, server, server.declare("told"), message())
    name = code.partition("#")[2]
    assert (judged, fault, f"answered {status} {name}: Not now.") == (answer.status, answer.fault, answer.message)


def test_what_is_no_answer_of_sqs_is_told_as_well(caller: Caller, server: SqsServer) -> None:
    server.behave = lambda _: Response("<html>", 502)
    answer = push(caller, server, server.declare("told"), message())
    assert (502, "answered 502", None) == (answer.status, answer.message, answer.fault)


def test_an_answer_that_repeats_how_it_was_signed_shows_nobody_the_key(caller: Caller, server: SqsServer) -> None:
    server.behave = lambda environ: Response(environ["HTTP_AUTHORIZATION"], 200)
    answer = push(caller, server, server.declare("told"), message())
    assert (200, b"") == (answer.status, answer.body)
