"""Who is slow: a moving average of the time that each receiver takes, kept only of those that take long.

A receiver is a URL here, or the part of it that stays the same. One that is not known counts as quick, so most are
never remembered. Used by one thread.
"""

from __future__ import annotations

SLOW_SECONDS = 0.5
"""A receiver that takes longer than this, on average, is slow."""
_WEIGHT = 0.3
"""Of the last time in the average: one that takes two seconds makes a receiver slow, after ten it takes six quick ones
to be quick again."""
_FORGOTTEN_SECONDS = 0.05
"""An average below this is as good as none."""
_KNOWN = 20_000
"""How many are remembered; then those that were slow the longest ago are not."""


class Pace:
    """The averages, in seconds."""

    def __init__(self) -> None:
        self._averages: dict[str, float] = {}

    def took(self, url: str, seconds: float) -> None:
        """A receiver has answered, or has not, after so many seconds."""
        known = self._averages.pop(url, 0.0) if self._averages else 0.0
        average = known + _WEIGHT * (seconds - known)
        if average < _FORGOTTEN_SECONDS:
            return
        if len(self._averages) >= _KNOWN:
            del self._averages[next(iter(self._averages))]
        self._averages[url] = average

    def is_slow(self, url: str) -> bool:
        """Whether the receiver is slow."""
        return bool(self._averages) and self._averages.get(url, 0.0) > SLOW_SECONDS
