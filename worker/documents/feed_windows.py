"""Which articles a feed shows: its window, read once for all formats, and which of its articles are visible now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker import clock
from worker.store.byte_cache import ByteCache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from feeds.definition import FeedDefinition
    from worker.store import Store
    from worker.store.articles import StoredArticle
    from worker.store.changes import Window

_WINDOW_BYTES = 64 * 1024 * 1024
"""What the articles of windows take in memory that are kept for other formats and for the next document."""


class FeedWindows:
    """The windows of feeds with their articles. Threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._windows: ByteCache[str, tuple[Window, dict[str, StoredArticle]]] = ByteCache(_WINDOW_BYTES)

    def read(self, definition: FeedDefinition) -> tuple[Window, dict[str, StoredArticle]]:
        """Return the feed's window and its articles by id.

        All formats share one reading until the feed changes; then only the articles that changed are read again.
        """
        before, articles = self._windows.get(definition.name) or (None, {})
        window = self._store.changes.window(definition.name, definition.limit, before)
        if window is before:
            return window, articles
        if window.changed_articles is None:
            articles = {}
        unread = [name for name in window.members if name not in articles or name in (window.changed_articles or ())]
        fresh = self._store.articles.get_many(unread) if unread else {}
        articles = {name: stored for name in window.members if (stored := fresh.get(name) or articles.get(name))}
        self._windows.keep(definition.name, (window, articles), sum(stored.size for stored in articles.values()))
        return window, articles

    def forget(self) -> None:
        """Read all windows anew: another Redis may have other changes under the same numbers."""
        self._windows.forget()


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
