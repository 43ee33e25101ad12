"""Slow half: one article to 200 endpoints in article mode, of which half take a second to answer.

The time from the start of the POST to the arrival at the prompt half, beside the same for 200 prompt endpoints of
another feed in the same stack, in turns. Medians of rounds.
"""

from __future__ import annotations

import time
from statistics import median

from bench.newsroom import Newsroom, endpoint, start, until
from bench.receiver import Receiver
from bench.results import Result, at_most, percentile

ROUNDS = 1
"""It has rounds of its own, in turns."""
LIMIT = """\
An article of the slow half takes the same claims and settlements as one of the prompt half, so while it is told, all
200 share the two workers; what the slow ones wait for holds up nobody."""

_ENDPOINTS = 200
_ROUNDS, _QUICK_ROUNDS = 9, 3
_APART_SECONDS = 2.0
"""By then the slow ones have answered."""
_PROMPT = {"prompt": _ENDPOINTS, "half": _ENDPOINTS // 2}
"""How many endpoints of each feed answer at once."""


def run(scale: float) -> list[Result]:
    """Measure. Raises what keeps it from being measured."""
    rounds = _ROUNDS if scale >= 1 else _QUICK_ROUNDS
    last: dict[str, list[float]] = {feed: [] for feed in _PROMPT}
    middle: dict[str, list[float]] = {feed: [] for feed in _PROMPT}
    busy = ""
    with Receiver(2 * _ENDPOINTS) as receiver:
        tables = "".join(
            endpoint(
                f"{feed}-{number}",
                feed,
                receiver.url(f"/{'a' if number < prompt else 'w'}/{feed}{number}", number + _ENDPOINTS * place),
            )
            for place, (feed, prompt) in enumerate(_PROMPT.items())
            for number in range(_ENDPOINTS)
        )
        with start(receiver, list(_PROMPT), tables) as newsroom:
            until(lambda: _enrolled(newsroom) == 2 * _ENDPOINTS, 60, "endpoints to be enrolled")
            for version in range(1, 2 + rounds):
                for feed, prompt in _PROMPT.items():
                    pushed = newsroom.push(feed, prompt, version)
                    time.sleep(_APART_SECONDS)
                    if version == 1:
                        # It warms all up.
                        continue
                    middle[feed].append(percentile(pushed.seconds, 0.5) * 1000)
                    last[feed].append(percentile(pushed.seconds, 0.99) * 1000)
                    busy = pushed.busy
    ratios = [half / prompt for half, prompt in zip(last["half"], last["prompt"], strict=True)]
    return [
        Result("all prompt: p50", median(middle["prompt"]), "ms").over(middle["prompt"]),
        Result("all prompt: p99", median(last["prompt"]), "ms").over(last["prompt"]),
        Result("half slow: p50 of the prompt half", median(middle["half"]), "ms", note=busy).over(middle["half"]),
        Result("half slow: p99 of the prompt half", median(last["half"]), "ms").over(last["half"]),
        at_most("p99 against all prompt", median(ratios), 1.2, "x").over(ratios),
    ]


def _enrolled(newsroom: Newsroom) -> int:
    return sum(len(newsroom.store.receivers.endpoints(feed)) for feed in _PROMPT)
