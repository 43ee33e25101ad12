"""How the counters stood at each minute of a day, and each ten minutes of a week: what charts are made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from worker.store import keys
from worker.store.counters import SECONDS

if TYPE_CHECKING:
    from worker.store.counters import Totals
    from worker.store.scripts import Client, Scripts

MINUTE_MS = 60_000
TEN_MINUTES_MS = 600_000
_MINUTES_MOST = 1_500
_TENS_MOST = 1_200
_BOUNDS = (*map(str, SECONDS), "+Inf")


class Sample(NamedTuple):
    """The totals at a time (ms): attempts that delivered and that failed; deliveries by how long they took.

    `durations`: for each bound of SECONDS, and beyond them, how many took no longer than it, and longer than the one
    before.
    """

    time: int
    delivered: float
    failed: float
    durations: tuple[float, ...]


class Rates:
    """The samples."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def is_due(self, now: int) -> bool:
        """Whether the sample of this minute (`now` in ms) is still to be put; it is the caller's then."""
        return bool(self._client.set(keys.rates_sampled(now // MINUTE_MS), "1", nx=True, ex=120))

    def put(self, now: int, totals: Totals) -> None:
        """Keep how the totals stand at `now` (ms)."""
        time = now // MINUTE_MS * MINUTE_MS
        sample = _sample(time, totals)
        content = json.dumps(sample[1:], separators=(",", ":"))
        self._scripts.run("rates/put", [keys.RATES], [time, content, _MINUTES_MOST])
        if time % TEN_MINUTES_MS == 0:
            self._scripts.run("rates/put", [keys.RATES_OF_WEEK], [time, content, _TENS_MOST])

    def since(self, start: int, *, by_minutes: bool) -> list[Sample]:
        """Return the samples since a time (ms), in order: of each minute, or of each ten."""
        stream = keys.RATES if by_minutes else keys.RATES_OF_WEEK
        entries: Any = self._client.xrange(stream, min=str(start))
        return [_parse(name, content["sample"]) for name, content in entries]


def _sample(time: int, totals: Totals) -> Sample:
    delivered = failed = 0.0
    durations = dict.fromkeys(_BOUNDS, 0.0)
    for (name, labels), value in totals.items():
        by_label = dict(labels)
        if name == "dateline_attempts" and by_label.get("outcome") == "delivered":
            delivered += value
        elif name == "dateline_attempts" and by_label.get("outcome") != "given_back":
            failed += value
        elif name == "dateline_delivery_seconds_bucket" and by_label.get("le") in durations:
            durations[by_label["le"]] += value
    return Sample(time, delivered, failed, tuple(durations.values()))


def _parse(name: str, text: str) -> Sample:
    delivered, failed, durations = json.loads(text)
    return Sample(int(name.partition("-")[0]), delivered, failed, tuple(durations))
