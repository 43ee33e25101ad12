"""Which articles a feed shows: its window, read once for all formats, and which of its articles are visible now."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from worker import clock
from worker.store.byte_cache import ROOM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from feeds.definition import FeedDefinition
    from worker.store import Store
    from worker.store.articles import StoredArticle
    from worker.store.changes import Window

_BYTES = 64 * 1024 * 1024
"""What windows and their articles take in memory that are kept for other formats and for the next document."""
_MEMBER_BYTES = 200
"""What a window takes for each of its articles beside the article itself, about."""


class FeedWindows:
    """The windows of feeds with their articles, at most `most` bytes of them. Threads may share it."""

    def __init__(self, store: Store, most: int = _BYTES) -> None:
        self._store = store
        self._last = _LastWindows(most)

    def read(self, definition: FeedDefinition, at_least: int = 0) -> tuple[Window, dict[str, StoredArticle]]:
        """Return the feed's window and its articles by id.

        All formats share one reading until the feed changes; then only the articles that changed are read again.
        `at_least`: the head of the feed as its caller knows it, who hears of each change; 0: Redis is asked for it.
        """
        era = self._last.era
        before, articles = self._last.get(definition.name)
        if before is not None and 0 < at_least <= before.head.seq:
            return before, articles
        window = self._store.changes.window(definition.name, definition.limit, before)
        if window is before:
            return window, articles
        if window.changed_articles is None:
            articles = {}
        unread = [name for name in window.members if name not in articles or name in (window.changed_articles or ())]
        fresh = self._store.articles.get_many(unread) if unread else {}
        articles = {name: stored for name in window.members if (stored := fresh.get(name) or articles.get(name))}
        return window, self._last.keep(definition.name, window, articles, era)

    def forget(self) -> None:
        """Read all windows anew: another Redis may have other changes under the same numbers."""
        self._last.forget()


class _LastWindows:
    """The last windows. An article of many feeds is kept, and counted, once; the oldest windows go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._windows: dict[str, tuple[Window, dict[str, StoredArticle]]] = {}
        self._articles: dict[tuple[str, str], tuple[StoredArticle, int]] = {}
        """By id and rev: the article, and in how many windows it is."""
        self._size = 0
        self._lock = Lock()
        self.era = 0
        """How often all of them were dropped."""

    def get(self, feed: str) -> tuple[Window | None, dict[str, StoredArticle]]:
        """Return the window of a feed with its articles; none if it is not kept."""
        return self._windows.get(feed) or (None, {})

    def keep(self, feed: str, window: Window, articles: dict[str, StoredArticle], era: int) -> dict[str, StoredArticle]:
        """Keep a window in place of the one before. Return its articles, as other windows have them too.

        `era`: when it was begun to be read; it is not kept if all were dropped since.
        """
        with self._lock:
            if era != self.era:
                return articles
            before = self._windows.pop(feed, None)
            former = before[1] if before else {}
            # Most of them are those of before: one article has come.
            shared = {
                name: stored if former.get(name) is stored else self._share(stored) for name, stored in articles.items()
            }
            for name, stored in former.items():
                if articles.get(name) is not stored:
                    self._release(stored)
            self._size += _room(shared) - (_room(former) if before else 0)
            self._windows[feed] = window, shared
            while self._size > self._most:
                self._drop(next(iter(self._windows)))
        return shared

    def forget(self) -> None:
        """Drop all of them."""
        with self._lock:
            self.era += 1
            self._windows.clear()
            self._articles.clear()
            self._size = 0

    def _share(self, stored: StoredArticle) -> StoredArticle:
        key = (stored.article.id, stored.rev)
        shared, windows = self._articles.get(key) or (stored, 0)
        self._articles[key] = shared, windows + 1
        if not windows:
            self._size += stored.size
        return shared

    def _release(self, stored: StoredArticle) -> None:
        key = (stored.article.id, stored.rev)
        shared, windows = self._articles.pop(key)
        if windows > 1:
            self._articles[key] = shared, windows - 1
        else:
            self._size -= stored.size

    def _drop(self, feed: str) -> None:
        _, articles = self._windows.pop(feed)
        for stored in articles.values():
            self._release(stored)
        self._size -= _room(articles)


def _room(articles: Mapping[str, StoredArticle]) -> int:
    return ROOM + _MEMBER_BYTES * len(articles)


def visible(article_ids: Iterable[str], articles: Mapping[str, StoredArticle], changed: int) -> list[StoredArticle]:
    """Return those of the articles that readers may see now, in the order of `article_ids`.

    `changed`: the feed's last change (ms).
    """
    now = moment_shown(changed)
    return [stored for name in article_ids if (stored := articles.get(name)) and stored.article.visible(now)]


def moment_shown(changed: int) -> datetime:
    """Return the moment at which a feed is shown whose last change was at `changed` (ms): now, or that change.

    The clock of another machine may be ahead of ours, and what that machine has released is released.
    """
    return max(clock.agreed(), clock.moment(changed))
