"""Slow folder: one article to 40 HTTP endpoints and two folders of an SFTP server, one of them reached slowly.

Whatever the server says on that way comes a fifth of a second late, so a login takes some seconds and a file one more:
it is busy all the time. The times from the start of the POST to the last HTTP endpoint and to the file in the quick
folder, beside the same of another feed in the same stack with two quick folders, in turns. Medians of rounds.
"""

from __future__ import annotations

import time
from statistics import median

from bench.file_server import SlowWay, Sshd, sshd
from bench.newsroom import Newsroom, endpoint, start, until
from bench.receiver import Receiver
from bench.results import Result, at_least, at_most, percentile

ROUNDS = 1
"""It has rounds of its own, in turns."""
LIMIT = """\
The slow one costs what another endpoint does: its claims, its settlements, and a connection."""

_ENDPOINTS = 40
_ROUNDS, _QUICK_ROUNDS = 15, 7
_LATE_SECONDS = 0.2
_APART_SECONDS = 0.5
_FEEDS = "quick", "slow"


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    rounds = _ROUNDS if scale >= 1 else _QUICK_ROUNDS
    pushes: dict[str, list[float]] = {feed: [] for feed in _FEEDS}
    files: dict[str, list[float]] = {feed: [] for feed in _FEEDS}
    with Receiver(len(_FEEDS) * _ENDPOINTS) as receiver, sshd() as server:
        slow_way = SlowWay(server.port, _LATE_SECONDS)
        tables = "".join(
            endpoint(f"{feed}-{number}", feed, receiver.url(f"/a/{feed}{number}", number + _ENDPOINTS * place))
            for place, feed in enumerate(_FEEDS)
            for number in range(_ENDPOINTS)
        )
        tables += "".join(server.endpoint(feed, feed) for feed in _FEEDS)
        tables += server.endpoint("other", "quick")
        tables += server.endpoint("late", "slow", port=slow_way.port)
        with start(receiver, list(_FEEDS), tables) as newsroom:
            until(lambda: _enrolled(newsroom) == 2 * _ENDPOINTS + 4, 60, "endpoints to be enrolled")
            busy = 0
            for round_number in range(rounds + 1):
                for feed in _FEEDS:
                    begun = time.monotonic()
                    pushed = newsroom.push(feed, _ENDPOINTS, 1, article=f"{feed}-{round_number}")
                    written = server.wait(feed, round_number + 1) - begun
                    if round_number:
                        # The first one warms all up.
                        pushes[feed].append(percentile(pushed.seconds, 0.99) * 1000)
                        files[feed].append(written * 1000)
                        busy += feed == "slow" and _behind(server) < round_number + 1
                    time.sleep(_APART_SECONDS)
        slow_way.close()
    results = []
    for what, times in (("pushes", pushes), ("the quick folder", files)):
        results += [Result(f"{feed}: p99 of {what}", median(times[feed]), "ms").over(times[feed]) for feed in _FEEDS]
        ratios = [slow / quick for slow, quick in zip(times["slow"], times["quick"], strict=True)]
        results.append(at_most(f"{what} against two quick folders", median(ratios), 1.2, "x").over(ratios))
    return [*results, at_least("rounds in which the slow folder came last", busy / rounds, 0.9, "")]


def _enrolled(newsroom: Newsroom) -> int:
    return sum(len(newsroom.store.receivers.endpoints(feed)) for feed in _FEEDS)


def _behind(server: Sshd) -> int:
    """How many files are in the slow folder."""
    return sum(not path.name.startswith(".") for path in (server.folder / "late").rglob("*.json"))
