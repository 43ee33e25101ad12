"""Open pages of the desk cost workers nothing: they change nothing in Redis, so workers can't know of them."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from newsroom import Newsroom, start
from receiver import Receiver

from worker.management.callers import shell
from worker.management.management import Management
from worker.management.surroundings import Surroundings

MANY = 50
HAPPENINGS = 40
TIMED = 20
"""So many changes more or less are made by the clock, by web servers alone: one a second, and some are slow seconds."""
NAME, PASSWORD = "mira", "a password of twelve or more"


@pytest.fixture
def newsroom(tmp_path: Path, shared_receiver: Receiver) -> Iterator[Newsroom]:
    with start(tmp_path, shared_receiver, 1) as newsroom:
        management = Management(newsroom.store, newsroom.record, Surroundings.of(newsroom.settings))
        management.people.add(shell("test"), NAME, "desk", PASSWORD)
        newsroom.publish("quay", "s2")
        shared_receiver.until(lambda: newsroom.is_settled("s2"), 60, "the push")
        yield newsroom


class Page:
    """The page *Now* of somebody, open. `heard`: how much it was sent."""

    def __init__(self, newsroom: Newsroom, cookie: str) -> None:
        self.heard = 0
        connection = HTTPConnection(urlsplit(newsroom.base_url).netloc, timeout=60)
        connection.request("GET", f"/desk/live?page=now&since={int(time.time() * 1000)}", headers={"Cookie": cookie})
        self._socket: socket.socket = connection.sock
        self._answer = connection.getresponse()
        assert self._answer.status == 200
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        # It is closed by whoever has opened it.
        with suppress(OSError, HTTPException, ValueError):
            while line := self._answer.readline():
                self.heard += line.startswith(b"event: ")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def pages(newsroom: Newsroom, cookie: str, count: int) -> Iterator[list[Page]]:
    opened = [Page(newsroom, cookie) for _ in range(count)]
    try:
        yield opened
    finally:
        for page in opened:
            page.close()


@contextmanager
def workers_stopped(newsroom: Newsroom) -> Iterator[None]:
    """Whatever is asked of Redis now, web servers ask, or we do."""
    workers = [child.process.pid for child in newsroom.stack.children if child.name.startswith("worker")]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


def counted(newsroom: Newsroom) -> tuple[int, int]:
    """How often Redis was changed, and how many commands it has carried out."""
    info = newsroom.store.client.info()
    return info["rdb_changes_since_last_save"], info["total_commands_processed"]


@pytest.mark.long
def test_pages_that_are_open_change_nothing(newsroom: Newsroom, shared_receiver: Receiver) -> None:
    """Redis is changed just as often as with no page open, and asked as often for fifty as for one."""
    session = requests.Session()
    fields = {"name": NAME, "password": PASSWORD, "next": "/desk"}
    session.post(f"{newsroom.base_url}/desk/sign-in", fields, headers={"Origin": newsroom.base_url}, timeout=60)
    cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
    # Nobody saves it, so that changes are counted from one beginning.
    newsroom.store.client.config_set("save", "")
    changes, commands = {}, {}
    with workers_stopped(newsroom):
        for count in (0, 1, MANY):
            with pages(newsroom, cookie, count) as opened:
                # Who has just come is sent all that there is.
                shared_receiver.until(lambda opened=opened: all(page.heard for page in opened), 60, "the pages")
                time.sleep(2)
                changed, carried_out = counted(newsroom)
                for number in range(HAPPENINGS):
                    fields = {"article": "quay", "action": "published", "endpoint": f"e{number}"}
                    newsroom.store.live.append([("delivered", fields)])
                    time.sleep(0.1)
                heard = [page.heard for page in opened]
                changes[count], commands[count] = (
                    after - before for before, after in zip((changed, carried_out), counted(newsroom), strict=True)
                )
                shared_receiver.until(
                    lambda opened=opened, heard=heard: all(
                        page.heard > before for page, before in zip(opened, heard, strict=True)
                    ),
                    60,
                    "what happened",
                )
    assert changes[0] >= 2 * HAPPENINGS
    assert abs(changes[MANY] - changes[0]) <= TIMED, changes
    # Measured: 84 changes with none, one and fifty; 238, 435 and 433 commands.
    assert commands[MANY] <= commands[1] * 1.5, commands
