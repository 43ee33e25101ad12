"""Growth: 1,000, 10,000 and 100,000 receivers of one feed.

Deliveries per second from the event to the last arrival, the bytes that Redis uses per subscription, and what the two
workers have in memory after pushes to that many. All receivers are on the same 100 hosts, so that only their number
grows. Median of three pushes, after one that opens the connections.
"""

from __future__ import annotations

from statistics import median

from bench.machine import resident
from bench.newsroom import start
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most

_SIZES = (1_000, 10_000, 100_000)
_TEXT = 1_700
_PUSHES = 3


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    sizes = [int(size * scale) for size in _SIZES]
    rates: dict[int, float] = {}
    each: dict[int, float] = {}
    memory: dict[int, float] = {}
    usage = ""
    with Receiver() as receiver, start(receiver, ["warm", *(f"size{size}" for size in sizes)]) as newsroom:

        def push(feed: str, size: int, version: int) -> float:
            receiver.reset()
            watch = newsroom.usage()
            begun = newsroom.publish(feed, feed, version, _TEXT)
            rate = size / (receiver.wait(size, 120) - begun)
            nonlocal usage
            usage = watch.report()
            newsroom.settled(feed)
            return rate

        newsroom.subscribe("warm", [f"/o/{number}" for number in range(sizes[1])])
        for version in range(1, 4):
            push("warm", sizes[1], version)
        for size in sizes:
            before = newsroom.redis_bytes()
            newsroom.subscribe(f"size{size}", [f"/o/{size}/{number}" for number in range(size)])
            push(f"size{size}", size, 1)
            each[size] = (newsroom.redis_bytes() - before) / size
            rates[size] = median(push(f"size{size}", size, version) for version in range(2, 2 + _PUSHES))
            memory[size] = sum(map(resident, newsroom.workers()))
    small, middle, large = sizes
    return [
        *(Result(f"{size:,} receivers", rates[size], "/s") for size in sizes),
        at_least(f"{large:,} against {small:,}", rates[large] / rates[small], 0.85, "x", usage),
        at_most("Redis per receiver", each[large], 600, "bytes", f"with {large:,}; one push done"),
        Result("memory of two workers", memory[large], "MiB", note=f"with {small:,}: {memory[small]:.0f} MiB"),
        at_most(f"memory: {large:,} against {middle:,}", memory[large] / memory[middle], 1.1, "x"),
    ]
