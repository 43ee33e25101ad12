"""`make soak`: the whole of Dateline under steady work for an hour, to see that nothing grows.

Articles go one after the other to a feed with 200 receivers, with a tenth of a second between them; after 500 they are
corrected, again and again, so what is kept has a bound. Readers ask for the feed after each. Every ten seconds the
memory of each process and of Redis, the descriptors of each process and the p99 of the times to the last receiver are
taken. The last third of the run is held against the third before; the first is not counted: caches fill.

DURATION is how long, in seconds or as 90m, 2h. The status is 1 when something grew by more than it may.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.client import ask
from bench.machine import resident
from bench.newsroom import Newsroom, start
from bench.receiver import Receiver
from bench.results import percentile

_EVERY_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
_RECEIVERS = 200
_ARTICLES = 500
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_MOST = {"memory": 1.05, "descriptors": 1.1, "p99": 1.5}
"""How much the last third may have of what the middle third has."""
_SLACK = {"memory": 2.0, "descriptors": 8.0, "p99": 50.0}
"""MiB, descriptors and milliseconds that are no growth whatever their share."""

out = Console()


def main() -> int:
    """Run, print, return the exit status."""
    seconds = _seconds(os.environ.get("DURATION", "1h"))
    taken: dict[str, list[float]] = defaultdict(list)
    with Receiver() as receiver, start(receiver, ["steady"]) as newsroom:
        newsroom.subscribe("steady", [f"/o/{number}" for number in range(_RECEIVERS)])
        begun = shown = time.monotonic()
        waits: list[float] = []
        for number in count():
            if time.monotonic() - begun > seconds:
                break
            waits.append(_round(newsroom, number))
            if time.monotonic() - shown >= _EVERY_SECONDS:
                shown = time.monotonic()
                for name, value in {**_sample(newsroom), "p99 ms": percentile(waits, 0.99)}.items():
                    taken[name].append(value)
                out.print(f"{shown - begun:6.0f} s  {_line(taken)}", highlight=False)
                waits = []
    return _report(taken)


def _seconds(written: str) -> float:
    match = re.fullmatch(r"([0-9]+)([smh]?)", written)
    if match is None:
        sys.exit(f"DURATION: {written!r} is no duration; give seconds, or 90m, 2h")
    return float(match[1]) * _UNITS[match[2]]


def _round(newsroom: Newsroom, number: int) -> float:
    """Publish or correct an article and read the feed; return after how many ms all receivers have it."""
    pushed = newsroom.push("steady", _RECEIVERS, 1 + number // _ARTICLES, article=f"a{number % _ARTICLES}")
    for form in ("atom", "rss", "json"):
        ask(f"{newsroom.base_url}/feeds/steady.{form}", {})
    time.sleep(_PAUSE_SECONDS)
    return pushed.seconds[-1] * 1000


def _sample(newsroom: Newsroom) -> dict[str, float]:
    """Memory in MiB and descriptors, by name."""
    named = {f"worker {number}": pid for number, pid in enumerate(newsroom.workers(), 1)}
    named |= {f"web {number}": pid for number, pid in enumerate(newsroom.web(), 1)}
    sample = {f"{name}: memory": resident(pid) for name, pid in {**named, "Redis": newsroom.redis()}.items()}
    sample["Redis: memory of data"] = newsroom.redis_bytes() / 2**20
    return sample | {f"{name}: descriptors": _descriptors(pid) for name, pid in named.items()}


def _descriptors(pid: int) -> float:
    return float(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))


def _line(taken: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {values[-1]:.0f}" for name, values in taken.items())


def _report(taken: Mapping[str, Sequence[float]]) -> int:
    """Print what the thirds have; return 1 when the last has more than it may."""
    table = Table("What", "First third", "Middle", "Last", "At most", "")
    grown = 0
    for name, values in taken.items():
        third = max(1, len(values) // 3)
        thirds = [median(values[place : place + third] or values) for place in (0, third, 2 * third)]
        kind = next(kind for kind in _MOST if kind in name)
        most = max(thirds[1] * _MOST[kind], thirds[1] + _SLACK[kind])
        grown += thirds[2] > most
        verdict = "[red]GREW[/]" if thirds[2] > most else "[green]flat[/]"
        table.add_row(name, *(f"{value:.1f}" for value in thirds), f"{most:.1f}", verdict)
    out.print(table)
    return int(grown > 0)


if __name__ == "__main__":
    sys.exit(main())
