"""What programs may do with articles is stated by the running server, per feed, and is withdrawn within a second."""

from __future__ import annotations

import time
from pathlib import Path

import requests
from newsroom import start
from receiver import Receiver

FEEDS = """
[[feeds]]
name = "open"
title = "Free to learn from"
select = [{ section = ["open"] }]
machines = { train = true, search = true }

[[feeds]]
name = "author/*"
title = "By *"
machines = { train = false }
"""
SITE = 'machines = { train = false, policy = "https://herald.example/terms" }\n'
FORBIDDEN = b'<rsl:prohibits type="usage">ai-train</rsl:prohibits>'
ALLOWED = b'<rsl:permits type="usage">ai-train,search</rsl:permits>'


def test_each_feed_states_its_rights_and_a_licence_that_is_withdrawn_is_gone_within_a_second(
    tmp_path: Path, receiver: Receiver
) -> None:
    contract = f"""
[[endpoints]]
name = "licensed"
feed = "s12"
mode = "feed"
format = "rss"
url = "{receiver.url}/licensed"
rights = {{ machines = {{ answer = true }} }}
"""
    with start(tmp_path, receiver, 1, FEEDS + contract) as newsroom:
        text = newsroom.config.read_text()
        newsroom.config.write_text(text.replace("[site]\n", f"[site]\n{SITE}"))
        newsroom.stack.hang_up()
        newsroom.publish("o-1", "open", authors=["Ada Quill"])
        newsroom.publish("s-1", "s12")
        newsroom.until_in_feed("open", "o-1,", fmt="rss")
        shown = newsroom.until_in_feed("s12", "s-1,", "ai-train", fmt="rss")

        # By the site, by the feed, and in a push by the contract; in the channel and in the item.
        assert 2 == shown.content.count(FORBIDDEN)
        assert ("train-ai=n", "1", "https://herald.example/terms") == stated(shown)
        open_feed = requests.get(newsroom.topic("open", "rss"), timeout=60)
        assert 2 == open_feed.content.count(ALLOWED)
        assert ("train-ai=y, search=y", "0", None) == stated(open_feed)
        assert ("train-ai=y, search=y", "0", None) == stated(
            requests.get(f"{newsroom.base_url}/feeds/open", timeout=60)
        )
        assert ("train-ai=n", "1", None) == stated(
            newsroom.until_in_feed("author/ada-quill", "o-1,", "ai-train", fmt="rss")
        )
        [push] = receiver.wait("/licensed", 1, seconds=60)
        assert 2 == push.body.count(b'<rsl:permits type="usage">ai-input</rsl:permits>')
        assert FORBIDDEN not in push.body
        assert "Content-Usage: train-ai=n" in requests.get(f"{newsroom.base_url}/robots.txt", timeout=60).text
        assert [
            {"location": "/feeds/open.*", "tdm-reservation": 0},
            {"location": "/feeds/open$", "tdm-reservation": 0},
            {"location": "/feeds/author/*", "tdm-reservation": 1},
            {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://herald.example/terms"},
        ] == tdmrep(newsroom.base_url)

        # The licence is withdrawn: no document that is served a second after the settings are in force has it.
        newsroom.config.write_text(newsroom.config.read_text().replace("train = true", "train = false"))
        newsroom.stack.hang_up()
        newsroom.until_in_feed("open", "ai-train</rsl:prohibits>", fmt="rss")
        time.sleep(1)
        for _ in range(20):
            open_feed = requests.get(newsroom.topic("open", "rss"), timeout=60)
            assert 2 == open_feed.content.count(FORBIDDEN)
            assert ("train-ai=n, search=y", "1", None) == stated(open_feed)
        receiver.until(lambda: tdmrep(newsroom.base_url)[0]["tdm-reservation"] == 1, 20, "tdmrep.json to say so")


def stated(answer: requests.Response) -> tuple[str | None, ...]:
    return tuple(answer.headers.get(name) for name in ("Content-Usage", "TDM-Reservation", "TDM-Policy"))


def tdmrep(base_url: str) -> list[dict[str, object]]:
    answer: list[dict[str, object]] = requests.get(f"{base_url}/.well-known/tdmrep.json", timeout=60).json()
    return answer
