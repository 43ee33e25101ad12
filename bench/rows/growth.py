"""Growth: 1,000, 10,000 and 100,000 receivers of one feed.

Deliveries per second from the event to the last arrival, the bytes that Redis uses per subscription, and what the two
workers have in memory after a push to that many. All receivers are on the same 100 hosts, so that only their number
grows. Medians of three rounds, each with one push to each size.
"""

from __future__ import annotations

from statistics import median

from bench.machine import resident
from bench.newsroom import start
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most

ROUNDS = 1
"""It has rounds of its own."""

_SIZES = (1_000, 10_000, 100_000)
_WARM = 10_000
_PUSHES = 3


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    sizes = [int(size * scale) for size in _SIZES]
    rates: dict[int, list[float]] = {size: [] for size in sizes}
    each: dict[int, float] = {}
    memory: dict[int, float] = {}
    busy = ""
    with Receiver() as receiver, start(receiver, ["warm", *(f"size{size}" for size in sizes)]) as newsroom:
        newsroom.subscribe("warm", [f"/o/{number}" for number in range(_WARM)])
        # As many deliveries as the largest push: what a process has got used to is not what receivers take.
        for version in range(1, 1 + max(3, sizes[-1] // _WARM)):
            newsroom.push("warm", _WARM, version)
            newsroom.settled("warm")
        for size in sizes:
            feed = f"size{size}"
            before = newsroom.redis_bytes()
            newsroom.subscribe(feed, [f"/o/{size}/{number}" for number in range(size)])
            newsroom.push(feed, size, 1)
            newsroom.settled(feed)
            each[size] = (newsroom.redis_bytes() - before) / size
            memory[size] = sum(map(resident, newsroom.workers()))
        for version in range(2, 2 + _PUSHES):
            for size in sizes:
                pushed = newsroom.push(f"size{size}", size, version)
                newsroom.settled(f"size{size}")
                rates[size].append(pushed.rate)
                busy = pushed.busy
    rate = {size: median(rates[size]) for size in sizes}
    small, middle, large = sizes
    return [
        *(Result(f"{size:,} receivers", rate[size], "/s") for size in sizes),
        at_least(f"{large:,} against {small:,}", rate[large] / rate[small], 0.85, "x", busy),
        at_most("Redis per receiver", each[large], 600, "bytes", f"with {large:,}; one push done"),
        Result("memory of two workers", memory[large], "MiB", note=f"with {small:,}: {memory[small]:.0f} MiB"),
        at_most(f"memory: {large:,} against {middle:,}", memory[large] / memory[middle], 1.1, "x"),
    ]
