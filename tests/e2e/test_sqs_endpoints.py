"""Endpoints that are queues of Amazon SQS, in a newsroom that runs: in order, and closed ones pause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from newsroom import Newsroom, start
from receiver import Receiver
from sqs_server import REGION, SqsServer

from worker.receivers.ledger import LedgerEntry


def endpoint(server: SqsServer, name: str, section: str, url: str, secret: str = "") -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "sqs"\nformat = "json"\nurl = "{url}"\n'
        f'concurrency = 8\n[endpoints.sqs]\nkey_id = "{server.key_id}"\nsecret = "{secret or server.secret}"\n'
        f'region = "{REGION}"\n'
    )


@pytest.fixture(scope="module")
def server() -> Iterator[SqsServer]:
    server = SqsServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def queue(server: SqsServer) -> str:
    return server.declare("herald.fifo")


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, server: SqsServer, queue: str
) -> Iterator[Newsroom]:
    more = endpoint(server, "open", "s20", queue) + endpoint(server, "closed", "s21", queue, "not the secret")
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def statuses(newsroom: Newsroom, articles: list[str]) -> set[str]:
    entries = newsroom.store.ledgers.read_one("s20", "open", articles)
    return {LedgerEntry.parse(entry).status for entry in entries.values()}


def test_each_article_its_correction_and_its_kill_come_in_order(
    newsroom: Newsroom, server: SqsServer, queue: str
) -> None:
    articles = [f"q-{number}" for number in range(8)]
    for article in articles:
        newsroom.publish(article, "s20")
    taken = server.messages(queue, 8)
    for article in articles:
        newsroom.publish(article, "s20", 2)
    taken += server.messages(queue, 8)
    server.lose = 3
    for article in articles[:4]:
        newsroom.kill(article)
    # As SQS does for five minutes, the model knows a repetition while the first one is there.
    newsroom.receiver.until(lambda: statuses(newsroom, articles[:4]) == {"killed"}, 60, "the kills")
    taken += server.messages(queue, 4)
    came: dict[str, list[str]] = {}
    for message in taken:
        event: dict[str, Any] = json.loads(message["Body"])
        came.setdefault(event["article"]["id"], []).append(event["type"].removeprefix("article."))
    killed = ["published", "corrected", "killed"]
    assert {article: killed if article in articles[:4] else killed[:2] for article in articles} == came
    assert 0 == server.waiting(queue)


def test_wrong_credentials_pause_it(newsroom: Newsroom, server: SqsServer) -> None:
    newsroom.publish("x-1", "s21")

    def standing() -> Any:
        return next(iter(newsroom.receivers("s21")))

    newsroom.receiver.until(lambda: standing().state == "paused", 60, "the pause")
    assert "answered 403" in standing().remembered.reason
    assert "not the secret" not in standing().remembered.reason
