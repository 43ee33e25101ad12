"""Offers feeds that have changed to whoever brings their receivers up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from worker.wakeups import Wakeups


class FeedOffers:
    """Offers a feed to this process first, and else wakes another worker.

    `try_locally` is called with the name of a feed. It returns True when this process serves the receivers of the feed.
    """

    def __init__(self, wakeups: Wakeups, try_locally: Callable[[str], bool]) -> None:
        self._wakeups = wakeups
        self._try_locally = try_locally

    def offer(self, feeds: Collection[str], *, urgent: bool) -> None:
        """Have the receivers of feeds served. `urgent`: of a kill."""
        for feed in sorted(feeds):
            # A message to another worker costs more than all the rest of a small distribution. When a distribution is
            # large, the distributor wakes other workers itself; and a kill waits for nobody who is busy.
            if not self._try_locally(feed) or urgent:
                self._wakeups.distribute(feed, urgent=urgent)
