"""Search engines and hubs of others hear of what has changed and what is gone, in a newsroom that runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from command_line import dateline
from newsroom import Newsroom, start
from receiver import Receiver, Request

from worker.destinations.indexnow import calls_of

TOPICS = ["https://herald.example/feeds/s22.atom", "https://herald.example/feeds/s22.rss?a=b&c=d"]
KEY = "0123456789abcdef-key"


def endpoint(receiver: Receiver, name: str, section: str, more: str = "") -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "indexnow"\nmode = "feed"\nformat = "json"\n'
        f'url = "{receiver.url}/{name}"\n[endpoints.indexnow]\nkey = "{KEY}"\n{more}\n'
    )


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    more = "".join(
        (
            endpoint(shared_receiver, "engine", "s20"),
            endpoint(shared_receiver, "strict", "s21", 'key_location = "https://herald.example/keys/indexnow.txt"'),
        )
    )
    more += (
        '\n[[endpoints]]\nname = "hub"\nfeed = "s22"\nkind = "websub-ping"\nmode = "feed"\nformat = "atom"\n'
        f'url = "{shared_receiver.url}/hub"\nwebsub_ping = {{ topics = {json.dumps(TOPICS)} }}\n'
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def calls(receiver: Receiver, name: str) -> list[Any]:
    return [json.loads(request.body) for request in receiver.at(f"/{name}")]


def named(receiver: Receiver, name: str) -> list[str]:
    """The ends of the addresses that calls have named, in order."""
    return [address.rpartition("/")[2] for call in calls(receiver, name) for address in call["urlList"]]


def test_what_changes_and_what_is_killed_is_named_within_seconds(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    newsroom.publish("a-1", "s20")
    receiver.until(lambda: named(receiver, "engine") == ["a-1"], 60, "the article")
    for number in (2, 3, 4):
        newsroom.publish(f"a-{number}", "s20")
    receiver.until(lambda: set(named(receiver, "engine")) == {"a-1", "a-2", "a-3", "a-4"}, 60, "the others")
    begun = time.monotonic()
    newsroom.kill("a-1")
    receiver.until(lambda: named(receiver, "engine").count("a-1") > 1, 60, "the kill")

    of_kill = [request for request in receiver.at("/engine") if request.at > begun and b"/a-1" in request.body]
    assert of_kill[0].at - begun < 30
    call = calls(receiver, "engine")[0]
    assert call == {"host": "herald.example", "key": KEY, "urlList": ["https://herald.example/a-1"]}
    assert receiver.at("/engine")[0].headers["content-type"] == "application/json; charset=utf-8"


def test_a_key_that_is_not_there_pauses_it(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver

    def forbid(request: Request) -> tuple[int, bytes]:
        return 403, request.body

    receiver.behave["/strict"] = forbid
    newsroom.publish("b-1", "s21")

    receiver.until(lambda: newsroom.store.receivers.counts("s21")["paused"] == 1, 60, "the pause")
    [state] = newsroom.receivers("s21")
    assert state.remembered.reason.endswith("answered 403: the key is not at its place on herald.example")
    assert calls(receiver, "strict")[0]["keyLocation"] == "https://herald.example/keys/indexnow.txt"
    [attempt] = newsroom.attempts("s21", "strict", 1)
    assert KEY not in str(attempt)


def test_a_test_names_the_home_page(newsroom: Newsroom) -> None:
    # What a kill was ahead of comes after it.
    counts = newsroom.store.receivers.counts
    newsroom.receiver.until(lambda: (counts("s20")["settled"], counts("s20")["behind"]) == (1, 0), 60, "the end")
    before = len(calls(newsroom.receiver, "engine"))

    done = dateline("endpoints", "test", "engine", "--config", str(newsroom.config))

    assert (done.returncode, done.stderr) == (0, "")
    assert [call["urlList"] for call in calls(newsroom.receiver, "engine")[before:]] == [["https://127.0.0.1/"]] * 2


def test_each_call_is_of_one_host_and_of_no_more_addresses_than_are_taken() -> None:
    many = [f"https://a.example/{number}" for number in range(10_001)]

    made = list(calls_of(["https://b.example/gone", *many, "https://b.example/1", "https://b.example/gone"]))

    counts = [(host, len(addresses)) for host, addresses in made]
    assert counts == [("b.example", 2), ("a.example", 10_000), ("a.example", 1)]
    assert made[0][1] == ["https://b.example/gone", "https://b.example/1"]


def test_a_hub_of_somebody_else_is_pinged_for_a_change_and_a_kill(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    newsroom.publish("w-1", "s22")
    [ping] = receiver.wait("/hub", seconds=60)
    begun = time.monotonic()
    newsroom.kill("w-1")
    of_kill = receiver.wait("/hub", 2, seconds=60)[1]

    assert of_kill.at - begun < 30
    assert parse_qs(ping.body.decode()) == {"hub.mode": ["publish"], "hub.url": TOPICS}
    assert ping.body == of_kill.body
    assert ping.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_hub_that_is_away_is_pinged_later(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    before = len(receiver.at("/hub"))
    receiver.behave["/hub"] = lambda _: (503, b"")
    newsroom.publish("w-2", "s22")
    receiver.wait("/hub", before + 1, seconds=60)
    receiver.behave.pop("/hub")

    counts = newsroom.store.receivers.counts
    receiver.until(lambda: (counts("s22")["settled"], counts("s22")["behind"]) == (1, 0), 60, "the ping")
