"""A broker of its own that stalls: nobody waits for it, and the news goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from newsroom import Newsroom, published, start
from ports import free_port
from receiver import Receiver

from worker.runtime.embedded_redis import find_server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [find_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(60)


def seconds(newsroom: Newsroom, value: object) -> float:
    """How long a POST of the event takes."""
    begun = time.monotonic()
    assert newsroom.post(value).status_code == 202
    return time.monotonic() - begun


def test_while_the_broker_stalls_events_are_accepted_at_once_and_carried_out(
    tmp_path: Path, receiver: Receiver, broker: tuple[str, subprocess.Popen[bytes]]
) -> None:
    url, process = broker
    with start(tmp_path, receiver, 2, variables={"DATELINE_BROKER_URL": url}) as newsroom:
        newsroom.publish("before", "s0")
        receiver.wait("/p0")
        process.send_signal(signal.SIGSTOP)
        assert max(seconds(newsroom, published(f"stalled-{number}", "s0")) for number in range(5)) < 8
        receiver.until(lambda: len(receiver.at("/p0")) == 6, 20, "the articles at the partner")
        kill = {"id": "kill-1", "type": "article.killed", "article": {"id": "before"}}
        assert seconds(newsroom, kill) < 8
        receiver.until(lambda: any(b"article.killed" in one.body for one in receiver.at("/p0")), 20, "the kill")
        form = {"mode": "subscribe", "topic": newsroom.topic("s0"), "callback": f"{receiver.url}/late"}
        begun = time.monotonic()
        assert newsroom.ask_hub(**form).status_code == 202
        assert time.monotonic() - begun < 8
        receiver.wait("/late", method="GET")

        def told() -> str:
            ready = requests.get(f"{newsroom.base_url}/readyz", timeout=60)
            assert ready.status_code == 200
            return str(ready.json().get("broker"))

        receiver.until(lambda: "events are kept" in told(), 20, "/readyz to say that the broker stalls")
        process.send_signal(signal.SIGCONT)


@pytest.mark.long
def test_while_redis_stalls_readyz_says_so_within_two_seconds_however_many_wait(own_newsroom: Newsroom) -> None:
    newsroom = own_newsroom
    pid = int(newsroom.store.client.info("server")["process_id"])
    waiting = []
    os.kill(pid, signal.SIGSTOP)
    try:
        # More than there are threads for requests.
        address = ("127.0.0.1", int(newsroom.base_url.rpartition(":")[2]))
        for _ in range(60):
            waiting.append(socket.create_connection(address, 10))
            waiting[-1].sendall(b"GET /feeds/s3.atom HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        for _ in range(12):
            begun = time.monotonic()
            answer = requests.get(f"{newsroom.base_url}/readyz", timeout=60)
            assert time.monotonic() - begun < 8  # 2, and a machine that is busy
            assert answer.status_code == 503
            assert "Redis does not answer" in answer.json()["detail"]
        assert requests.get(f"{newsroom.base_url}/healthz", timeout=60).status_code == 200
    finally:
        os.kill(pid, signal.SIGCONT)
        for connection in waiting:
            connection.close()
    newsroom.receiver.until(lambda: requests.get(f"{newsroom.base_url}/readyz", timeout=60).ok, 40, "it to be back")
