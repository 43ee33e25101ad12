"""Isolation: 10,000 receivers, of which 5 % never answer, 15 % answer 500 and 5 % take a second.

They are on 1,000 hosts, ten on each, and a host is wholly good or bad. The healthy ones' deliveries per second and
their p99 (from the event to the arrival) beside pushes to 10,000 healthy ones of another feed in the same stack. The
change comes three times, three seconds apart, so that the later ones meet receivers of which something is known; each
time counts, the median is told and the worst beside it. Clean pushes before and after.
"""

from __future__ import annotations

import time
from statistics import median

from bench.newsroom import Newsroom, start
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most, percentile

_HOSTS = 1_000
_TEXT = 1_700
_PUSHES = 3
_APART_SECONDS = 3.0
_TIMEOUT_SECONDS = 10.0
_LETTERS = "nfffsooooooooooooooo"
"""What twenty hosts in a row do: one never answers, three fail, one is slow."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    size = int(10_000 * scale)
    hosts = int(_HOSTS * scale)
    mixed = [f"/{_LETTERS[number % hosts % len(_LETTERS)]}/{number}" for number in range(size)]
    healthy = sum(path.startswith("/o/") for path in mixed)
    with Receiver(hosts) as receiver, start(receiver, ["clean", "mixed"]) as newsroom:
        newsroom.subscribe("clean", [f"/o/{number}" for number in range(size)])
        newsroom.subscribe("mixed", mixed)
        _pushes(newsroom, receiver, "clean", size, 1)
        clean = _pushes(newsroom, receiver, "clean", size, 1 + _PUSHES)
        usage = newsroom.usage()
        dirty = _pushes(newsroom, receiver, "mixed", healthy, 1)
        busy = usage.report()
        time.sleep(_TIMEOUT_SECONDS)
        clean += _pushes(newsroom, receiver, "clean", size, 1 + 2 * _PUSHES)
    rate, clean_rate = median(rate for rate, _ in dirty), median(rate for rate, _ in clean)
    high, clean_high = median(high for _, high in dirty), median(high for _, high in clean)
    return [
        Result("clean run", clean_rate, "/s", note=f"p99 {clean_high:.0f} ms"),
        Result("healthy ones among bad ones", rate, "/s", note=f"p99 {high:.0f} ms; {busy}"),
        at_least("rate against clean", rate / clean_rate, 0.8, "x", f"worst {min(dirty)[0] / clean_rate:.2f} x"),
        at_most(
            "p99 against clean", high / clean_high, 1.5, "x", f"worst {max(h for _, h in dirty) / clean_high:.2f} x"
        ),
    ]


def _pushes(newsroom: Newsroom, receiver: Receiver, feed: str, healthy: int, version: int) -> list[tuple[float, float]]:
    """(Deliveries per second, p99 in ms) of the healthy, for each push."""
    measured = []
    for number in range(_PUSHES):
        receiver.reset()
        begun = newsroom.publish(feed, feed, version + number, _TEXT)
        last = receiver.wait(healthy, 120)
        arrivals = [(at - begun) * 1000 for at in receiver.counts().arrivals[:healthy]]
        measured.append((healthy / (last - begun), percentile(arrivals, 0.99)))
        time.sleep(max(0.0, begun + _APART_SECONDS - time.monotonic()))
    return measured
