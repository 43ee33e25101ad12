"""A Redis that loses everything while all processes run: what is published after that reaches everybody."""

from __future__ import annotations

import requests
from newsroom import Newsroom


def test_after_redis_has_lost_everything_endpoints_and_readers_get_what_is_new(own_newsroom: Newsroom) -> None:
    newsroom, receiver = own_newsroom, own_newsroom.receiver
    for name in ("before", "too"):
        newsroom.publish(name, "s0")
    receiver.until(lambda: b"before" in b"".join(r.body for r in receiver.at("/p0")), 20, "the first push")
    newsroom.until_in_feed("s0", "before", "too")

    newsroom.store.client.flushall()
    newsroom.publish("after", "s0")
    text = newsroom.until_in_feed("s0", "after").text
    assert "before" not in text
    receiver.until(lambda: any(b"after" in r.body for r in receiver.at("/p0")), 20, "a push after the loss")
    newsroom.kill("after")
    receiver.until(lambda: any(b"article.killed" in r.body for r in receiver.at("/p0")), 20, "the kill")
    assert requests.get(f"{newsroom.base_url}/readyz", timeout=10).status_code == 200
