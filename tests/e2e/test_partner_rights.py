"""What partners get by their contracts, over real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import feedparser
import pytest
from newsroom import Newsroom, start
from receiver import Receiver
from test_takedown import kinds

ENDPOINTS = """
[[endpoints]]
name = "short"
feed = "s20"
format = "json"
url = "{url}/short"
rights = {{ text = "summary", credits = ["Harbour Herald"], tracking = {{ utm_source = "short" }} }}
[[endpoints]]
name = "all"
feed = "s20"
format = "json"
url = "{url}/all"
[[endpoints]]
name = "cut"
feed = "s20"
mode = "feed"
format = "atom"
url = "{url}/cut"
rights = {{ words = 3, canonical = true }}
[[endpoints]]
name = "late"
feed = "s21"
format = "json"
url = "{url}/late"
concurrency = 4
rights = {{ delay = "4s" }}
[[endpoints]]
name = "late-feed"
feed = "s21"
mode = "feed"
format = "atom"
url = "{url}/late-feed"
rights = {{ delay = "4s" }}
[[endpoints]]
name = "later"
feed = "s22"
format = "json"
url = "{url}/later"
rights = {{ delay = "10m" }}
[[endpoints]]
name = "later-feed"
feed = "s22"
mode = "feed"
format = "atom"
url = "{url}/later-feed"
rights = {{ delay = "10m" }}
"""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, ENDPOINTS.format(url=shared_receiver.url)) as newsroom:
        yield newsroom


def article(receiver: Receiver, path: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(receiver.wait(path)[-1].body)["article"]
    return told


def test_each_partner_gets_what_its_contract_says(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    images = [
        {"url": "https://herald.example/ours.jpg", "credit": "Harbour Herald"},
        {"url": "https://herald.example/theirs.jpg", "credit": "Quay Pictures"},
    ]
    newsroom.publish("r-1", "s20", summary="In short.", images=images)

    short, whole = article(receiver, "/short"), article(receiver, "/all")
    assert (short["body_html"], short["summary"]) == ("", "In short.")
    assert [image["credit"] for image in short["images"]] == ["Harbour Herald"]
    assert short["url"] == "https://herald.example/r-1?utm_source=short"
    assert (whole["body_html"], whole["url"]) == (
        "<p>This is the text of r-1 in version 1.</p>",
        "https://herald.example/r-1",
    )
    assert len(whole["images"]) == 2
    [entry] = feedparser.parse(receiver.wait("/cut")[-1].body).entries
    assert entry.content[0].value.startswith("<p>This is the …</p>")
    assert 'href="https://herald.example/r-1"' in entry.content[0].value


def test_a_delay_holds_what_is_new_and_never_a_kill(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    begun = time.monotonic()
    newsroom.publish("d-1", "s21")
    newsroom.publish("d-2", "s21")
    receiver.until(lambda: len(kinds(receiver.at("/late"), "d-1")) == 1, 30, "the first")
    assert time.monotonic() - begun >= 4
    receiver.until(lambda: len(kinds(receiver.at("/late"), "d-2")) == 1, 30, "the second")
    # They were carried out in either order.
    receiver.until(lambda: in_feeds(receiver, "d-1") and in_feeds(receiver, "d-2"), 30, "both, in a feed")

    newsroom.publish("d-3", "s22")
    newsroom.kill("d-1")
    receiver.until(lambda: kinds(receiver.at("/late"), "d-1")[1:] == ["article.killed"], 30, "the kill")
    receiver.until(lambda: newsroom.store.events.waiting() == 0, 30, "both events")
    assert kinds(receiver.at("/later"), "d-3") == []
    receiver.until(lambda: b"deleted-entry" in receiver.at("/late-feed")[-1].body, 30, "the kill, in a feed")
    newsroom.kill("d-3")
    receiver.until(lambda: kinds(receiver.at("/later"), "d-3") != [], 30, "the notice")
    receiver.until(lambda: newsroom.is_settled("s21", 2) and newsroom.is_settled("s22", 2), 30, "all to be done")

    assert kinds(receiver.at("/later"), "d-3") == ["article.killed"]
    assert kinds(receiver.at("/late"), "d-1") == ["article.published", "article.killed"]
    told = [kinds(receiver.at("/late"), name) for name in ("d-1", "d-2")]
    assert [sequence.count("article.published") for sequence in told] == [1, 1]
    assert not in_feeds(receiver, "d-3", "/later-feed")


def in_feeds(receiver: Receiver, article_id: str, path: str = "/late-feed") -> bool:
    """Whether the endpoint in mode "feed" was told of the article's text."""
    return any(f"herald.example/{article_id}" in push.body.decode() for push in receiver.at(path))
