"""Endpoints that are topics of Kafka, in a newsroom that runs: in order, over a kill. The cluster is librdkafka's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from command_line import dateline
from confluent_kafka import Consumer, Producer
from kafka_broker import KafkaBroker
from newsroom import Newsroom, start
from receiver import Receiver


class Cluster:
    """Three brokers in this process, each on a port of its own, and whoever reads from them."""

    def __init__(self) -> None:
        self._host = Producer({"bootstrap.servers": "x:1", "test.mock.num.brokers": 3, "log_level": 0})
        brokers = self._host.list_topics(timeout=60).brokers.values()
        self.servers = [f"{broker.host}:{broker.port}" for broker in brokers]
        self._reader = Consumer(
            {
                "bootstrap.servers": ",".join(self.servers),
                "group.id": "reader",
                "auto.offset.reset": "earliest",
                "topic.metadata.refresh.interval.ms": 200,
                "log_level": 0,
            }
        )
        self._reader.subscribe(["herald"])
        self.taken: list[Any] = []

    def records(self, count: int) -> list[Any]:
        """All records, as soon as there are so many."""
        deadline = time.monotonic() + 60
        while len(self.taken) < count:
            assert time.monotonic() < deadline, f"{len(self.taken)} records instead of {count}"
            record = self._reader.poll(0.2)
            if record is not None and record.error() is None:
                self.taken.append(record)
        return self.taken

    def close(self) -> None:
        self._reader.close()


def endpoint(name: str, section: str, servers: list[str], more: str = "") -> str:
    others = json.dumps(servers[1:])
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "kafka"\nformat = "json"\nconcurrency = 8\n'
        f'url = "kafka://{servers[0]}"\n[endpoints.kafka]\ntopic = "herald"\nservers = {others}\n{more}'
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def closed() -> Iterator[KafkaBroker]:
    broker = KafkaBroker("herald", user=True)
    yield broker
    broker.close()


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, cluster: Cluster, closed: KafkaBroker
) -> Iterator[Newsroom]:
    wrong = 'mechanism = "PLAIN"\nusername = "herald"\npassword = "not the secret"\n'
    more = endpoint("open", "s20", cluster.servers) + endpoint("closed", "s21", [f"127.0.0.1:{closed.port}"], wrong)
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def test_each_article_its_correction_and_its_kill_come_in_order(newsroom: Newsroom, cluster: Cluster) -> None:
    articles = [f"k-{number}" for number in range(8)]
    for version in (1, 2):
        for article in articles:
            newsroom.publish(article, "s20", version)
        cluster.records(8 * version)
    for article in articles[:4]:
        newsroom.kill(article)
    came: dict[str, list[str]] = {}
    partitions: dict[str, set[int]] = {}
    for record in cluster.records(20):
        event = json.loads(record.value())
        article = record.key().decode()
        assert event["article"]["id"] == article
        came.setdefault(article, []).append(event["type"].removeprefix("article."))
        partitions.setdefault(article, set()).add(record.partition())
    killed = ["published", "corrected", "killed"]
    assert {article: killed if article in articles[:4] else killed[:2] for article in articles} == came
    assert {1} == {len(those) for those in partitions.values()}


def test_a_test_says_that_it_is_one(newsroom: Newsroom, cluster: Cluster) -> None:
    before = len(cluster.taken)
    done = dateline("endpoints", "test", "open", "--config", str(newsroom.config))
    assert done.returncode == 0, done.stderr
    records = cluster.records(before + 2)[before:]
    assert {b"true"} == {dict(record.headers())["dateline-test"] for record in records}


def test_wrong_credentials_pause_it(newsroom: Newsroom) -> None:
    newsroom.publish("x-1", "s21")

    def standing() -> Any:
        return next(iter(newsroom.receivers("s21")))

    newsroom.receiver.until(lambda: standing().state == "paused", 60, "the pause")
    assert "the cluster refuses us: SaslAuthenticationFailed" in standing().remembered.reason
    assert "not the secret" not in standing().remembered.reason
