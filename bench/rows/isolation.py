"""Isolation: 10,000 receivers, of which 5 % never answer, 15 % answer 500 and 5 % take a second.

They are on 1,000 hosts, ten on each, and a host is wholly good or bad. The healthy ones' deliveries per second and
their p99 (from the event to the arrival) beside pushes to 10,000 healthy ones of another feed in the same stack. The
change comes three times, three seconds apart, so that the later ones meet receivers of which something is known; each
time counts, the median is told and the worst beside it. Clean pushes before and (not when quick) after. The number of
receivers is never less: with fewer something else would be measured.
"""

from __future__ import annotations

import time
from statistics import median

from bench.newsroom import Newsroom, Pushed, start
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most, percentile

LIMIT = """\
The processors are busy in both runs, and every push to a receiver that fails costs as much as one to a healthy one. At
the first change nobody is known to fail: 9,500 of the 10,000 answer, 7,500 of them are healthy, which alone comes to
0.79 of the clean rate. At the later ones those that failed come after all others; that brought the p99 to that of the
clean run (it was 1.2 times as long), and the rate from 0.63 to where it is."""

_RECEIVERS = 10_000
_HOSTS = 1_000
_PUSHES = 3
_APART_SECONDS = 3.0
_TIMEOUT_SECONDS = 10.0
_LETTERS = "nfffsooooooooooooooo"
"""What twenty hosts in a row do: one never answers, three fail, one is slow."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    mixed = [f"/{_LETTERS[number % _HOSTS % len(_LETTERS)]}/{number}" for number in range(_RECEIVERS)]
    healthy = sum(path.startswith("/o/") for path in mixed)
    with Receiver(_HOSTS) as receiver, start(receiver, ["clean", "mixed"]) as newsroom:
        newsroom.subscribe("clean", [f"/o/{number}" for number in range(_RECEIVERS)])
        newsroom.subscribe("mixed", mixed)
        pushes = _PUSHES if scale >= 1 else 2
        _pushes(newsroom, "clean", _RECEIVERS, range(1, 3))
        before = _pushes(newsroom, "clean", _RECEIVERS, range(3, 3 + pushes))
        among_bad = _pushes(newsroom, "mixed", healthy, range(1, 1 + pushes))
        clean = before
        if scale >= 1:
            time.sleep(_TIMEOUT_SECONDS)
            clean = before + _pushes(newsroom, "clean", _RECEIVERS, range(3 + pushes, 3 + 2 * pushes))
    rates, clean_rate = [pushed.rate for pushed in among_bad], median(pushed.rate for pushed in clean)
    highs, clean_high = _high(among_bad), median(_high(clean))
    rate, high = median(rates), median(highs)
    return [
        Result("clean run", clean_rate, "/s", note=f"p99 {clean_high:.0f} ms"),
        Result("healthy ones among bad ones", rate, "/s", note=f"p99 {high:.0f} ms; {among_bad[0].busy}"),
        at_least("rate against clean", rate / clean_rate, 0.8, "x", f"worst {min(rates) / clean_rate:.2f} x"),
        at_most("p99 against clean", high / clean_high, 1.2, "x", f"worst {max(highs) / clean_high:.2f} x"),
    ]


def _pushes(newsroom: Newsroom, feed: str, healthy: int, versions: range) -> list[Pushed]:
    pushes = []
    for version in versions:
        next_one = time.monotonic() + _APART_SECONDS
        pushes.append(newsroom.push(feed, healthy, version))
        time.sleep(max(0.0, next_one - time.monotonic()))
    return pushes


def _high(pushes: list[Pushed]) -> list[float]:
    """The p99 of each in milliseconds."""
    return [percentile(pushed.seconds, 0.99) * 1000 for pushed in pushes]
