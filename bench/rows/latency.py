"""Latency when idle: 300 events one at a time, each once the one before has arrived.

From the start of the POST to the arrival at the one subscriber; to the 202; and from the 202 to the arrival. Beside it
(a): the same web server, which calls `delay` for each event it is posted and answers 202, and a Celery task that posts.
Ours and (a) take turns, 20 events each; and (b), what the client and such a server take with nothing behind them. What
a commit waits for the disk is measured beside it, in the same folder.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from statistics import median
from tempfile import TemporaryFile
from typing import NamedTuple

import requests

from bench.newsroom import start
from bench.peers.celery import best_pool, front_peer
from bench.receiver import Receiver
from bench.results import Result, at_most, percentile

LIMIT = """\
What a client in Python and an empty server take stands at (b): nothing is kept there. (a) keeps nothing either: it is
one Celery message and one POST. Ours is committed to the record and appended to Redis before its 202; the thread of the
commits makes it, so that events that come together share one. As it is appended, Redis hands it to a worker that
listens, without a message of Celery. The worker looks its article up, lists and schedules it, saves it, records it in
its feeds, claims who is behind, and reads what they lack and at which revision that is: a round trip to Redis each, so
that a crash at any moment loses nothing. It renders by feedgen: a fifth of the way from there. After a pause the
processors' caches have other things in them, so each of these steps takes longer than it does under load."""

_TURN = 20
_PAUSE_SECONDS = 0.02
_TEXT = 1_000


class _Times(NamedTuple):
    """Milliseconds: from the start of the POST to the arrival, from there to the 202, from that to the arrival."""

    whole: float
    answered: float
    since_answered: float


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    pool, _ = best_pool(scale)
    ours: list[_Times] = []
    theirs: list[_Times] = []
    nothing: list[float] = []
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver())
        newsroom = stack.enter_context(start(receiver, ["quiet"]))
        url = stack.enter_context(front_peer(receiver, pool, "/o/theirs"))
        session = requests.Session()
        newsroom.subscribe("quiet", ["/o/ours"])
        receiver.reset()
        newsroom.publish("warm", "quiet", text=_TEXT)
        receiver.wait(1, 30)
        body = receiver.counts().body.decode()

        def times(begun: float) -> _Times:
            answered = time.monotonic()
            arrived = receiver.wait(1, 30)
            time.sleep(_PAUSE_SECONDS)
            return _Times((arrived - begun) * 1000, (answered - begun) * 1000, (arrived - answered) * 1000)

        for turn in range(max(2, round(300 * scale / _TURN)) + 1):
            for number in range(_TURN):
                receiver.reset()
                ours.append(times(newsroom.publish(f"a{turn}-{number}", "quiet", text=_TEXT)))
            for _ in range(_TURN):
                receiver.reset()
                begun = time.monotonic()
                session.post(url, json={"body": body}, timeout=30).raise_for_status()
                theirs.append(times(begun))
            for _ in range(_TURN):
                time.sleep(_PAUSE_SECONDS)
                begun = time.monotonic()
                session.post(f"{url}/nothing", json={"body": body}, timeout=30).raise_for_status()
                nothing.append((time.monotonic() - begun) * 1000)
    # The first turn warms both up.
    ours, theirs, nothing = ours[_TURN:], theirs[_TURN:], nothing[_TURN:]
    middle, answered = (median(times) for times in zip(*((t.whole, t.answered) for t in ours), strict=True))
    their_middle = median(t.whole for t in theirs)
    disk = _commit_ms()
    return [
        at_most("start of POST to receiver, p50", middle, 6, "ms", f"{len(ours)} events"),
        at_most("start of POST to receiver, p99", percentile([t.whole for t in ours], 0.99), 20, "ms"),
        at_most("202 after, p50", answered, 2 + disk, "ms", f"fdatasync of a page takes {disk:.1f} ms here"),
        Result("from the 202 to the receiver, p50", median(t.since_answered for t in ours), "ms"),
        Result("(a) start of POST to receiver, p50", their_middle, "ms", note=f"{pool}"),
        Result("(a) 202 after, p50", median(t.answered for t in theirs), "ms"),
        Result("(b) 202 after, p50", median(nothing), "ms"),
        at_most("p50 against (a)", middle / their_middle, 1.2, "x"),
    ]


def _commit_ms() -> float:
    """How long the disk takes for a page that is appended (ms): a commit waits for one such call."""
    with TemporaryFile() as file:
        times = []
        for _ in range(50):
            os.write(file.fileno(), bytes(4096))
            begun = time.monotonic()
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - begun) * 1000)
            time.sleep(0.005)
    return median(times)
