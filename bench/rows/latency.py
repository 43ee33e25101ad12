"""Latency when idle: 300 events one at a time, each once the one before has arrived.

From the acceptance (its 202 has come back) to the arrival at the one subscriber; and, without a target, from the moment
the event is begun to be posted. Beside it (a): the same web server, which calls `delay` for each event it is posted and
answers 202, and a Celery task that posts. Ours and (a) take turns, 20 events each.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

import requests

from bench.newsroom import start
from bench.peers.celery import best_pool, front_peer
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most, percentile

LIMIT = """\
(a) is one Celery message and one POST: three times less than that would be a millisecond, which is what one Celery
message alone takes. Dateline has one message on the way too, and beside it Redis has the event, the article, the change
log and the claim before anything is sent: a round trip each, so that a crash at any moment loses nothing. The second
message, from
consuming to distributing, is gone: it was 2.7 ms (p50 10.1 ms before, 4.4 ms after)."""

_TURN = 20
_PAUSE_SECONDS = 0.02
_TEXT = 1_000


class _Times(NamedTuple):
    """Milliseconds until the arrival."""

    since_begun: float
    since_accepted: float


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    pool, _ = best_pool(scale)
    ours: list[_Times] = []
    theirs: list[_Times] = []
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
            accepted = time.monotonic()
            arrived = receiver.wait(1, 30)
            time.sleep(_PAUSE_SECONDS)
            return _Times((arrived - begun) * 1000, (arrived - accepted) * 1000)

        for turn in range(max(2, round(300 * scale / _TURN)) + 1):
            for number in range(_TURN):
                receiver.reset()
                ours.append(times(newsroom.publish(f"a{turn}-{number}", "quiet", text=_TEXT)))
            for _ in range(_TURN):
                receiver.reset()
                begun = time.monotonic()
                session.post(url, json={"body": body}, timeout=30).raise_for_status()
                theirs.append(times(begun))
    # The first turn warms both up.
    middle, high, whole = _sum_up(ours[_TURN:])
    their_middle, their_high, their_whole = _sum_up(theirs[_TURN:])
    return [
        at_most("p50", middle, 15, "ms", f"{len(ours) - _TURN} events; from the start of the POST {whole:.1f} ms"),
        at_most("p99", high, 50, "ms"),
        Result("(a) p50", their_middle, "ms", note=f"{pool}; from the start of the POST {their_whole:.1f} ms"),
        Result("(a) p99", their_high, "ms"),
        at_least("p50 better than (a)", their_middle / middle, 3, "x"),
        at_least("p99 better than (a)", their_high / high, 3, "x"),
    ]


def _sum_up(times: list[_Times]) -> tuple[float, float, float]:
    """p50 and p99 since the acceptance, and p50 since the start."""
    accepted = [t.since_accepted for t in times]
    return median(accepted), percentile(accepted, 0.99), median(t.since_begun for t in times)
