"""A Redis that loses everything while all processes run: it is rebuilt from the record, and the news goes on."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import requests
from newsroom import Newsroom, published
from sqlalchemy import select
from waiting import until

from worker.record import tables


def test_after_redis_has_lost_everything_feeds_are_as_before_and_the_news_goes_on(own_newsroom: Newsroom) -> None:
    newsroom, receiver = own_newsroom, own_newsroom.receiver
    for name in ("before", "too"):
        newsroom.publish(name, "s0")
    for name in (b"before", b"too"):
        receiver.until(lambda name=name: any(name in r.body for r in receiver.at("/p0")), 20, "its push")
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
    until(lambda: requests.get(f"{newsroom.base_url}/readyz", timeout=10).status_code == 200, "all to be ready")


def document(newsroom: Newsroom, feed: str) -> bytes:
    return requests.get(f"{newsroom.base_url}/feeds/{feed}.atom", timeout=10).content


def noted(newsroom: Newsroom) -> bool:
    """Whether the record has all: what changed, and what was delivered."""
    store = newsroom.store
    waiting = store.unnoted.waiting()
    return not (waiting.marks or waiting.results or any(store.client.xlen(key) for key in outboxes(newsroom)))


def outboxes(newsroom: Newsroom) -> list[str]:
    return list(newsroom.store.client.scan_iter(match="*:outbox"))


def messages(newsroom: Newsroom, path: str) -> list[tuple[str, str, int, str]]:
    """What an endpoint got, in order: message id, article, version, what it says."""
    rows = []
    for request in newsroom.receiver.at(path):
        message: dict[str, Any] = json.loads(request.body)
        article = message["article"]
        rows.append((request.headers["webhook-id"], article["id"], article["version"], message["type"]))
    return rows


def test_a_redis_that_is_replaced_by_an_old_copy_is_brought_up_to_date(own_newsroom: Newsroom, tmp_path: Path) -> None:
    """Nobody gets an older version after a newer one, nor anything but a notice of what was killed."""
    newsroom, receiver = own_newsroom, own_newsroom.receiver
    redis = newsroom.stack._redis
    assert redis is not None
    for name in ("a", "b", "c"):
        newsroom.publish(name, "s0")
    newsroom.until_in_feed("s0", "a, version 1", "b, version 1", "c, version 1")
    receiver.until(lambda: len(receiver.at("/p0")) >= 3, 20, "the first pushes")
    until(lambda: noted(newsroom), "all is noted")
    folder = tmp_path / "data" / "redis"
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)

    newsroom.publish("a", "s0", 2)
    newsroom.publish("a", "s0", 3)
    newsroom.kill("b")
    newsroom.publish("d", "s0")
    receiver.until(lambda: any(b"article.killed" in r.body for r in receiver.at("/p0")), 20, "the kill")
    receiver.until(lambda: any(row[1:3] == ("a", 3) for row in messages(newsroom, "/p0")), 20, "the correction")
    receiver.until(lambda: any(row[1] == "d" for row in messages(newsroom, "/p0")), 20, "the new one")
    until(lambda: noted(newsroom), "all is noted")
    newsroom.until_in_feed("s0", "d, version 1", "a, version 3", "deleted-entry")
    shown = document(newsroom, "s0")
    before = messages(newsroom, "/p0")

    redis.stop()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    redis.start()
    until(lambda: newsroom.store.agreement.progress().finished > 0, "the rebuild")
    until(lambda: document(newsroom, "s0") == shown, "the same feed")
    newsroom.publish("e", "s0")
    newsroom.publish("c", "s0", 2)
    receiver.until(lambda: any(row[1] == "e" for row in messages(newsroom, "/p0")), 30, "a push after the loss")
    receiver.until(lambda: any(row[1:3] == ("c", 2) for row in messages(newsroom, "/p0")), 30, "a correction after it")
    after = messages(newsroom, "/p0")[len(before) :]
    repeated = {row[0] for row in before}
    assert {"e", "c"} == {row[1] for row in after if row[0] not in repeated}
    for article, least in (("a", 3), ("d", 1)):
        assert all(row[2] >= least for row in after if row[1] == article)
    assert all(row[3] == "article.killed" for row in after if row[1] == "b")


def test_redis_is_emptied_in_busy_time_and_the_worker_that_rebuilds_it_is_killed(own_newsroom: Newsroom) -> None:
    """Nothing that was accepted is lost, whatever was being carried out; nothing leaves after a notice of a kill."""
    newsroom, receiver = own_newsroom, own_newsroom.receiver
    sent = Sent(newsroom)
    threads = [threading.Thread(target=sent.post_until_stopped, args=(name,), daemon=True) for name in ("x", "y")]
    for thread in threads:
        thread.start()
    for number, pause in ((1, 1.0), (2, 0.6)):
        receiver.until(lambda least=number * 15: len(sent.versions) > least, 60, "articles")
        newsroom.store.client.flushall()
        until(lambda: newsroom.store.agreement.progress().begun > 0, "the rebuild begins")
        process = newsroom.stack.children[number].process
        assert process is not None
        if number == 1:
            process.kill()
        time.sleep(pause)
    sent.stopped.set()
    for thread in threads:
        thread.join(60)

    def missing() -> dict[str, list[tuple[int, str]]]:
        """What the endpoint has of the articles of which it lacks the last word."""
        has: dict[str, list[tuple[int, str]]] = {name: [] for name in sent.versions}
        for _, name, version, kind in messages(newsroom, "/p0"):
            has[name].append((version, kind))
        return {
            name: got
            for name, got in has.items()
            if (
                got and got[-1][1] != "article.killed"
                if name in sent.killed
                else not got or got[-1][0] < sent.versions[name]
            )
        }

    until(lambda: not missing(), missing)
    highest: dict[str, int] = {}
    bodies: dict[str, bytes] = {}
    killed: set[str] = set()
    for request, (identity, name, version, kind) in zip(receiver.at("/p0"), messages(newsroom, "/p0"), strict=True):
        assert bodies.setdefault(identity, request.body) == request.body
        assert name not in killed or kind == "article.killed"
        assert version >= highest.get(name, 0)
        highest[name] = version
        killed |= {name} if kind == "article.killed" else set()
    until(lambda: not unfinished(newsroom), "the record has all events as done")


class Sent:
    """What a CMS sends all the time: new articles, corrections, and kills."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        self.versions: dict[str, int] = {}
        self.killed: set[str] = set()
        self.stopped = threading.Event()

    def post_until_stopped(self, name: str) -> None:
        for number in itertools.count():
            if self.stopped.is_set():
                return
            article = f"{name}-{number}"
            for version in range(1, 1 + number % 3):
                self._post(published(article, "s0", version))
                self.versions[article] = version
            if number % 3 == 2 and number % 2:
                self._post({"id": f"kill-{article}", "type": "article.killed", "article": {"id": article}})
                self.killed.add(article)

    def _post(self, event: dict[str, Any]) -> None:
        until(lambda: self._newsroom.post(event).status_code == 202, "it is accepted")
        time.sleep(0.02)


def unfinished(newsroom: Newsroom) -> list[int]:
    with newsroom.record.read() as connection:
        return list(connection.scalars(select(tables.events.c.number).where(tables.events.c.done.is_(None))))
