"""The web server under strangers and under harm: connections that say nothing, processes that are killed."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from newsroom import Newsroom, published

from worker.runtime.web_server import HUNG_SECONDS


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def healthy(newsroom: Newsroom) -> bool:
    try:
        return requests.get(f"{newsroom.base_url}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.mark.long
def test_a_thousand_strangers_who_say_nothing_stop_nobody_and_are_sent_away(own_newsroom: Newsroom) -> None:
    newsroom = own_newsroom
    newsroom.publish("crowd-1", "s9")
    newsroom.until_in_feed("s9", "crowd-1")
    address = ("127.0.0.1", int(newsroom.base_url.rpartition(":")[2]))
    strangers = []
    for number in range(1100):
        strangers.append(socket.create_connection(address, 30))
        if number % 2:
            strangers[-1].sendall(b"GET /feeds/s9.atom HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    try:
        for number in range(5):
            for ask in (
                lambda number=number: newsroom.post(published(f"crowd-{number + 2}", "s9")),
                lambda: requests.get(newsroom.topic("s9"), timeout=60),
                lambda: requests.get(f"{newsroom.base_url}/healthz", timeout=60),
            ):
                begun = time.monotonic()
                assert ask().ok
                assert time.monotonic() - begun < 2
        deadline = time.monotonic() + 60
        for stranger in strangers:
            stranger.settimeout(max(0.01, deadline - time.monotonic()))
            assert stranger.recv(1) == b""
    finally:
        for stranger in strangers:
            stranger.close()
    assert healthy(newsroom)


def children_of(pid: int) -> set[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children if lives(int(child))}


def of_two_processes(newsroom: Newsroom) -> Any:
    """Have the web server run with two processes; return the one that has started them."""
    web = newsroom.stack.children[0]
    assert web.process is not None
    web.process.terminate()
    web.process.wait(60)
    assert web.process.stdin is not None
    web.process.stdin.close()
    web.command = [*web.command, "--processes", "2"]
    newsroom.stack._start(web)
    pid = web.process.pid
    newsroom.receiver.until(lambda: len(children_of(pid)) == 2 and healthy(newsroom), 60, "both processes to serve")
    return web.process


@pytest.fixture(scope="module")
def web(newsroom: Newsroom) -> Any:
    return of_two_processes(newsroom)


def test_several_processes_serve_at_one_port_and_one_that_is_killed_is_started_again(
    newsroom: Newsroom, web: Any
) -> None:
    receiver, pid = newsroom.receiver, web.pid
    newsroom.publish("shared-1", "s7")
    newsroom.until_in_feed("s7", "shared-1")
    first = children_of(pid)
    os.kill(min(first), signal.SIGKILL)
    receiver.until(lambda: len(children_of(pid)) == 2 and children_of(pid) != first, 60, "another in its place")

    def counted() -> bool:
        metrics = requests.get(f"{newsroom.base_url}/metrics", timeout=60).text
        return 'dateline_events_total{result="published"} 1.0' in metrics

    # Workers write their counters now and then.
    receiver.until(lambda: healthy(newsroom) and counted(), 30, "the counters")
    for _ in range(20):  # each by a connection of its own, so by either of them
        receiver.until(lambda: healthy(newsroom), 30, "an answer")
        assert counted()


def test_a_process_that_is_killed_while_it_is_asked_whether_it_lives_is_missed_at_once(
    newsroom: Newsroom, web: Any
) -> None:
    receiver, pid = newsroom.receiver, web.pid
    receiver.until(lambda: healthy(newsroom), 60, "both processes to serve")
    first = children_of(pid)
    os.kill(min(first), signal.SIGSTOP)
    # They are asked twice a second, and this one does not answer: some seconds later it is being waited for.
    time.sleep(3)
    os.kill(min(first), signal.SIGKILL)
    killed = time.monotonic()
    receiver.until(lambda: len(children_of(pid)) == 2 and children_of(pid) != first, 60, "another in its place")
    assert time.monotonic() - killed < HUNG_SECONDS / 2


def test_processes_of_the_web_server_end_with_the_one_that_has_started_them(newsroom: Newsroom, web: Any) -> None:
    receiver = newsroom.receiver
    served = children_of(web.pid)
    os.kill(web.pid, signal.SIGINT)
    web.wait(60)
    assert [child for child in served if lives(child)] == []
    web.stdin.close()
    again = newsroom.stack.children[0]
    newsroom.stack._start(again)
    assert again.process is not None
    pid = again.process.pid
    receiver.until(lambda: len(children_of(pid)) == 2 and healthy(newsroom), 60, "both processes to serve")
    served = children_of(pid)
    os.kill(pid, signal.SIGKILL)
    again.process.wait(60)
    receiver.until(lambda: not any(map(lives, served)), 60, "the processes that served to end")
    assert not healthy(newsroom)
