"""Messages come off a Redis broker one by one, each kept at every moment, whatever becomes of the worker."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery
from kombu import Connection, Consumer, Queue
from waiting import PATIENCE_SECONDS, until

from worker.runtime import broker_inbox, redis_broker
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.runtime.unusable_messages import RejectedMessages
from worker.wakeups import Wakeups

redis_broker.use()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that is no cluster: kombu's lists lie in several slots."""
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("broker"))
    yield embedded.start()
    embedded.stop()


@pytest.fixture
def client(server: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(server, decode_responses=True)
    client.flushall()
    yield client
    client.close()


def connection(server: str, **options: Any) -> Connection:
    url = server.replace("unix://", "redis+socket://")
    return Connection(url, transport_options={**broker_inbox.OPTIONS, **options})


def send(server: str, *bodies: str, queue: str = "intake") -> None:
    """Send as a CMS does, which has kombu's own transport."""
    with connection(server) as sender:
        for body in bodies:
            sender.SimpleQueue(queue).put(body)


def received(listener: Connection, count: int, *, ack: bool = True) -> list[str]:
    """The next messages of both queues."""
    bodies: list[str] = []

    def take(body: str, message: Any) -> None:
        bodies.append(body)
        if ack:
            message.ack()

    with Consumer(
        listener.default_channel, [Queue("intake"), Queue("celery")], callbacks=[take], accept=["text/plain"]
    ):
        _drain(listener, bodies, count)
    return bodies


def _drain(listener: Connection, taken: list[Any], count: int) -> None:
    """Have messages taken until there are so many."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(taken) < count:
        assert time.monotonic() < deadline
        with contextlib.suppress(TimeoutError):
            listener.drain_events(timeout=1)


def test_a_message_is_noted_as_it_is_taken(server: str, client: Any) -> None:
    send(server, "one")
    with connection(server) as listener:
        channel = listener.default_channel
        channel.basic_consume("intake", no_ack=False, callback=print, consumer_tag="t")
        channel.connection.cycle.on_poll_start()
        # Redis has answered, and nobody has read it: a worker that is killed here leaves the message behind.
        until(lambda: not client.llen("intake"))
        assert client.hlen(broker_inbox.OPTIONS["unacked_key"]) == 1
        channel._in_poll = None


def test_a_wake_up_call_is_noted_nowhere_and_taken_once_and_an_event_is(server: str, client: Any) -> None:
    app = Celery("calls", broker=server.replace("unix://", "redis+socket://"))
    app.conf.task_queues = [Queue("intake")]
    wakeups = Wakeups(app)
    wakeups.consume(urgent=False)
    assert wakeups.flush(60)
    # What calls for the same goes with it: here one more.
    wakeups.consume(urgent=False)
    assert wakeups.flush(60)
    app.send_task("dateline.accept", [{"id": "e"}], queue="intake")
    taken: list[Any] = []
    with connection(server) as listener:
        with Consumer(
            listener.default_channel, [Queue("intake")], callbacks=[lambda _, message: taken.append(message)]
        ):
            _drain(listener, taken, 2)
        assert ["dateline.consume", "dateline.accept"] == [message.headers["task"] for message in taken]
        noted = client.hkeys(broker_inbox.OPTIONS["unacked_key"])
        assert noted == [taken[1].delivery_tag]
        for message in taken:
            message.ack()
        assert client.hlen(broker_inbox.OPTIONS["unacked_key"]) == 0
        assert not listener.default_channel.qos.unnoted
        assert not listener.default_channel.qos._delivered.keys() - listener.default_channel.qos._dirty


def test_what_a_killed_worker_had_is_given_to_others_in_its_queue(server: str, client: Any) -> None:
    send(server, "one", "two")
    killed = connection(server)
    assert ["one", "two"] == received(killed, 2, ack=False)
    killed.default_channel.qos._delivered.clear()
    # Its exchange is not known any more, either.
    client.delete("_kombu.binding.intake", "_kombu.binding.celery")
    with connection(server, visibility_timeout=0) as other:
        other.default_channel.qos.restore_visible(interval=1)  # a worker does so every other second
        assert ["one", "two"] == sorted(received(other, 2))
        assert client.hlen(broker_inbox.OPTIONS["unacked_key"]) == client.llen("intake") == 0
    killed.release()


def test_messages_that_we_send_are_taken_at_once_and_others_soon(
    server: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection(server) as listener:
        # Without the bell it would look again when this test has failed.
        for hush, rest in ((False, 2 * PATIENCE_SECONDS), (True, broker_inbox._REST_SECONDS)):
            monkeypatch.setattr(broker_inbox, "_REST_SECONDS", rest)
            send(server, "warm")
            received(listener, 1)
            listener.default_channel._empty = True
            send(server, "one")
            if hush:
                client.delete("dateline.bell")
            assert ["one"] == received(listener, 1)


def test_what_is_no_message_is_set_aside_and_the_next_is_taken(
    server: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[str] = []
    monkeypatch.setattr(RejectedMessages, "keep", lambda message, reason: aside.append(f"{message[:9]}: {reason}"))
    coded = json.dumps({"body": "x", "properties": {"delivery_tag": "t", "delivery_info": {}, "body_encoding": "rot"}})
    for message in ("no json", "{}", "[" * 5000, coded):
        client.lpush("intake", message)
    send(server, "good")
    with connection(server) as listener:
        assert ["good"] == received(listener, 1)
        assert client.hlen(broker_inbox.OPTIONS["unacked_key"]) == 0
    assert ["no json: is no", "{}: is no", "[[[[[[[[[: is no"] == [
        text[: text.index("is no") + 5] for text in aside[:3]
    ]
    assert "can't be taken" in aside[3]


def test_a_broker_that_is_full_keeps_its_messages(server: str, client: Any) -> None:
    bodies: list[str] = []
    with connection(server) as listener:
        consumer = Consumer(listener.default_channel, [Queue("intake")], accept=["text/plain"])
        consumer.register_callback(lambda body, message: (bodies.append(body), message.ack()))
        with consumer:
            send(server, "one")
            client.config_set("maxmemory", "100kb")
            try:
                deadline = time.monotonic() + 1
                while time.monotonic() < deadline:
                    with contextlib.suppress(TimeoutError):
                        listener.drain_events(timeout=0.2)
                assert ([], 1) == (bodies, client.llen("intake"))
            finally:
                client.config_set("maxmemory", 0)
            _drain(listener, bodies, 1)
    assert ["one"] == bodies


def test_who_asks_a_connection_that_is_closed_has_lost_it(server: str, client: redis.Redis) -> None:
    # Celery waits for the broker after that; any other error ends the worker.
    assert client.ping()
    listener = connection(server)
    with Consumer(listener.default_channel, [Queue("intake")], accept=["text/plain"]) as consumer:
        channel = consumer.channel
    listener.close()
    with pytest.raises(listener.connection_errors):
        channel.queue_purge("intake")
    with pytest.raises(listener.connection_errors):
        channel.qos.ack("any")


def test_what_was_taken_comes_again_when_its_connection_is_closed(server: str, client: redis.Redis) -> None:
    assert client.ping()
    send(server, "late")
    with connection(server) as listener:
        assert received(listener, 1, ack=False) == ["late"]
    assert received(connection(server), 1) == ["late"]
