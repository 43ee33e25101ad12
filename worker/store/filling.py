"""What is needed to fill a feed that is new: what its window lacks, and how many members Redis does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.store.scripts import Client


class Filling:
    """The feeds that are being filled. What is placed in them is recorded by `ChangeLogs.place`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def window_floors(self, limits: Mapping[str, int]) -> dict[str, int | None]:
        """Return the place of the lowest member in each window (feed -> most members); None: it has room."""
        pipe = self._client.pipeline(transaction=False)
        for feed, limit in limits.items():
            pipe.zrevrange(keys.feed(feed).members, limit - 1, limit - 1, withscores=True)
        return {
            feed: int(lowest[0][1]) if lowest else None for feed, lowest in zip(limits, pipe.execute(), strict=True)
        }

    def count_cold(self, more: Mapping[str, int]) -> None:
        """Note that feeds have so many more members that are in the record alone."""
        pipe = self._client.pipeline(transaction=False)
        for feed, count in more.items():
            pipe.hincrby(keys.feed(feed).meta, "cold", count)
            pipe.sadd(keys.FEEDS_WITH_COLD, feed)
        pipe.execute()
