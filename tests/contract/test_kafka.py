"""Topics of Kafka as a destination: order, repetitions, refusals, and addresses that a cluster may not name."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from kafka_broker import PASSWORD, USER, KafkaBroker

from feeds.article import Article
from worker.destinations.interface import Delivery, Message
from worker.destinations.kafka import Cluster, Topic
from worker.outbound.errors import Fault
from worker.outbound.guard import Guard
from worker.outbound.transfer import Answer, Tls

LOOPBACK = Guard([ip_network("127.0.0.1/32")])
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEM = str(Path(__file__).with_name("localhost.pem"))


@pytest.fixture
def broker() -> Iterator[KafkaBroker]:
    broker = KafkaBroker("news")
    yield broker
    broker.close()


def cluster(
    *ports: int, user: str = "", password: str = "", guard: Guard = LOOPBACK, tls: Tls | None = None
) -> Cluster:
    servers = tuple(f"127.0.0.1:{port}" for port in ports)
    return Cluster(servers, tls, "PLAIN", user, password, guard)


def topic(broker: KafkaBroker, name: str = "news", **more: Any) -> Topic:
    return Topic(cluster(broker.port, **more), name, "application/json")


def message(article_id: str = "a", version: int = 1, status: str = "published", text: str = "") -> Message:
    article = Article.model_construct(id=article_id, version=version, published=NOON, updated=NOON, edition="ar")
    body = (text or f"{article_id} {version} عبّارة").encode()
    return Message.of(f"msg_{article_id[:20]}_{version}", body, status, article, compressed=False)


@pytest.fixture(autouse=True)
def dropped() -> Iterator[None]:
    """Drop the connections before something collects them in any order."""
    yield
    while used:
        used.pop()._drop()


used: set[Topic] = set()


def push(destination: Topic, sent: Message, seconds: float = 30, **more: Any) -> Answer:
    used.add(destination)
    return destination.push(sent, Delivery(seconds, time.monotonic() + 60, **more), lambda _: None).run()


def test_the_messages_of_an_article_lie_in_one_partition_in_order(broker: KafkaBroker) -> None:
    destination = topic(broker)
    for version, status in ((1, "published"), (2, "corrected"), (3, "killed")):
        for number in range(8):
            assert push(destination, message(f"hh-{number}", version, status)).status == 200
    for number in range(8):
        ours = [record for record in broker.records["news"] if record.key == f"hh-{number}"]
        assert [f"hh-{number} {version} عبّارة" for version in (1, 2, 3)] == [record.value for record in ours]
        assert len({record.partition for record in ours}) == 1
    assert len({record.partition for record in broker.records["news"]}) > 1
    first = broker.records["news"][0]
    assert {
        "message-id": "msg_hh-0_1",
        "article-version": "1",
        "status": "published",
        "content-type": "application/json",
    } == first.headers
    # One to ask for the cluster, and one to the broker that it names.
    assert broker.connections == 2


def test_a_lost_answer_makes_no_second_record_and_an_order_does(broker: KafkaBroker) -> None:
    fates: list[int | str] = ["lost", 0]
    broker.behave = lambda _: fates.pop(0) if fates else 0
    destination = topic(broker)
    assert push(destination, message()).status == 200
    assert len(broker.records["news"]) == 1
    assert push(destination, message(), replay_id="r1", test=True).status == 200
    again = broker.records["news"][1].headers
    assert ("r1", "true") == (again["dateline-replay"], again["dateline-test"])


def test_nothing_of_a_message_that_failed_arrives_later(broker: KafkaBroker) -> None:
    broker.behave = lambda _: 7  # REQUEST_TIMED_OUT, for which clients ask again
    destination = topic(broker)
    answer = push(destination, message("a", 1), 1.5)
    assert (answer.status, answer.fault) == (0, Fault.TIMEOUT)
    broker.until_left()
    broker.behave = lambda _: 0
    assert push(destination, message("a", 2, "killed")).status == 200
    assert ["a 2 عبّارة"] == [record.value for record in broker.records["news"]]


def test_a_broker_that_says_nothing_is_waited_for_no_longer_than_it_may_take(broker: KafkaBroker) -> None:
    broker.behave = lambda _: "silent"
    begun = time.monotonic()
    answer = push(topic(broker), message(), 1.5)
    assert (answer.fault, answer.started) == (Fault.TIMEOUT, True)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("code", "status", "fault", "words"),
    [
        (10, 413, None, "the message is larger than the topic takes"),
        (18, 413, None, "the message is larger than the topic takes"),
        (29, 0, Fault.DENIED, "the cluster refuses us: TopicAuthorizationFailedError"),
        (44, 400, None, "refused: PolicyViolationError"),
        (56, 503, None, "not acknowledged: KafkaStorageError"),
    ],
)
def test_what_a_broker_answers_is_told(
    broker: KafkaBroker, code: int, status: int, fault: Fault | None, words: str
) -> None:
    broker.behave = lambda _: code
    answer = push(topic(broker), message(), 5)
    assert (status, fault) == (answer.status, answer.fault), answer.message
    assert answer.message.startswith(words)


def test_a_topic_that_is_not_there_is_for_a_person(broker: KafkaBroker) -> None:
    answer = push(topic(broker, "no-such-topic"), message(), 2)
    assert (answer.fault, answer.started) == (Fault.DENIED, False)
    assert "UnknownTopicOrPartitionError" in answer.message


def test_who_signs_in_is_let_in_and_others_hear_why() -> None:
    broker = KafkaBroker("news", user=True)
    assert push(topic(broker, user=USER, password=PASSWORD), message()).status == 200
    answer = push(topic(broker, user=USER, password="not-the-password"), message())
    assert (answer.fault, answer.started) == (Fault.DENIED, False)
    assert answer.message.startswith("the cluster refuses us: ")
    assert "not-the-password" not in answer.message
    broker.close()


def test_secure_connections_are_checked() -> None:
    broker = KafkaBroker("news", tls=PEM)
    broker.advertised = "localhost"
    secure = Cluster((f"localhost:{broker.port}",), Tls(ca=PEM), "PLAIN", "", "", LOOPBACK)
    assert push(Topic(secure, "news", "text/plain"), message()).status == 200
    unknown = Cluster((f"localhost:{broker.port}",), Tls(), "PLAIN", "", "", LOOPBACK)
    answer = push(Topic(unknown, "news", "text/plain"), message())
    assert (answer.fault, answer.started) == (Fault.TLS, False)
    assert answer.message == "no secure connection: self-signed certificate"
    broker.close()


def test_no_address_that_is_not_allowed_is_called(broker: KafkaBroker) -> None:
    answer = push(topic(broker, guard=Guard()), message())
    assert (answer.fault, answer.message) == (Fault.FORBIDDEN, "the address 127.0.0.1 is not allowed")
    assert broker.connections == 0
    # The cluster says that its broker is somewhere inside.
    with socket.create_server(("127.0.0.2", broker.port)) as inside:
        inside.settimeout(0.2)
        broker.advertised = "127.0.0.2"
        answer = push(topic(broker), message(), 2)
        assert (answer.fault, answer.message) == (Fault.FORBIDDEN, "the address 127.0.0.2 is not allowed")
        with pytest.raises(TimeoutError):
            inside.accept()


def test_other_brokers_are_asked_when_one_is_not_there(broker: KafkaBroker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    destination = Topic(cluster(port, broker.port), "news", "text/plain")
    assert push(destination, message()).status == 200
    answer = push(Topic(cluster(port), "news", "text/plain"), message())
    assert (answer.fault, answer.started) == (Fault.CONNECT, False)
    assert "refused" in answer.message
    nowhere = Cluster(("no-such-host.invalid:9092",), None, "PLAIN", "", "", LOOPBACK)
    assert push(Topic(nowhere, "news", "text/plain"), message()).fault == Fault.DNS


def test_what_is_no_broker_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_wrongly() -> None:
            while True:
                try:
                    there, _ = listening.accept()
                except OSError:
                    return
                with there:
                    there.recv(100)
                    there.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer_wrongly, daemon=True).start()
        answer = push(Topic(cluster(listening.getsockname()[1]), "news", "text/plain"), message(), 3)
        listening.shutdown(socket.SHUT_RDWR)
    assert (answer.status, answer.started) == (0, False)
    assert answer.fault in (Fault.PROTOCOL, Fault.CONNECT, Fault.TIMEOUT), answer.message


def test_a_connection_that_was_cut_is_made_anew(broker: KafkaBroker) -> None:
    destination = topic(broker)
    assert push(destination, message("a", 1)).status == 200
    broker.cut()
    assert push(destination, message("a", 2)).status == 200
    broker.behave = lambda _: "lost"
    answer = push(destination, message("a", 3), 1.5)
    assert (answer.status, answer.started) == (0, True)
    assert answer.fault in (Fault.RESET, Fault.TIMEOUT)
    broker.behave = lambda _: 0
    assert push(destination, message("a", 4)).status == 200


def test_what_is_withdrawn_while_it_waits_is_not_published(broker: KafkaBroker) -> None:
    used.add(destination := topic(broker))
    job = destination.push(message(), Delivery(30, time.monotonic() + 60), lambda _: None)
    job.is_current = lambda: False
    assert job.run().fault == Fault.OUTDATED
    assert broker.records["news"] == []
