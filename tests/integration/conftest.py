"""A real Redis of its own for the tests, in cluster mode: one node, all slots, so a script or a command whose keys lie
in two slots is refused as it would be in a cluster of many.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from unittest import mock

import empty_record
import pytest
import redis
from cold_parts import Parts
from distributing import Worker
from news_desk import Desk
from ports import free_port
from postgresql import Cluster, programs_or_skip
from receiver import Receiver
from sqlalchemy import update

from worker import clock
from worker.record import Record, tables
from worker.runtime import celery_app
from worker.runtime.embedded_redis import find_server
from worker.store import Store


@pytest.fixture(scope="session", autouse=True)
def calls_go_nowhere() -> Iterator[None]:
    """Celery can call nobody through a cluster, which our Redis is: what is logged of that falls into another test."""

    def configure(_: str) -> None:
        celery_app.app.conf.update(broker_url="memory://")

    with mock.patch.object(celery_app, "configure", configure):
        yield


@pytest.fixture(autouse=True)
def noting_is_waited_for() -> Iterator[None]:
    """What a test carries out step by step is noted after that, however slow the machine: no duty does it later."""
    with mock.patch("worker.retention.noting._MOMENT_SECONDS", 60.0):
        yield


def _port() -> int:
    """A free port whose cluster bus port, 10,000 above it, is free too."""
    while True:
        port = free_port()
        with socket.socket() as bus, suppress(OSError):
            bus.bind(("127.0.0.1", port + 10_000))
            return port


@pytest.fixture(autouse=True)
def no_clock_is_followed() -> Iterator[None]:
    """A test that wires a process as commands do leaves its clock to nobody, whichever folder it is in."""
    clock.follow(lambda: None)
    yield
    clock.follow(lambda: None)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("r")
    path = folder / "s"
    process = subprocess.Popen(
        [
            find_server(),
            *("--bind", "127.0.0.1", "--port", str(_port())),
            *("--unixsocket", str(path), "--save", "", "--cluster-enabled", "yes"),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        _make_cluster(path)
        yield f"unix://{path}"
    finally:
        process.terminate()
        process.wait(60)


def _make_cluster(path: Path) -> None:
    """Give the node all slots and wait until the cluster is whole."""
    deadline = time.monotonic() + 60
    with redis.Redis(unix_socket_path=str(path)) as client:
        while True:
            try:
                client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
                break
            except redis.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        while b"cluster_state:ok" not in client.execute_command("CLUSTER", "INFO"):
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def store(redis_url: str) -> Iterator[Store]:
    store = Store.connect(redis_url)
    store.client.flushall()
    yield store
    store.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def worker(redis_url: str, store: Store, receiver: Receiver) -> Iterator[Worker]:
    assert store.client.ping()
    worker = Worker(redis_url, receiver)
    yield worker
    worker.stop()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(programs_or_skip())
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def migrated_database(cluster: Cluster) -> str:
    """The name of a database that has our tables, to make others from."""
    name = cluster.database()
    with closing(Record.connect(cluster.url(name))) as record:
        record.upgrade()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def record_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty record is, on each of both databases; the one of `record`, if that is used."""
    if request.param == "sqlite":
        file = tmp_path / "record.db"
        empty_record.put(file)
        return f"sqlite:///{file}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.database(f"TEMPLATE {request.getfixturevalue('migrated_database')} STRATEGY FILE_COPY"))


@pytest.fixture(params=["sqlite", "postgresql"])
def new_record_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a record may be that nobody has made yet, on each of both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'record.db'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.database())


@pytest.fixture
def record(record_url: str) -> Iterator[Record]:
    """A record with nothing in it but an epoch of its own."""
    record = Record.connect(record_url, wait_seconds=10.0)
    _give_epoch(record)
    yield record
    record.close()


def _give_epoch(record: Record) -> None:
    with record.write() as connection:
        connection.execute(
            update(tables.meta).where(tables.meta.c.name == "epoch").values(value=f"1-{secrets.token_hex(6)}")
        )


@pytest.fixture
def parts(store: Store, record: Record) -> Parts:
    parts = Parts(store, record)
    assert parts.ids.complete(lambda: True)
    return parts


@pytest.fixture(scope="module")
def sqlite_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    file = tmp_path_factory.mktemp("r") / "record.db"
    empty_record.put(file)
    record = Record.connect(f"sqlite:///{file}", synchronous="normal")
    yield record
    record.close()
