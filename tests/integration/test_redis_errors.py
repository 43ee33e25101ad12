"""A Redis that is full, or is no primary any more: told as such, waited for, and nobody's fault."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty

import pytest
import redis
import structlog
from celery import Celery
from ports import free_port
from redis._parsers import hiredis as hiredis_parser
from redis._parsers.base import BaseParser

from worker.record import Record
from worker.retention.agreement import Agreement
from worker.runtime import redis_broker
from worker.runtime.embedded_redis import find_server
from worker.store import Store, keys, redis_errors
from worker.store.announcements import Announcements
from worker.store.events import IncomingEvent


@contextmanager
def server(folder: Path, *more: str) -> Iterator[int]:
    """A Redis of its own on a port, as small as can be."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    process = subprocess.Popen(
        [find_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *more],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            until(lambda: bool(client.ping()))
        yield port
    finally:
        process.terminate()
        process.wait(60)


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with suppress(redis.ConnectionError):
            if true():
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Address:
    """One address that leads to whichever server is the primary; connections that were made stay where they are."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    here.close()
                    continue
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError), one, other:
        while data := one.recv(65_536):
            other.sendall(data)


@pytest.fixture
def failover(tmp_path: Path) -> Iterator[tuple[Address, Callable[[], None]]]:
    """An address, and how what is behind it fails over to another server."""
    with server(tmp_path / "a") as first, server(tmp_path / "b", "--replicaof", "127.0.0.1", str(first)) as second:
        old, new = redis.Redis(port=first), redis.Redis(port=second)
        until(lambda: new.info("replication")["master_link_status"] == "up")
        address = Address(first)

        def fail_over() -> None:
            until(lambda: offset(old) == offset(new))
            address.target = second
            new.replicaof("NO", "ONE")
            old.replicaof("127.0.0.1", str(second))

        def offset(client: redis.Redis) -> int:
            return int(client.info("replication")["master_repl_offset"])

        yield address, fail_over
        address.close()
        old.close()
        new.close()


def test_the_store_goes_on_after_a_failover_on_connections_that_were_kept(
    failover: tuple[Address, Callable[[], None]],
) -> None:
    address, fail_over = failover
    store = Store.connect(f"redis://127.0.0.1:{address.port}")
    store.events.create_group()
    # Two connections, both kept.
    other = store.client.connection_pool.get_connection()
    store.events.accept([IncomingEvent("1", "one")])
    store.client.connection_pool.release(other)
    fail_over()
    for number in range(2, 6):
        assert ["new"] == [answer.status for answer in store.events.accept([IncomingEvent(str(number), "more")])]
    store.client.set("plain", "1")
    assert 5 == store.events.waiting()
    store.close()


def test_a_failover_is_seen_on_connections_that_only_read(
    failover: tuple[Address, Callable[[], None]], record: Record
) -> None:
    address, fail_over = failover
    url = f"redis://127.0.0.1:{address.port}"
    store = Store.connect(url)
    agreement = Agreement(store, Store.connect(url), record)
    agreement.look()
    before = store.client.info("server")["run_id"]
    # Nobody writes on this one, so nobody would be told that it leads to a replica.
    kept = store.client.connection_pool.get_connection()
    store.client.connection_pool.release(kept)
    fail_over()
    until(lambda: agreement.look() > 0 and store.client.info("server")["run_id"] != before)
    for _ in range(5):
        agreement.look()
        store.client.set("plain", "1")
        assert store.client.info("replication")["role"] == "master"
    store.close()
    agreement.close()


def test_a_look_at_a_demoted_primary_takes_no_connection_from_who_listens_on_it(
    failover: tuple[Address, Callable[[], None]],
) -> None:
    address, fail_over = failover
    store = Store.connect(f"redis://127.0.0.1:{address.port}")
    announcements = store.management.listen()
    # On another connection, which is kept and leads to what is a replica in a moment.
    before = store.client.info("server")["run_id"]
    with ThreadPoolExecutor(1) as other:
        heard = other.submit(announcements.wait, 60)
        fail_over()
        until(lambda: store.agreement.read().run_id != before)
        # The replica hears of it too.
        store.client.publish(keys.MANAGED, "x")
        heard.result(60)
    announcements.close()
    store.close()


def test_messages_are_sent_and_received_after_a_failover(
    failover: tuple[Address, Callable[[], None]],
) -> None:
    address, fail_over = failover
    redis_broker.use()
    app = Celery("failover", broker=f"redis://127.0.0.1:{address.port}")
    sending, receiving = app.connection_for_write(), app.connection_for_read()
    sending.SimpleQueue("news").put({"n": 1})
    receiving.SimpleQueue("news").get(timeout=60).ack()
    fail_over()
    lost = sending.recoverable_connection_errors
    # The first to be told that there is no primary any more is told so as of a lost connection, and makes a new one.
    with suppress(*lost):
        sending.SimpleQueue("news").put({"n": 2})
    sending.ensure_connection(max_retries=3, interval_start=0)
    sending.SimpleQueue("news").put({"n": 3})
    received = []

    def receive() -> bool:
        nonlocal receiving
        try:
            message = receiving.SimpleQueue("news").get(timeout=1)
        except Empty:
            return False
        except lost:
            receiving.close()
            receiving = app.connection_for_read()
            return False
        message.ack()
        received.append(message.payload["n"])
        return bool(received[-1] == 3)

    until(receive)
    sending.close()
    receiving.close()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("READONLY You can't write against a read only replica.", "away"),
        ("LOADING Redis is loading the dataset in memory", "away"),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "away"),
        ("NOREPLICAS Not enough good replicas to write.", "away"),
        ("CLUSTERDOWN The cluster is down", "away"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "full"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "full"),
        ("NOAUTH Authentication required.", "refused"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "refused"),
        ("NOPERM this user has no permissions to run the 'evalsha' command", "refused"),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", "bug"),
        ("ERR Error running script (call to f_1): @user_script:9: attempt to compare nil with number", "bug"),
        ("ERR Error running script (call to f_1): @user_script:7: @user_script: 7: -OOM command not allowed", "full"),
        ("ERR Error running script (call to f_1): @user_script:7: @user_script: 7: -READONLY You can't write", "away"),
        ("Command # 1 (HSET k READONLY) of pipeline caused error: MISCONF Errors writing to the AOF file", "full"),
        ("Command # 1 (HSET k OOM) of pipeline caused error: WRONGTYPE Operation against a key", "bug"),
        ("OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:7.", "full"),
    ],
)
def test_errors_are_told_apart(said: str, kind: str) -> None:
    error = BaseParser.parse_error(said)
    assert kind == redis_errors.kind(error)
    assert "\n" not in redis_errors.sentence(error)


def test_a_feed_that_is_being_rebuilt_is_no_redis_that_does_not_answer() -> None:
    error = BaseParser.parse_error("TRYAGAIN the feed is being rebuilt from the record")
    assert redis_errors.of_rebuild(error)
    assert "does not answer" not in redis_errors.sentence(error)
    assert not redis_errors.of_rebuild(
        BaseParser.parse_error("TRYAGAIN Multiple keys request during rehashing of slot")
    )


def test_lost_connections_and_slow_answers_are_away() -> None:
    assert {"away"} == {redis_errors.kind(error) for error in (redis.ConnectionError("x"), redis.TimeoutError("x"))}
    assert "bug" == redis_errors.kind(redis.DataError("x"))


def test_a_server_that_is_no_redis_is_one_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as server:

        def answer() -> None:
            there, _ = listening.accept()
            with there:
                there.recv(1000)
                there.sendall(b"<html>busy</html>\r\n")

        server.submit(answer)
        store = Store.connect(f"redis://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(redis.RedisError) as raised:
            store.client.ping()
        assert redis_errors.kind(raised.value) == "away"
        assert "is redis_url right?" in redis_errors.sentence(raised.value)
        store.close()


def test_an_outage_is_told_when_it_begins_changes_and_ends() -> None:
    away, full = redis.ConnectionError("gone"), redis.exceptions.OutOfMemoryError("no", status_code="OOM")
    with structlog.testing.capture_logs() as logged:
        outage = redis_errors.Outage(structlog.get_logger(), what="a part")
        outage.over()
        for error in (
            away,
            away,
            full,
            full,
            redis.ResponseError("WRONGTYPE x"),
            redis.ResponseError("WRONGTYPE y"),
            full,
        ):
            outage.met(error, "later")
        outage.over()
        outage.over()
        outage.met(away, "later")
    told = ["redis_away", "redis_full", "store_failed", "store_failed", "redis_back", "redis_away"]
    assert told == [line["event"] for line in logged]
    assert {"a part"} == {line["what"] for line in logged}


def test_a_connection_that_another_thread_ends_while_it_is_listened_to_is_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    announcements = Announcements(store.client, "news")
    connection = announcements._pubsub.connection
    assert connection is not None
    ended: list[bool] = []

    def can_read(*_: object) -> bool:
        # What the other thread does wakes whoever waits for the socket.
        monkeypatch.undo()
        connection.disconnect()
        ended.append(True)
        return True

    monkeypatch.setattr(hiredis_parser, "_socket_can_read", can_read)
    with suppress(redis.ConnectionError):
        announcements.wait(0.1)
    assert ended
    announcements.close()
