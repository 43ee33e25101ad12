"""Random sequences of events and faults: what every receiver holds at the end, and what it must never see."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from newsroom import Newsroom, published, start
from receiver import Answer, Receiver, Request

ENDPOINTS = """
[[endpoints]]
name = "one"
feed = "s22"
format = "json"
url = "{url}/one"
[[endpoints]]
name = "many"
feed = "s22"
format = "json"
url = "{url}/many"
concurrency = 8
"""
ARTICLES, EVENTS = 12, 80


@dataclass
class Modelled:
    """What an article is by the events that were sent."""

    version: int = 0
    state: str = "none"


@pytest.mark.long
def test_every_receiver_ends_with_what_the_model_says(tmp_path: Path, receiver: Receiver) -> None:
    for seed in range(2):
        chance = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        receiver.requests.clear()
        with start(folder, receiver, 2, ENDPOINTS.format(url=receiver.url)) as newsroom:
            newsroom.subscribe("s22", "/reader", "json")
            model = play(newsroom, chance)
            receiver.behave.clear()
            # A change brings those in backoff forward; the last word is told to all.
            newsroom.publish("last", "s22")
            receiver.until(lambda newsroom=newsroom: newsroom.is_settled("s22", 3), 60, "all to be settled")  # type: ignore[misc]
            for path in ("/one", "/many"):
                check(history(receiver, path), model)
            assert shown(receiver) == {name: known.version for name, known in model.items() if known.state == "usable"}


def play(newsroom: Newsroom, chance: random.Random) -> dict[str, Modelled]:
    """Send events while the receivers answer as chance has it; return what the articles are then."""

    def moody(_: Request) -> Answer:
        return chance.choice([(204, b""), (204, b""), (503, b"busy"), (429, b"slower"), (500, b"oh")])

    for path in ("/one", "/many", "/reader"):
        newsroom.receiver.behave[path] = moody
    model: dict[str, Modelled] = {}
    for number in range(EVENTS):
        name = f"any-{chance.randrange(ARTICLES)}"
        known = model.setdefault(name, Modelled())
        event = happen(name, known, chance)
        newsroom.send(event)
        if number % 10 == 9:
            newsroom.receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "the events to be done with")
    return model


def happen(name: str, known: Modelled, chance: random.Random) -> dict[str, Any]:
    """Choose an event, and change the model accordingly."""
    kind = chance.choice(["publish"] * 6 + ["withhold", "kill", "reinstate", "stale"])
    if kind == "kill":
        known.version = known.version if known.state == "killed" else known.version + 1
        known.state = "killed"
        return {"type": "article.killed", "article": {"id": name}}
    if kind == "stale" and known.version > 1:
        return published(name, "s22", known.version - 1)
    event = published(name, "s22", known.version + 1)
    if kind == "reinstate":
        event["type"] = "article.reinstated"
    if known.state == "killed" and kind != "reinstate":
        return event
    known.version += 1
    known.state = "usable"
    if kind == "withhold":
        known.state = "withheld"
        event["article"]["pubstatus"] = "withheld"
    return event | {"id": f"evt-{uuid4()}"}


def history(receiver: Receiver, path: str) -> dict[str, list[tuple[str, int]]]:
    """What an endpoint was sent of each article, whether it took it or not: (kind, version), in order."""
    sent: dict[str, list[tuple[str, int]]] = {}
    for push in receiver.at(path):
        event = json.loads(push.body)
        article = event["article"]
        sent.setdefault(article["id"], []).append((event["type"].removeprefix("article."), article["version"]))
    return sent


def check(sent: dict[str, list[tuple[str, int]]], model: dict[str, Modelled]) -> None:
    """Hold what was sent against what may be."""
    for name, known in model.items():
        told = sent.get(name, [])
        versions = [version for _, version in told]
        assert versions == sorted(versions), f"{name} went backwards: {told}"
        for (kind, version), (later, later_version) in pairwise(told):
            if kind == "killed" and later in {"published", "corrected"}:
                assert later_version > version, f"{name}: text of an older version after a kill: {told}"
        last = {"usable": {"published", "corrected"}, "killed": {"killed"}, "withheld": {"withdrawn"}}
        if told:
            assert told[-1][0] in last[known.state], f"{name} is {known.state}: {told}"
            if known.state == "usable":
                assert told[-1][1] == known.version, f"{name} is in version {known.version}: {told}"
        else:
            assert known.state != "usable", f"{name} was never sent"


def shown(receiver: Receiver) -> dict[str, int]:
    """What a subscriber that follows its pushes shows: article -> version."""
    held: dict[str, int] = {}
    for push in receiver.at("/reader"):
        held = {}  # of a topic in JSON every push is the whole
        for item in json.loads(push.body)["items"]:
            name = item["id"].rpartition("/")[2]
            if item.get("_dateline", {}).keys() & {"canceled", "withdrawn"}:
                continue
            if name != "last":
                held[name] = int(item["title"].rpartition("version ")[2])
    return held
