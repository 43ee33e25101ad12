"""What a rebuild would change: the record compared with Redis, feed by feed, and nothing written.

Looks at what a rebuild looks at: windows, who follows, events that were not carried out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.record import rebuilding
from worker.record.articles import read_articles, window
from worker.retention.feed_rebuild import read_followers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from worker.record import Record
    from worker.retention.feed_rebuild import Followers
    from worker.store import Store

_EVENTS_AT_ONCE = 500
NAMES = 5
"""How many names of each kind are remembered."""


@dataclass(slots=True)
class Difference:
    """How many there are of one kind, and the names of the first."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.names) < NAMES:
            self.names.append(name)


KINDS = {
    "missing": "articles of windows that Redis does not have",
    "older": "articles that Redis has older than the record",
    "newer": "articles that Redis has newer than the record: they are still to be noted",
    "receivers": "receivers that Redis does not have",
    "cursors": "receivers that are less far in Redis than they are known to be",
    "heads": "feeds whose numbers in Redis are behind those of the record",
    "events": "accepted events that are neither carried out nor in Redis",
}
"""What may differ, in the order in which it is shown."""
HARMLESS = frozenset({"newer"})
"""What a rebuild would leave as it is."""


class Differences:
    """What differs between one Redis and one record. `window_of` returns how many articles a feed's documents show."""

    def __init__(self, store: Store, record: Record, window_of: Callable[[str], int]) -> None:
        self._store = store
        self._record = record
        self._window_of = window_of
        self.by_kind = {kind: Difference() for kind in KINDS}

    @property
    def any(self) -> bool:
        """Whether a rebuild would change anything."""
        return any(difference.count for kind, difference in self.by_kind.items() if kind not in HARMLESS)

    def compare(self) -> Iterator[tuple[int, int]]:
        """Compare all, and yield how many feeds are done, and of how many."""
        with self._record.read() as connection:
            feeds = rebuilding.feeds(connection)
        now = self._store.agreement.now()
        compared: set[str] = set()
        for done, (feed, row) in enumerate(sorted(feeds.items()), 1):
            with self._record.read() as connection:
                articles = self._window(connection, feed, compared)
                followers = read_followers(connection, feed, 0, now, now)
            for name, kind in self._store.restoring.missing(articles).items():
                self.by_kind[kind].add(name)
            if self._store.changes.head(feed).seq < row.head:
                self.by_kind["heads"].add(feed)
            self._compare_followers(feed, followers)
            yield done, len(feeds)
        self._compare_events()

    def _window(self, connection: Connection, feed: str, compared: set[str]) -> dict[str, tuple[int, int]]:
        """The articles of a feed's window that were not compared yet, as the record has them: (version, saves)."""
        names = [row.article_id for row in window(connection, feed, self._window_of(feed))]
        fresh = [name for name in names if name not in compared]
        compared.update(fresh)
        return {
            name: (row.article.version, row.article.saves)
            for name, row in read_articles(connection, fresh).items()
            if row.article.document is not None
        }

    def _compare_followers(self, feed: str, followers: Followers) -> None:
        expected = {row.receiver: row for row in followers.receivers}
        there = {row.id: row for row in self._store.receivers.get_many(feed, list(expected))}
        for name, row in expected.items():
            receiver = there.get(name)
            if receiver is None:
                self.by_kind["receivers"].add(f"{name} of {feed}")
            elif receiver.cursor < row.cursor:
                self.by_kind["cursors"].add(f"{name} of {feed}")

    def _compare_events(self) -> None:
        after = 0
        while True:
            with self._record.read() as connection:
                events = rebuilding.unfinished_events(connection, after, _EVENTS_AT_ONCE)
            if not events:
                return
            after = events[-1].number
            exist = self._store.restoring.entries_in([(event.is_kill, event.entry) for event in events])
            for event, is_there in zip(events, exist, strict=True):
                if not is_there:
                    self.by_kind["events"].add(event.event_id)
