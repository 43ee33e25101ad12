"""Workers die: nothing is lost, nobody is left behind, nobody sees an older revision again."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from celery import Celery
from ledgers import ledger_of, noted_ledger
from newsroom import CLAIM_SECONDS, Newsroom, published, start
from receiver import Receiver, Request
from sqlalchemy import func, select

from worker.record import tables
from worker.runtime.up import Child
from worker.store.subscription_requests import SubscriptionRequest

SUBSCRIBERS = 500
MANY = 5_000
ARTICLE = {"id": "redis-2", "headline": "redis-2", "url": "https://herald.example/redis-2", "section": "s9"}


def enroll_many(newsroom: Newsroom, feed: str, count: int) -> None:
    """Have many subscriptions, as the hub leaves them after verification."""
    for number in range(count):
        intent = SubscriptionRequest(
            "subscribe",
            newsroom.topic(feed),
            f"{newsroom.receiver.url}/many/{number}",
            "atom",
            "secret",
            86400,
            int(time.time() * 1000),
            "n",
            "127.0.0.1",
            "127.0.0.1",
        )
        expires = int(time.time() * 1000) + 86_400_000
        newsroom.store.subscription_requests.request(feed, f"s{number}", intent)
        # A sweep may have found the request, and a worker have had it confirmed meanwhile.
        assert newsroom.store.subscription_requests.confirm(feed, f"s{number}", intent, expires, count, count) in (
            "new",
            "superseded",
        )


def noted(newsroom: Newsroom) -> dict[str, tuple[str | None, int]]:
    """What the record says of each article's event: its result, and how many revisions the article has."""
    events, revisions = tables.events.c, tables.revisions.c
    count = select(func.count()).where(revisions.article_id == events.article_id).scalar_subquery()
    with newsroom.record.read() as connection:
        rows = connection.execute(select(events.article_id, events.result, count).order_by(events.number))
        return {article_id: (result, revisions_of_it) for article_id, result, revisions_of_it in rows}


def worker(newsroom: Newsroom, number: int) -> Child:
    return newsroom.stack.children[number]


def test_sigkill_in_the_middle_of_a_distribution_loses_nothing(own_newsroom: Newsroom) -> None:
    newsroom, receiver = own_newsroom, own_newsroom.receiver
    enroll_many(newsroom, "s9", SUBSCRIBERS)
    started = threading.Event()

    def slow(request: Request) -> tuple[int, bytes]:
        started.set()
        time.sleep(0.1)
        return 204, b""

    receiver.otherwise = slow
    watch = threading.Thread(target=newsroom.stack.watch, daemon=True)
    watch.start()
    newsroom.publish("crash-1", "s9")
    assert started.wait(60)
    time.sleep(0.2)
    for number in (1, 2):  # whichever of them holds the claims
        victim = worker(newsroom, number).process
        assert victim is not None
        os.kill(victim.pid, signal.SIGKILL)
    receiver.otherwise = lambda _: (204, b"")
    newsroom.publish("crash-1", "s9", 2)
    latest = "crash-1, version 2"

    def all_have_it() -> bool:
        return SUBSCRIBERS == len(
            {r.name for r in receiver.requests if r.method == "POST" and latest.encode() in r.body}
        )

    receiver.until(all_have_it, CLAIM_SECONDS + 2 + 10, "everybody to have the latest revision")
    for number in range(SUBSCRIBERS):
        told = ["version 2" in push.body.decode() for push in receiver.at(f"/many/{number}")]
        assert told == sorted(told), "the older revision came after the newer one"
    receiver.until(lambda: newsroom.store.receivers.counts("s9")["settled"] == SUBSCRIBERS, 20, "all claims to end")
    newsroom.stack.stop()
    watch.join()


@pytest.fixture
def patient_newsroom(tmp_path: Path, receiver: Receiver) -> Iterator[Newsroom]:
    """One that repeats nothing because it was answered late by a machine that does much else."""
    patience = {"DATELINE_DELIVERY__TIMEOUT": "100", "DATELINE_DELIVERY__CLAIM_SECONDS": "120"}
    with start(tmp_path, receiver, 2, variables=patience) as newsroom:
        yield newsroom


