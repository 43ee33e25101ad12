"""Events over HTTP while Redis, the record or both can't take them."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest
import requests
from command_line import dateline
from newsroom import Newsroom, published
from waiting import until

from worker.record.events import EventReceipt, receipts


def receipt(newsroom: Newsroom, event_id: str) -> EventReceipt | None:
    """What the record says of an event."""
    with newsroom.record.read() as connection:
        return next(iter(receipts(connection, event_id)), None)


def until_result(newsroom: Newsroom, event_id: str, result: str) -> None:
    until(lambda: (noted := receipt(newsroom, event_id)) is not None and noted.result == result, result)


def accepted(newsroom: Newsroom, event: dict[str, Any]) -> requests.Response:
    """Post an event until it is accepted: on a machine that does much else the record may be slow for a moment too."""
    answers: list[requests.Response] = []

    def posted() -> bool:
        answers.append(newsroom.post(event))
        return answers[-1].status_code == 202

    until(posted, lambda: answers[-1].text)
    return answers[-1]


@pytest.mark.long
def test_one_of_the_two_is_enough(own_newsroom: Newsroom) -> None:
    newsroom, receiver = own_newsroom, own_newsroom.receiver
    first = newsroom.publish("calm", "s0")
    until_result(newsroom, first["id"], "published")
    receiver.until(lambda: receiver.at("/p0"), 30, "its push")

    redis = newsroom.stack._redis
    assert redis is not None
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        answers = [accepted(newsroom, published(name, "s0") | {"id": f"evt-{name}"}) for name in ("storm-1", "storm-2")]
        killed = accepted(newsroom, {"id": "evt-kill", "type": "article.killed", "article": {"id": "calm"}})
        assert [(202, "record")] * 3 == [
            (answer.status_code, answer.json().get("kept")) for answer in [*answers, killed]
        ]
        assert "the record takes events" in requests.get(f"{newsroom.base_url}/readyz", timeout=60).json()["detail"]
        waits = dateline("receipt", "evt-kill", "--config", str(newsroom.config))
        assert (waits.returncode, "not yet" in waits.stdout) == (0, True)
    finally:
        os.kill(redis.pid, signal.SIGCONT)

    def bodies() -> bytes:
        return b"".join(request.body for request in receiver.at("/p0"))

    receiver.until(
        lambda: all(name in bodies() for name in (b"storm-1", b"storm-2", b"article.killed")), 30, "all three"
    )
    for event_id, result in (("evt-storm-1", "published"), ("evt-storm-2", "published"), ("evt-kill", "killed")):
        until_result(newsroom, event_id, result)

    assert newsroom.record.file is not None
    with closing(sqlite3.connect(newsroom.record.file, isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        assert newsroom.post(published("locked", "s0") | {"id": "evt-locked"}).json()["kept"] == "redis"
        waited = time.monotonic() - begun
        assert newsroom.post(published("locked-2", "s0") | {"id": "evt-locked-2"}).json()["kept"] == "redis"
        assert time.monotonic() - begun - waited < waited
        receiver.until(lambda: b"locked-2" in bodies(), 30, "what Redis alone had")
        ready = requests.get(f"{newsroom.base_url}/readyz", timeout=60)
        assert (ready.status_code, "record" in ready.json()) == (200, True)
        blocker.execute("ROLLBACK")
    until_result(newsroom, "evt-locked", "published")
    deadline = time.monotonic() + 60
    while "kept" in (again := newsroom.post(published("locked", "s0") | {"id": "evt-locked"}).json()):
        # The web process asks the record every second.
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert again == {"id": "evt-locked", "status": "duplicate"}
