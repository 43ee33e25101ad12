"""Alarms of a whole newsroom with three workers: raised once and sent once, whoever of them is killed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from newsroom import Newsroom, start
from receiver import Receiver

from worker.store import keys

SETTINGS = """
[alarms]
endpoint_failing = "1s"
worker_lost = "1s"
settle = "1s"
window = "1s"
"""
ENDPOINT = """
[[feeds]]
name = "harbour"
title = "Harbour"
select = [{{ section = ["harbour"] }}]
[[endpoints]]
name = "radio"
feed = "harbour"
format = "json"
url = "{url}/radio"
"""
SECONDS = 90


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    more = SETTINGS + ENDPOINT.format(url=shared_receiver.url)
    with start(tmp_path_factory.mktemp("a"), shared_receiver, 3, more) as newsroom:
        yield newsroom


def alarms(receiver: Receiver, rule: str) -> list[dict[str, Any]]:
    """What the operations webhook was sent of a rule, each message once by its id."""
    messages = {}
    for request in receiver.at("/operations"):
        body = json.loads(request.body)
        for event in body if isinstance(body, list) else [body]:
            if event["type"] == "alarm" and event["data"]["rule"] == rule:
                messages[event["id"]] = event["data"]
    return list(messages.values())


def subjects(messages: list[dict[str, Any]], what: str) -> list[str]:
    return [alarm["subject"] for message in messages for alarm in message[what]]


@pytest.mark.long
def test_an_alarm_is_raised_once_and_over_once_while_workers_are_killed(
    newsroom: Newsroom, shared_receiver: Receiver
) -> None:
    shared_receiver.behave["/radio"] = lambda _: (503, b"down", {})
    newsroom.publish("quay-1", "harbour")
    workers = newsroom.stack.children[1:]
    assert workers[0].process is not None
    # One dies before anybody was alarmed, another when somebody was.
    os.kill(workers[0].process.pid, signal.SIGKILL)
    shared_receiver.until(
        lambda: "radio" in subjects(alarms(shared_receiver, "endpoint_failing"), "raised"), SECONDS, "the alarm"
    )
    assert workers[1].process is not None
    os.kill(workers[1].process.pid, signal.SIGKILL)
    shared_receiver.behave.pop("/radio")
    shared_receiver.until(
        lambda: "radio" in subjects(alarms(shared_receiver, "endpoint_failing"), "over"), SECONDS, "the recovery"
    )
    messages = alarms(shared_receiver, "endpoint_failing")
    assert (subjects(messages, "raised"), subjects(messages, "over")) == (["radio"], ["radio"])
    assert "endpoint_failing" not in {alarm.rule for alarm in newsroom.store.alarms.standing()}


def test_a_worker_that_is_ended_in_order_is_not_missed(newsroom: Newsroom, shared_receiver: Receiver) -> None:
    worker = newsroom.stack.children[3]
    assert worker.process is not None
    name = f"-{worker.process.pid}-"

    def reports() -> bool:
        return any(name in each for each in newsroom.store.client.zrange(keys.WORKERS, 0, -1))

    shared_receiver.until(reports, SECONDS, "its report")
    os.kill(worker.process.pid, signal.SIGTERM)
    # It is no longer among those of whom a report is expected, so nobody is alarmed.
    shared_receiver.until(lambda: not reports(), SECONDS, "its leave")
