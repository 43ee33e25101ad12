"""A Redis that loses everything while all processes run: it is rebuilt from the record, and the news goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests
from newsroom import Newsroom


def until(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_after_redis_has_lost_everything_feeds_are_as_before_and_the_news_goes_on(own_newsroom: Newsroom) -> None:
    newsroom, receiver = own_newsroom, own_newsroom.receiver
    for name in ("before", "too"):
        newsroom.publish(name, "s0")
    receiver.until(lambda: b"before" in b"".join(r.body for r in receiver.at("/p0")), 20, "the first push")
    newsroom.until_in_feed("s0", "before", "too")
    until(lambda: newsroom.store.unnoted.waiting().marks == 0, "all is noted")
    shown = requests.get(f"{newsroom.base_url}/feeds/s0.atom", timeout=10).content
    pushed = len(receiver.at("/p0"))

    newsroom.store.client.flushall()
    until(lambda: newsroom.store.agreement.progress().finished > 0, "the rebuild")
    until(lambda: requests.get(f"{newsroom.base_url}/feeds/s0.atom", timeout=10).content == shown, "the same feed")
    newsroom.publish("after", "s0")
    text = newsroom.until_in_feed("s0", "after").text
    assert "before" in text
    receiver.until(lambda: any(b"after" in r.body for r in receiver.at("/p0")), 20, "a push after the loss")
    ids = [request.headers["webhook-id"] for request in receiver.at("/p0")]
    assert len(set(ids)) == pushed + 1, "repetitions have the same ids"
    newsroom.kill("before")
    receiver.until(
        lambda: any(b"article.killed" in r.body and b"before" in r.body for r in receiver.at("/p0")), 20, "the kill"
    )
    assert requests.get(f"{newsroom.base_url}/readyz", timeout=10).status_code == 200
