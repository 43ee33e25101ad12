"""Endpoints that are message brokers, in a newsroom that runs: order, corrections, kills, refusals, outages."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from command_line import dateline
from newsroom import Newsroom, start
from rabbitmq_server import PASSWORD, USER, RabbitMQ
from receiver import Receiver


def endpoint(port: int, name: str, section: str, *, password: str = PASSWORD, host: str = "127.0.0.1") -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "queue"\nformat = "json"\nconcurrency = 4\n'
        f'url = "amqp://{host}:{port}/"\n[endpoints.queue]\nusername = "{USER}"\npassword = "{password}"\n'
        f'routing_key = "{name}"\n'
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    server = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    for name in ("wire", "closed", "inside"):
        server.declare(name)
    yield server
    server.close()


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, server: RabbitMQ
) -> Iterator[Newsroom]:
    more = "".join(
        (
            endpoint(server.port, "wire", "s20"),
            endpoint(server.port, "closed", "s21", password="not-the-password"),
            endpoint(server.port, "inside", "s22", host="10.0.0.1"),
            endpoint(server.port, "later", "s23"),
        )
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def told(server: RabbitMQ, queue: str) -> list[tuple[str, str, int]]:
    """What was told, in its order: article, status, version."""
    return [
        (message.headers["article-id"], message.headers["status"], message.headers["article-version"])
        for message in server.messages(queue)
    ]


def test_each_article_is_told_in_its_order_and_its_kill_last(newsroom: Newsroom, server: RabbitMQ) -> None:
    names = [f"q-{number}" for number in range(10)]
    for version in (1, 2):
        for name in names:
            newsroom.publish(name, "s20", version)
    newsroom.receiver.until(
        lambda: len({name for name, _, version in told(server, "wire") if version == 2}) == 10, 60, "all"
    )
    for name in names[:3]:
        newsroom.kill(name)
    newsroom.receiver.until(
        lambda: len([1 for _, status, _ in told(server, "wire") if status == "killed"]) == 3, 60, "kills"
    )
    everything = told(server, "wire")
    for name in names:
        versions = [version for article, _, version in everything if article == name]
        assert versions == sorted(versions), name
    killed = [message for message in server.messages("wire") if message.headers["status"] == "killed"]
    assert all("This is the text" not in message.body for message in killed)
    assert {json.loads(message.body)["type"] for message in killed} == {"article.killed"}


def reason(newsroom: Newsroom, feed: str) -> str:
    [receiver] = newsroom.receivers(feed)
    return str(receiver.remembered.reason)


def test_who_may_not_sign_in_is_paused_with_the_reason(newsroom: Newsroom, server: RabbitMQ) -> None:
    newsroom.publish("c-1", "s21")
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts("s21")["paused"] == 1, 60, "the pause")
    assert "the broker refuses us: ACCESS_REFUSED" in reason(newsroom, "s21")
    assert told(server, "closed") == []


def test_an_address_inside_is_refused(newsroom: Newsroom, server: RabbitMQ) -> None:
    newsroom.publish("i-1", "s22")

    def errors() -> list[str]:
        return [attempt.error for attempt in newsroom.attempts("s22", "inside", 1)]

    newsroom.receiver.until(lambda: errors() == ["the address 10.0.0.1 is not allowed"], 60, "the refusal")
    assert told(server, "inside") == []


def test_what_no_queue_got_is_told_when_there_is_one(newsroom: Newsroom, server: RabbitMQ) -> None:
    for number in range(3):
        newsroom.publish(f"l-{number}", "s23")
    newsroom.receiver.until(lambda: newsroom.store.receivers.counts("s23")["backoff"] == 1, 60, "backoff")
    assert "no queue gets it" in reason(newsroom, "s23")
    server.declare("later")
    assert dateline("endpoints", "--retry", "later", "--config", str(newsroom.config)).returncode == 0
    newsroom.receiver.until(lambda: {name for name, *_ in told(server, "later")} == {"l-0", "l-1", "l-2"}, 60, "them")


def test_a_test_says_that_it_is_one(newsroom: Newsroom, server: RabbitMQ) -> None:
    done = dateline("endpoints", "test", "wire", "--config", str(newsroom.config))
    assert (done.returncode, done.stderr) == (0, "")
    tests = [message for message in server.messages("wire") if message.headers.get("dateline-test")]
    assert [message.headers["status"] for message in tests] == ["published", "killed"]
    for words in (("endpoints",), ("endpoints", "test", "closed")):
        done = dateline(*words, "--config", str(newsroom.config))
        assert "not-the-password" not in done.stdout + done.stderr
