"""Buckets: an endpoint that is a bucket takes 16 objects at once, and is resumed when it is 5,000 articles behind.

First each article is a new object (If-None-Match), then each is corrected (If-Match). From the resumption to the last
arrival. The store is the benchmark's receiver: it compares the hash of the body that was signed, and answers an ETag.
"""

from __future__ import annotations

import time

from bench.newsroom import Newsroom, event, start, until
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most
from worker import clock

LIMIT = """\
An object costs what a push does (see catch-up), and its signature by libcurl, which reads the whole body for its hash
and sets its handle up anew: some 60 microseconds."""

_AT_ONCE = 16
_TEXT = 3_000
_LEAST_PER_SECOND = 1_000
_EVENTS_PER_POST = 100


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    articles = int(5_000 * scale)
    with Receiver() as receiver:
        with start(receiver, ["backlog"], _endpoint(receiver.url("/b/objects", 0))) as newsroom:
            receivers = newsroom.store.receivers
            until(lambda: len(receivers.endpoints("backlog")) == 1, 30, "the endpoint to be enrolled")
            new, busy = _written(newsroom, receiver, articles, 1)
            corrected, _ = _written(newsroom, receiver, articles, 2)
        counts = receiver.counts()
    return [
        at_least("new objects", new, _LEAST_PER_SECOND, "/s", f"{articles:,} behind; {busy}"),
        at_least("corrected objects", corrected, _LEAST_PER_SECOND, "/s"),
        at_most("wrongly signed or out of order", counts.wrong + counts.backwards, 0, ""),
    ]


def _written(newsroom: Newsroom, receiver: Receiver, articles: int, version: int) -> tuple[float, str]:
    """How many objects a second are written of so many articles in a version, and who is busy then."""
    receivers, changes = newsroom.store.receivers, newsroom.store.changes
    receivers.pause("backlog", "endpoint:bucket", clock.ms(clock.now()), "asked")
    for begin in range(0, articles, _EVENTS_PER_POST):
        numbers = range(begin, min(articles, begin + _EVENTS_PER_POST))
        newsroom.send([event(f"a{number}", "backlog", version, _TEXT) for number in numbers])
    until(lambda: changes.head("backlog").seq >= version * articles, 120, "the articles to be in the feed")
    receiver.reset()
    usage = newsroom.usage()
    begun = time.monotonic()
    receivers.resume("backlog", "endpoint:bucket")
    newsroom.wake("backlog")
    rate = articles / (receiver.wait(articles, 300) - begun)
    return rate, usage.report()


def _endpoint(url: str) -> str:
    return (
        '\n[[endpoints]]\nname = "bucket"\nfeed = "backlog"\nkind = "s3"\nformat = "json"\n'
        f'url = "{url}"\nconcurrency = {_AT_ONCE}\n[endpoints.s3]\nkey_id = "bench"\nsecret = "of the benchmark"\n'
    )
