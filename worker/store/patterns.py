"""The feeds that were made of patterns, each when first an article matched."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.patterns import pattern_of
from worker.store import keys
from worker.store.damaged_records import answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.patterns import MadeFeed
    from worker.store.scripts import Client, Scripts

_CACHED = 100_000
"""Values known to have a feed."""


class PatternFeeds:
    """What there is of each pattern: value as it is called in the feed's name -> as an article first wrote it."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self._known: LRUCache[tuple[str, str], str] = LRUCache(_CACHED)
        self._lock = Lock()

    def create(self, pattern: str, wanted: Mapping[str, str], most: int) -> set[str]:
        """Make feeds for these values, as far as there are not `most` of the pattern; return those that exist now."""
        with self._lock:
            exist = {value for value in wanted if (pattern, value) in self._known}
        if len(exist) < len(wanted):
            asked = [part for value, written in wanted.items() if value not in exist for part in (value, written)]
            made = iter(self._scripts.run("patterns/create", [keys.pattern(pattern)], [most, *asked]))
            new = dict(zip(made, made, strict=True))
            with self._lock:
                self._known.update({(pattern, value): written for value, written in new.items()})
            exist |= new.keys()
        return exist

    def forget(self) -> None:
        """Ask for all of them anew: Redis has lost time, and may not know of some."""
        with self._lock:
            self._known.clear()

    def written(self, feed: MadeFeed) -> str:
        """Return the feed's value as an article first wrote it; "" when no article has matched."""
        pattern, value = pattern_of(feed.name), feed.value
        with self._lock:
            known = self._known.get((pattern, value), "")
        if not known:
            known = self._client.hget(keys.pattern(pattern), value) or ""
            if known:
                with self._lock:
                    self._known[pattern, value] = known
        return known

    def had(self, pattern: str, value: str) -> bool:
        """Whether the pattern, which may be no more, had a feed of that value."""
        return bool(self._client.hexists(keys.pattern(pattern), value))

    def count(self, pattern: str) -> int:
        """Return how many feeds the pattern has."""
        return self.counts([pattern])[pattern]

    def counts(self, patterns: Sequence[str]) -> dict[str, int]:
        """Return how many feeds each of the patterns has, in one round trip; 0 of one whose record is damaged."""
        pipe = self._client.pipeline(transaction=False)
        for pattern in patterns:
            pipe.hlen(keys.pattern(pattern))
        return {
            pattern: 0 if isinstance(count, Exception) else int(count)
            for pattern, count in zip(patterns, answers(pipe), strict=True)
        }
