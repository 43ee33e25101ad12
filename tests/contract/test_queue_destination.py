"""A message broker as a destination, with a real RabbitMQ: what is confirmed is kept, all else is told rightly."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from rabbitmq_server import PASSWORD, USER, RabbitMQ

from feeds.article import Article
from worker.destinations.interface import Delivery, Message
from worker.destinations.queue import Broker, QueueDestination
from worker.outbound.errors import Fault
from worker.outbound.guard import Guard
from worker.outbound.transfer import Answer

LOOPBACK = Guard([ip_network("127.0.0.0/8")])
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    server = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    yield server
    server.close()


def broker(port: int, *, password: str = PASSWORD, host: str = "127.0.0.1", guard: Guard = LOOPBACK) -> Broker:
    return Broker(host, port, "/", USER, password, None, guard)


def to(server: RabbitMQ, routing_key: str, exchange: str = "") -> QueueDestination:
    return QueueDestination(broker(server.port), exchange, routing_key, "application/json")


def message(article_id: str = "a", version: int = 1, status: str = "published") -> Message:
    article = Article(
        id=article_id,
        version=version,
        headline="The ferry is late",
        section="world",
        url=f"https://herald.example/{article_id}",
        published=NOON,
        updated=NOON,
    )
    text = f'{{"id": "{article_id}", "version": {version}}}'.encode()
    return Message.of(f"msg_{article_id[:20]}_{version}", text, status, article, compressed=False)


def push(destination: QueueDestination, sent: Message, seconds: float = 30, **more: Any) -> Answer:
    delivery = Delivery(seconds, time.monotonic() + 60, **more)
    return destination.push(sent, delivery, lambda _: None).run()


def test_a_message_is_kept_with_all_that_a_reader_needs(server: RabbitMQ) -> None:
    server.declare("news")
    destination = to(server, "news")
    assert push(destination, message(), replay_id="again").status == 200
    assert push(destination, message("a", 2, "killed"), test=True).status == 200
    first, second = server.messages("news")
    assert (first.body, first.properties["content_type"]) == ('{"id": "a", "version": 1}', "application/json")
    assert (first.properties["message_id"], first.properties["delivery_mode"]) == ("msg_a_1", 2)
    assert first.properties["type"] == "published"
    assert first.headers == {
        "status": "published",
        "article-id": "a",
        "article-version": 1,
        "message-key": "a",
        "dateline-replay": "again",
    }
    assert (second.headers["status"], second.headers["dateline-test"]) == ("killed", True)


def test_a_routing_key_is_made_of_the_article(server: RabbitMQ) -> None:
    server.declare("news.world.killed")
    assert push(to(server, "news.{section}.{status}"), message(status="killed")).status == 200
    assert len(server.messages("news.world.killed")) == 1
    # What is too long for AMQP is cut, and the cut is at a character.
    assert push(to(server, "{id}"), message("م" * 200)).status == 404


def test_what_no_queue_gets_is_a_refusal_and_the_next_message_is_taken(server: RabbitMQ) -> None:
    destination = to(server, "later")
    answer = push(destination, message())
    assert (answer.status, answer.message) == (404, "no queue gets it: NO_ROUTE")
    server.declare("later")
    assert push(destination, message()).status == 200
    answer = push(to(server, "x", exchange="nowhere"), message())
    assert (answer.status, answer.fault) == (404, None)
    assert "no exchange 'nowhere'" in answer.message


def test_a_queue_that_is_full_is_tried_again(server: RabbitMQ) -> None:
    server.declare("small", **{"x-max-length": 1, "x-overflow": "reject-publish"})
    destination = to(server, "small")
    answers = [push(destination, message("a", version)) for version in (1, 2, 3)]
    assert [answer.status for answer in answers[1:]] == [507, 507]
    assert answers[2].message == "the broker did not keep it: its queue is full"


@pytest.mark.parametrize(
    ("more", "fault", "words"),
    [
        ({"password": "not-the-password"}, Fault.DENIED, "the broker refuses us: ACCESS_REFUSED"),
        ({"guard": Guard()}, Fault.FORBIDDEN, "the address 127.0.0.1 is not allowed"),
        ({"host": "no-such-host.invalid"}, Fault.DNS, "no-such-host.invalid has no address"),
    ],
)
def test_without_a_connection_nothing_is_sent(server: RabbitMQ, more: dict[str, Any], fault: Fault, words: str) -> None:
    answer = push(QueueDestination(broker(server.port, **more), "", "news", "text/plain"), message())
    assert (answer.fault, answer.started) == (fault, False)
    assert answer.message.startswith(words)
    assert "not-the-password" not in answer.message


def test_a_port_where_nobody_or_something_else_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer_wrongly() -> None:
            there, _ = listening.accept()
            with there:
                there.recv(100)
                there.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer_wrongly, daemon=True).start()
        answer = push(QueueDestination(broker(port), "", "news", "text/plain"), message(), 10)
        assert (answer.status, answer.started) == (0, False)
        assert answer.fault in (Fault.PROTOCOL, Fault.CONNECT, Fault.TIMEOUT)
    answer = push(QueueDestination(broker(port), "", "news", "text/plain"), message(), 10)
    assert (answer.fault, answer.message) == (Fault.CONNECT, "no connection: Connection refused")


def test_what_is_withdrawn_while_it_waits_for_its_turn_is_not_published(server: RabbitMQ) -> None:
    server.declare("withdrawn")
    destination = to(server, "withdrawn")
    job = destination.push(message(), Delivery(30, time.monotonic() + 60), lambda _: None)
    job.is_current = lambda: False
    answer = job.run()
    assert (answer.fault, answer.started) == (Fault.OUTDATED, False)
    assert push(destination, message("a", 2, "killed")).status == 200
    assert ["killed"] == [kept.properties["type"] for kept in server.messages("withdrawn")]


def test_a_connection_that_breaks_is_made_anew_and_messages_that_wait_have_their_turn(server: RabbitMQ) -> None:
    server.declare("turns")
    destination = to(server, "turns")
    assert push(destination, message("a")).status == 200
    destination._connection.sock.shutdown(socket.SHUT_RDWR)
    answer = push(destination, message("b"))
    assert (answer.fault, answer.started) == (Fault.RESET, True)
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda number=number: answers.append(push(destination, message(f"c{number}"))))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status for answer in answers] == [200] * 8
    assert len(server.messages("turns")) == 9


def test_a_broker_that_repeats_what_it_was_sent_tells_nobody_the_password() -> None:
    repeated = broker(5672, password="not-the-password").words_of(ValueError("no user herald\nwith not-the-password"))
    assert repeated == "no user herald with ***"
