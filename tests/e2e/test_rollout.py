"""Settings are rolled out and back while the newsroom works: real worker processes with different feeds."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import feedparser
import pytest
import requests
from command_line import dateline
from forked import ForkedProcess
from newsroom import Newsroom, start
from receiver import Receiver

from worker.store import keys

WIRE = '\n[[feeds]]\nname = "wire"\ntitle = "Wire"\nselect = [{ section = ["s9"] }]\n'
PARTNER = (
    '\n[[endpoints]]\nname = "wired"\nfeed = "wire"\nmode = "{mode}"\nformat = "{fmt}"\nurl = "{url}/wired"\n{more}\n'
)


@contextmanager
def worker(newsroom: Newsroom, tmp_path: Path, more: str) -> Iterator[ForkedProcess]:
    """A worker process with settings of its own, on the newsroom's Redis."""
    config = tmp_path / f"dateline-{time.monotonic_ns()}.toml"
    config.write_text(newsroom.config.read_text() + more)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATELINE_")}
    environ["DATELINE_REDIS_URL"] = newsroom.stack.redis_url
    process = ForkedProcess(["worker", "--config", str(config)], environ, log=tmp_path / "worker.log")
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)
        process.stdin.close()


def members(newsroom: Newsroom, feed: str) -> set[str]:
    return set(newsroom.store.changes.members(feed))


def bodies(receiver: Receiver) -> list[bytes]:
    return [request.body for request in receiver.at("/wired")]


def ready(newsroom: Newsroom) -> requests.Response:
    return requests.get(f"{newsroom.base_url}/readyz", timeout=60)


@pytest.fixture
def newsroom(tmp_path: Path, receiver: Receiver) -> Iterator[Newsroom]:
    with start(tmp_path, receiver, 1) as newsroom:
        yield newsroom


@pytest.mark.long
def test_no_feed_misses_a_kill_while_settings_are_rolled_out_and_back(
    newsroom: Newsroom, tmp_path: Path, receiver: Receiver
) -> None:
    for number in range(4):
        newsroom.publish(f"a{number}", "s9")
    newsroom.until_in_feed("s9", *(f"a{number}," for number in range(4)))
    more = WIRE + PARTNER.format(mode="article", fmt="json", url=receiver.url, more="")
    with worker(newsroom, tmp_path, more) as newer:
        receiver.until(lambda: len(members(newsroom, "wire")) == 4, 30, "the new feed to be filled")
        # The web server has the old settings, and serves by the new ones.
        newsroom.until_in_feed("wire", *(f"a{number}," for number in range(4)))
        [older] = ready(newsroom).json()["older_definitions"]
        assert older in newsroom.store.workers.alive(int(time.time() * 1000))
        # Whichever worker is woken, the one that knows the feed carries the kill out.
        newsroom.kill("a0")
        newsroom.publish("a4", "s9")
        receiver.until(lambda: members(newsroom, "wire") == {"a1", "a2", "a3", "a4"}, 60, "the kill in the new feed")
        receiver.until(lambda: members(newsroom, "s9") == members(newsroom, "wire"), 60, "the same in the other")
        # The old worker goes on serving its receivers, and the new endpoint is told nothing of the past.
        receiver.wait("/wired", 1, seconds=60)
        time.sleep(1.0)
        assert [("article.published", "a4")] == [
            (event["type"], event["article"]["id"]) for event in map(json.loads, bodies(receiver))
        ]
        # One that stands still is not dead at once: the others wait, and it goes on.
        newer.send_signal(signal.SIGSTOP)
        newsroom.kill("a1")
        time.sleep(2.0)
        assert "a1" in members(newsroom, "s9")
        newer.send_signal(signal.SIGCONT)
        receiver.until(lambda: members(newsroom, "wire") == {"a2", "a3", "a4"}, 60, "the kill when it goes on")
        # It dies: the old settings take over.
        newer.kill()
        newsroom.kill("a2")
        receiver.until(lambda: members(newsroom, "s9") == {"a3", "a4"}, 40, "the old settings to take over")
        assert members(newsroom, "wire") == {"a2", "a3", "a4"}
    # And who has the feed again repairs it.
    with worker(newsroom, tmp_path, more) as newer:
        receiver.until(lambda: members(newsroom, "wire") == {"a3", "a4"}, 30, "the feed to be filled anew")
        newer.terminate()
        newer.wait(60)
        # It is not waited for until it counts as dead.
        assert len(newsroom.store.workers.alive(int(time.time() * 1000))) == 1
        newsroom.kill("a3")
        receiver.until(lambda: members(newsroom, "s9") == {"a4"}, 60, "the old settings to take over at once")
        receiver.until(
            # A worker that was lost a moment ago knows it, and may come back.
            lambda: requests.get(newsroom.topic("wire"), timeout=60).status_code == 503,
            60,
            "the feed not to be served",
        )


