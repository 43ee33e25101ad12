"""Latency when idle: 300 events one at a time, each once the one before has arrived.

From the moment the event is begun to be posted over HTTP to its arrival at the one subscriber, so the time until it is
accepted is part of it. Beside it (a): the same web server, which calls `delay` for each event it is posted, and a Celery
task that posts. Ours and (a) take turns, 20 events each.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median

import requests

from bench.newsroom import start
from bench.peers.celery import best_pool, front_peer
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most, percentile

_TURN = 20
_PAUSE_SECONDS = 0.02
_TEXT = 1_000


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    pool, _ = best_pool(max(100, int(500 * scale)))
    ours: list[float] = []
    theirs: list[float] = []
    accepting: list[float] = []
    answering: list[float] = []
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

        def arrival(begun: float, accepting: list[float]) -> float:
            accepting.append((time.monotonic() - begun) * 1000)
            milliseconds = (receiver.wait(1, 30) - begun) * 1000
            time.sleep(_PAUSE_SECONDS)
            return milliseconds

        for turn in range(max(2, round(300 * scale / _TURN)) + 1):
            for number in range(_TURN):
                receiver.reset()
                ours.append(arrival(newsroom.publish(f"a{turn}-{number}", "quiet", text=_TEXT), accepting))
            for _ in range(_TURN):
                receiver.reset()
                begun = time.monotonic()
                session.post(url, json={"body": body}, timeout=30).raise_for_status()
                theirs.append(arrival(begun, answering))
    # The first turn warms both up.
    ours, theirs = ours[_TURN:], theirs[_TURN:]
    middle, high = median(ours), percentile(ours, 0.99)
    return [
        at_most("p50", middle, 15, "ms", f"{len(ours)} events; {median(accepting):.1f} ms of it until the 202 was here"),
        at_most("p99", high, 50, "ms"),
        Result("(a) p50", median(theirs), "ms", note=f"{pool}; {median(answering):.1f} ms of it until the 202"),
        Result("(a) p99", percentile(theirs, 0.99), "ms"),
        at_least("p50 better than (a)", median(theirs) / middle, 3, "x"),
        at_least("p99 better than (a)", percentile(theirs, 0.99) / high, 3, "x"),
    ]
