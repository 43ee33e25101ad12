"""Who may have articles before their embargo ends, and that nobody else learns of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from newsroom import TOKEN, start
from receiver import Receiver
from test_embargo_and_order import soon
from test_takedown import kinds

ENDPOINTS = """
[[feeds]]
name = "author/*"
title = "By *"
[[endpoints]]
name = "agency"
feed = "s22"
format = "json"
url = "{url}/agency"
rights = {{ early = true }}
[[endpoints]]
name = "portal"
feed = "s22"
format = "json"
url = "{url}/portal"
[[endpoints]]
name = "exchange"
feed = "s22"
format = "ninjs22"
url = "{url}/exchange"
rights = {{ early = true }}
"""


def test_an_embargoed_article_goes_to_whom_may_have_it_and_shows_nowhere_else(
    tmp_path: Path, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    with start(tmp_path, receiver, 1, ENDPOINTS.format(url=receiver.url)) as newsroom:
        newsroom.subscribe("s22", "/sub")
        newsroom.publish("before-1", "s22")
        receiver.until(lambda: kinds(receiver.at("/portal"), "before-1") != [], 20, "an article that all may have")
        until = soon(600)
        secret = {"headline": "Quiet harbour merger", "authors": ["Hidden Hand"], "embargoed": until}
        newsroom.publish("early-1", "s22", **secret)
        receiver.until(lambda: kinds(receiver.at("/agency"), "early-1") == ["article.published"], 60, "it, early")
        newsroom.publish("early-1", "s22", 2, **secret)
        receiver.until(lambda: len(kinds(receiver.at("/agency"), "early-1")) == 2, 60, "its correction, early")

        told = json.loads(receiver.at("/agency")[-1].body)["article"]
        assert (told["version"], told["embargoed"][:19]) == (2, until[:19])
        receiver.until(
            lambda: (json.loads(receiver.wait("/exchange")[-1].body).get("embargoed") or "")[:19] == until[:19],
            *(60, "the same in another format"),
        )
        open_to_all = [
            requests.get(f"{newsroom.base_url}{path}", timeout=60).text
            for path in ("/feeds/s22.atom", "/feeds/s22.json", "/feeds/author/hidden-hand.rss", "/metrics", "/feeds")
        ]
        coverage = f"{newsroom.base_url}/api/articles/early-1/coverage"
        assert requests.get(coverage, timeout=60).status_code == 401
        assert requests.get(coverage, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).status_code == 200
        pushed = [push.body.decode() for path in ("/portal", "/sub") for push in receiver.at(path)]
        for text in (*open_to_all, *pushed):
            assert "early-1" not in text
            assert "Quiet harbour" not in text

        newsroom.publish("early-1", "s22", 3, **secret | {"embargoed": soon(2)})
        receiver.until(lambda: kinds(receiver.at("/portal"), "early-1") == ["article.published"], 20, "its release")
        receiver.until(lambda: any(b"early-1" in push.body for push in receiver.at("/sub")), 20, "the push of the feed")
        newsroom.publish("after-1", "s22")
        receiver.until(lambda: kinds(receiver.at("/agency"), "after-1") != [], 20, "the next article")
        # Those that had it early have it: its release is nothing new to them.
        told = kinds(receiver.at("/agency"), "early-1")
        assert told == ["article.published", "article.corrected", "article.corrected"]
    shown = "".join(capfd.readouterr())
    assert "early-1" in shown
    assert "Quiet harbour" not in shown


def test_a_kill_under_embargo_goes_to_whom_was_told_and_to_nobody_else(tmp_path: Path, receiver: Receiver) -> None:
    with start(tmp_path, receiver, 1, ENDPOINTS.format(url=receiver.url)) as newsroom:
        newsroom.subscribe("s22", "/sub")
        newsroom.publish("early-2", "s22", embargoed=soon(600))
        receiver.until(lambda: kinds(receiver.at("/agency"), "early-2") == ["article.published"], 20, "it, early")
        newsroom.kill("early-2")
        receiver.until(lambda: kinds(receiver.at("/agency"), "early-2")[1:] == ["article.killed"], 20, "the kill")
        newsroom.publish("after-2", "s22")
        receiver.until(lambda: kinds(receiver.at("/portal"), "after-2") != [], 20, "the next article")
        receiver.until(lambda: any(b"after-2" in push.body for push in receiver.at("/sub")), 20, "the next push")

        assert kinds(receiver.at("/portal"), "early-2") == []
        assert not any(b"early-2" in push.body for push in receiver.at("/sub"))