def test_a_new_endpoint_gets_its_backfill_of_a_new_feed_as_a_feed(
    newsroom: Newsroom, tmp_path: Path, receiver: Receiver
) -> None:
    for number in range(4):
        newsroom.publish(f"a{number}", "s9", published=f"2026-03-0{number + 1}T00:00:00Z")
    newsroom.until_in_feed("s9", *(f"a{number}," for number in range(4)))
    more = WIRE + PARTNER.format(mode="feed", fmt="atom", url=receiver.url, more='backfill = "2 articles"')
    with worker(newsroom, tmp_path, more):
        [push] = receiver.wait("/wired", 1, seconds=30)
        assert ["a3, version 1", "a2, version 1"] == [entry.title for entry in feedparser.parse(push.body).entries]
        newsroom.publish("a4", "s9")
        [_, push] = receiver.wait("/wired", 2, seconds=30)
        assert ["a4, version 1"] == [entry.title for entry in feedparser.parse(push.body).entries]


def test_a_new_feed_delays_neither_the_start_nor_events(tmp_path: Path, receiver: Receiver) -> None:
    with start(tmp_path, receiver, 1) as newsroom:
        for number in range(3):
            newsroom.publish(f"a{number}", "s9")
        newsroom.until_in_feed("s9", *(f"a{number}," for number in range(3)))
        receiver.until(lambda: not newsroom.store.definitions.progress().feeds, 60, "its feeds to be filled")
        # As if another worker had been at it for long.
        newsroom.store.client.set(keys.INDEXING, "another", px=600_000)
    more = WIRE + PARTNER.format(mode="article", fmt="json", url=receiver.url, more="")
    with start(tmp_path, receiver, 1, more) as newsroom:
        assert newsroom.store.definitions.progress().feeds.keys() == {"wire"}
        newsroom.kill("a0")
        newsroom.publish("a3", "s9")
        receiver.until(lambda: members(newsroom, "s9") == {"a1", "a2", "a3"}, 60, "the events")
        receiver.until(lambda: members(newsroom, "wire") == {"a3"}, 60, "the article in the new feed")
        receiver.wait("/wired", 1)
        assert "Being filled" in dateline("feeds", "--config", str(newsroom.config)).stdout
        newsroom.store.client.delete(keys.INDEXING)
        newsroom.until_in_feed("wire", "a1,", "a2,", "a3,")
        receiver.until(lambda: newsroom.store.definitions.progress().feeds == {}, 60, "the feed to be filled")
        # What was there before goes to its receivers when a person orders that.
        order = ("feeds", "--push", "wire", "--config", str(newsroom.config))
        said = dateline(*order, "--dry-run").stdout
        assert "2 articles that it took in by a new definition, and that its receivers have not got" in said
        assert "Receivers: wired" in said
        assert 1 == len(bodies(receiver))
        assert "2 pushed" in dateline(*order).stdout
        receiver.wait("/wired", 3, seconds=20)
        assert {"a1", "a2", "a3"} == {json.loads(body)["article"]["id"] for body in bodies(receiver)}


def test_a_feed_whose_definition_is_of_a_later_release_is_not_served_by_an_old_one(newsroom: Newsroom) -> None:
    newsroom.publish("a1", "s1")
    newsroom.until_in_feed("s1", "a1,")
    current = newsroom.store.definitions.current()
    assert current is not None
    charge = newsroom.store.client.get(keys.CHARGE)
    later = [
        json.dumps(json.loads(text) | {"since": "1d"}) if json.loads(text)["name"] == "s1" else text
        for text in current.definitions
    ]
    newsroom.store.definitions.announce(charge, later)

    def status(feed: str) -> int:
        return requests.get(newsroom.topic(feed), timeout=60).status_code

    newsroom.receiver.until(lambda: status("s1") == 503, 60, "the web server to hear of it")
    assert status("s2") == 200
    newsroom.store.definitions.announce(charge, current.definitions)
    newsroom.receiver.until(lambda: status("s1") == 200, 60, "the definition to be one that it knows")
