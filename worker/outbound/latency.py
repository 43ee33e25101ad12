"""Which receivers are slow: a moving average of the time that each takes, kept only for those that take long.

A receiver is named by its URL, or by the part of it that stays the same. One that has no average counts as quick, so
most receivers take no memory. Used by one thread.
"""

from __future__ import annotations

SLOW_SECONDS = 0.5
"""A receiver that takes longer than this, on average, is slow."""
_WEIGHT = 0.3
"""The weight of the newest time in the average. So one answer after two seconds makes a receiver slow; after one that
took ten seconds, six quick answers make it quick again."""
_NEGLIGIBLE_SECONDS = 0.05
"""An average below this is dropped."""
_MAX_RECEIVERS = 20_000
"""How many averages are kept; then the one that changed longest ago goes."""


class LatencyAverages:
    """The averages, in seconds."""

    def __init__(self) -> None:
        self._averages: dict[str, float] = {}

    def record(self, receiver: str, seconds: float) -> None:
        """Take in how long a receiver took to answer, or to fail."""
        previous = self._averages.pop(receiver, 0.0) if self._averages else 0.0
        average = previous + _WEIGHT * (seconds - previous)
        if average < _NEGLIGIBLE_SECONDS:
            return
        if len(self._averages) >= _MAX_RECEIVERS:
            del self._averages[next(iter(self._averages))]
        self._averages[receiver] = average

    def is_slow(self, receiver: str) -> bool:
        """Return whether the receiver is slow."""
        return bool(self._averages) and self._averages.get(receiver, 0.0) > SLOW_SECONDS
