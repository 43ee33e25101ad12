"""The feeds of patterns: each is created when an article first matches."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from feeds.patterns import pattern_of
from worker.store import keys, unnoted
from worker.store.damaged_records import answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.patterns import PatternFeed
    from worker.store.scripts import Client, Scripts

_CACHED = 100_000
"""How many values with a feed are remembered."""


class PatternFeeds:
    """The feeds of each pattern: value as it stands in the feed's name -> as an article first wrote it."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self._written: LRUCache[tuple[str, str], str] = LRUCache(_CACHED)
        self._lock = Lock()

    def create(self, pattern: str, values: Mapping[str, str], most: int) -> set[str]:
        """Create feeds for values (value -> as it is written), up to `most` of the pattern; return which exist now."""
        with self._lock:
            exist = {value for value in values if (pattern, value) in self._written}
        if len(exist) < len(values):
            missing = [part for value, written in values.items() if value not in exist for part in (value, written)]
            marks = [unnoted.mark(*(unnoted.name("pattern", pattern, value) for value in missing[::2]))]
            call = ([keys.pattern(pattern)], [most, *missing])
            answer = iter(self._scripts.run_many("patterns/create", [call], marks)[0])
            new = dict(zip(answer, answer, strict=True))
            with self._lock:
                self._written.update({(pattern, value): written for value, written in new.items()})
            exist |= new.keys()
        return exist

    def forget(self) -> None:
        """Forget earlier answers of Redis: it has lost its last writes, and may no longer have some of the feeds."""
        with self._lock:
            self._written.clear()

    def written(self, feed: PatternFeed) -> str:
        """Return the feed's value as an article first wrote it; "" when no article has matched."""
        pattern, value = pattern_of(feed.name), feed.value
        with self._lock:
            written = self._written.get((pattern, value), "")
        if not written:
            written = self._client.hget(keys.pattern(pattern), value) or ""
            if written:
                with self._lock:
                    self._written[pattern, value] = written
        return written

    def had(self, pattern: str, value: str) -> bool:
        """Whether the pattern has or had a feed of that value, also when the settings no longer have the pattern."""
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
