"""Which feeds are claimed for next, and whether a feed's history is still the one that we knew."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class FeedQueue:
    """The feeds that may have receivers behind, each once, in turn."""

    def __init__(self) -> None:
        self._feeds: deque[str] = deque()

    def __len__(self) -> int:
        return len(self._feeds)

    def add(self, feed: str) -> None:
        """Have the feed claimed for, unless it is in the queue."""
        if feed not in self._feeds:
            self._feeds.append(feed)

    def next(self) -> str:
        """Take out the feed whose turn it is."""
        return self._feeds.popleft()


class FeedHistories:
    """The last move of each feed's head that was seen, by the stamp that the store gave it.

    When Redis has lost time, the same sequence numbers come again for other changes. Then the stamp that was seen is
    not among those of the feed's last moves.
    """

    def __init__(self) -> None:
        self._stamps: dict[str, str] = {}

    def has_changed(self, feed: str, trail: Sequence[str]) -> bool:
        """Note the stamps of a feed's last moves, the newest last; return whether they belong to another history."""
        if not trail:
            return False
        stamp = self._stamps.get(feed)
        self._stamps[feed] = trail[-1]
        return stamp is not None and stamp not in trail
