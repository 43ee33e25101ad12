"""Catch-up: an endpoint that takes 16 articles at once is resumed when it is 5,000 articles behind.

Three endpoints of one feed, paused, and resumed one after the other. From there to the last arrival. Beside it (a)
sends 1,000 times the same body, since its rate is the same from the first to the last. Medians.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median

from bench.newsroom import endpoint, event, start, until
from bench.peers.celery import best_pool, post_peer
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most
from worker import clock

LIMIT = """\
One worker serves an endpoint at a time, with 16 requests in flight, and its answers are on their way into Redis before
it sends more, so that a crash repeats nothing else. So one interpreter does it all: what leaves is read, rendered,
judged by the rules of its format, signed, sent and kept by one thread, while the other core has Redis, the receiver and
the attempts for the record; (a) has both cores. Redis is not waited for: the next articles are made and sent meanwhile,
and were read in the round trip before. An article that nobody has had yet takes half as much again to twice as long as
one that this worker has rendered before, and which of the two the median is depends on which worker served which
endpoint. Of the difference two thirds are reading the article, rendering it, judging the document and making its ids,
each measured in a loop of its own; judging is half of that."""

_AT_ONCE = 16
_NAMES = ("p0", "p1", "p2")
_TEXT = 3_000
_EVENTS_PER_POST = 100


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    articles = int(5_000 * scale)
    few = max(300, int(1_000 * scale))
    pool, _ = best_pool(scale)
    ours, theirs, backwards, busy = [], [], 0, ""
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        tables = "".join(
            endpoint(name, "backlog", receiver.url(f"/a/{name}", 0), concurrency=_AT_ONCE) for name in _NAMES
        )
        newsroom = stack.enter_context(start(receiver, ["backlog"], tables))
        post = stack.enter_context(post_peer(receiver, pool))
        receivers = newsroom.store.receivers
        until(lambda: len(receivers.endpoints("backlog")) == len(_NAMES), 30, "the endpoints to be enrolled")
        for name in _NAMES:
            receivers.pause("backlog", f"endpoint:{name}", clock.ms(clock.now()), "asked")
        for begin in range(0, articles, _EVENTS_PER_POST):
            newsroom.send(
                [event(f"a{number}", "backlog", text=_TEXT) for number in range(begin, begin + _EVENTS_PER_POST)]
            )
        until(lambda: newsroom.store.changes.head("backlog").seq >= articles, 120, "the articles to be in the feed")
        for name in _NAMES:
            receiver.reset()
            usage = newsroom.usage()
            begun = time.monotonic()
            receivers.resume("backlog", f"endpoint:{name}")
            newsroom.wake("backlog")
            ours.append(articles / (receiver.wait(articles, 300) - begun))
            busy = usage.report()
            counts = receiver.counts()
            backwards += counts.backwards
            if len(counts.held[f"/a/{name}".encode()]) != articles:
                raise RuntimeError(f"{name} has {len(counts.held)} of {articles} articles")
            theirs.append(post.rate([f"/o/{number}" for number in range(few)], counts.body))
    return [
        Result("articles", median(ours), "/s", note=f"{articles:,} behind; {busy}"),
        Result("(a) Celery task with requests.post", median(theirs), "/s", note=f"{pool}"),
        at_least("against (a)", median(ours) / median(theirs), 10, "x"),
        at_most("versions out of order", backwards, 0, ""),
    ]