def test_sigterm_in_the_middle_of_5000_deliveries_loses_none_and_repeats_none(patient_newsroom: Newsroom) -> None:
    newsroom, receiver = patient_newsroom, patient_newsroom.receiver
    enroll_many(newsroom, "s9", MANY)
    newsroom.publish("term-1", "s9")
    receiver.until(lambda: len(receiver.requests) > MANY // 5, 20, "the distribution to be under way")
    process = worker(newsroom, 1).process
    assert process is not None
    process.terminate()
    assert len(receiver.requests) < MANY
    assert process.wait(60) == 0

    def all_have_it() -> bool:
        counts = newsroom.store.receivers.counts("s9")
        return counts["settled"] == MANY and counts["behind"] == 0

    receiver.until(all_have_it, 60, "all to be settled")
    posts = [request.name for request in receiver.requests if request.method == "POST"]
    assert MANY == len(posts)
    assert MANY == len(set(posts))


@pytest.mark.long
def test_sigkill_in_the_middle_of_5000_articles_repeats_what_was_in_flight_under_the_same_ids(
    tmp_path: Path, receiver: Receiver
) -> None:
    at_once = 16
    endpoint = f"""
[[endpoints]]
name = "many"
feed = "s9"
format = "json"
url = "{receiver.url}/articles"
concurrency = {at_once}
"""
    with start(tmp_path, receiver, 2, endpoint) as newsroom:
        watch = threading.Thread(target=newsroom.stack.watch, daemon=True)
        watch.start()
        newsroom.store.receivers.pause("s9", "endpoint:many", 0, "asked")
        for begin in range(0, MANY, 100):
            newsroom.post([published(f"many-{number}", "s9") for number in range(begin, begin + 100)])
        receiver.until(lambda: newsroom.store.changes.size("s9") == MANY, 60, "the articles")
        newsroom.store.receivers.resume("s9", "endpoint:many")
        receiver.until(lambda: len(receiver.at("/articles")) > MANY // 5, 20, "the endpoint to catch up")
        for number in (1, 2):  # whichever of them holds the claim
            victim = worker(newsroom, number).process
            assert victim is not None
            os.kill(victim.pid, signal.SIGKILL)
        assert len(receiver.at("/articles")) < MANY

        def told() -> Counter[tuple[str, str]]:
            pushes = receiver.at("/articles")
            return Counter((json.loads(push.body)["article"]["id"], push.headers["webhook-id"]) for push in pushes)

        receiver.until(
            lambda: newsroom.store.receivers.counts("s9")["settled"] == 1 and len(told()) >= MANY, 90, "the rest"
        )
        times = told()
        assert MANY == len(times) == len({article for article, _ in times})
        assert sum(times.values()) - MANY <= at_once

        # What the endpoint took is in the record, once each, whoever was killed.
        receiver.until(lambda: len(noted_ledger(newsroom.record, "s9", "many")) == MANY, 60, "the record")
        receiver.until(lambda: not newsroom.store.outboxes.waiting(["s9"]).entries, 60, "all to be noted")
        assert ledger_of(newsroom.store, "s9", "many") == noted_ledger(newsroom.record, "s9", "many")
        attempts = newsroom.attempts("s9", "many", 2 * MANY)
        delivered = Counter((one.article_id, one.message_id) for one in attempts if one.outcome == "delivered")
        assert delivered == Counter(times.keys())
        newsroom.stack.stop()
        watch.join()


def test_sigkill_loses_no_event_that_celery_brings(own_newsroom: Newsroom) -> None:
    newsroom, many = own_newsroom, 300
    watch = threading.Thread(target=newsroom.stack.watch, daemon=True)
    watch.start()
    sent = threading.Event()

    def send() -> None:
        with Celery("cms", broker=newsroom.stack.redis_url.replace("unix://", "redis+socket://")) as cms:
            for number in range(many):
                cms.send_task("dateline.accept", [published(f"sent-{number}", "s9")], queue="intake")
                time.sleep(0.01)  # so that workers die in the middle of it
        sent.set()

    threading.Thread(target=send, daemon=True).start()
    killed = 0
    while not sent.wait(0.7):
        for number in (1, 2):
            victim = worker(newsroom, number).process
            if victim is not None:
                os.kill(victim.pid, signal.SIGKILL)
                killed += 1
        newsroom.receiver.until(
            lambda: all(worker(newsroom, n).process for n in (1, 2)), 20, "workers to be there again"
        )
    assert killed > 1
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s9") == many, 90, "all events")
    # Whatever step they died at, between two scripts or between the record and the acknowledgement.
    expected = {f"sent-{number}": ("published", 1) for number in range(many)}
    newsroom.receiver.until(lambda: noted(newsroom) == expected, 60, "all of it in the record, once")
    newsroom.receiver.until(lambda: newsroom.store.unnoted.waiting().results == 0, 60, "nothing to be left to note")
    newsroom.stack.stop()
    watch.join()


@pytest.fixture(scope="module")
def watched(newsroom: Newsroom) -> Iterator[Newsroom]:
    """The newsroom of the module, and from now on who dies there is started again."""
    watch = threading.Thread(target=newsroom.stack.watch, daemon=True)
    watch.start()
    yield newsroom
    newsroom.stack.stop()
    watch.join()


def test_events_survive_workers_that_are_all_dead(newsroom: Newsroom, request: pytest.FixtureRequest) -> None:
    for number in (1, 2):
        process = worker(newsroom, number).process
        assert process is not None
        process.kill()
        process.wait()
    newsroom.publish("later-1", "s0")
    newsroom.kill("never-seen")
    assert newsroom.store.events.waiting() == 2
    request.getfixturevalue("watched")
    newsroom.receiver.wait("/p0", seconds=40)
    newsroom.receiver.until(lambda: newsroom.store.events.waiting() == 0, 20, "the stream to be empty")


def test_the_web_server_comes_back_with_the_same_tags(watched: Newsroom) -> None:
    newsroom = watched
    newsroom.publish("tag-1", "s10")
    formats = ("rss", "atom", "json")
    urls = [newsroom.topic("s10", fmt) for fmt in formats]
    # Until the web server has heard of it, it shows what was before.
    before = [newsroom.until_in_feed("s10", "tag-1", fmt=fmt).headers["etag"] for fmt in formats]
    web = newsroom.stack.children[0].process
    assert web is not None
    web.terminate()
    web.wait(60)

    def tags() -> list[str]:
        try:
            return [requests.get(url, timeout=60).headers.get("etag", "") for url in urls]
        except requests.RequestException:
            return []

    newsroom.receiver.until(lambda: tags() == before, 60, "the same tags")


def test_redis_dies_and_everything_goes_on(watched: Newsroom) -> None:
    newsroom = watched
    newsroom.subscribe("s9", "/survivor")
    newsroom.publish("redis-1", "s9")
    newsroom.receiver.wait("/survivor")
    time.sleep(1.5)  # the append-only file is written once a second
    pid = int(newsroom.store.client.info("server")["process_id"])
    os.kill(pid, signal.SIGKILL)

    def accepted() -> bool:
        event = {"id": "redis-2", "type": "article.published", "article": ARTICLE}
        return newsroom.post(event).status_code == 202

    newsroom.receiver.until(accepted, 40, "events to be taken again")
    newsroom.receiver.until(
        lambda: any(b"redis-2" in push.body for push in newsroom.receiver.at("/survivor")), 40, "the next push"
    )
    newsroom.until_in_feed("s9", "redis-1")
    expected = {"redis-1": ("published", 1), "redis-2": ("published", 1)}
    newsroom.receiver.until(lambda: expected.items() <= noted(newsroom).items(), 20, "both in the record")
