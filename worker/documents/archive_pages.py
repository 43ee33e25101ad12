"""Which articles an archive of a feed has: those that are hot from Redis, those that are cold from the record.

Nothing is brought back for it: what readers go through once in a while stays where it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.record.availability import RecordAway
from worker.record.feed_past import members_beside, members_between

if TYPE_CHECKING:
    from feeds.archive import Period
    from feeds.definition import FeedDefinition
    from worker.retention.recorded import RecordedArticles
    from worker.store import Store
    from worker.store.articles import StoredArticle
    from worker.store.changes import ArchivePage

_BESIDE = 20
"""So many neighbours are asked for: some may have left the feed, and the record not know it yet."""


class ArchivePages:
    """Reads them. Threads may share it."""

    def __init__(self, store: Store, recorded: RecordedArticles) -> None:
        self._store = store
        self._recorded = recorded

    def read(self, definition: FeedDefinition, period: Period) -> tuple[ArchivePage, dict[str, StoredArticle]]:
        """Return what lies in a period, and its articles by id. Raises RecordAway when some of it is cold."""
        feed = definition.name
        page = self._store.changes.archive_page(feed, period.start, period.end, definition.limit)
        if page.cold:
            if self._recorded.is_missing:
                raise RecordAway("the record's file is gone: see data_dir and record_url")
            page = self._with_cold(feed, period, page)
        articles = self._store.articles.get_many(page.members)
        cold = [name for name in page.members if name not in articles]
        return page, articles | (self._recorded.stored(cold) if page.cold else {})

    def _with_cold(self, feed: str, period: Period, page: ArchivePage) -> ArchivePage:
        answer = self._recorded.ask(
            lambda connection: (
                members_between(connection, feed, period.start, period.end),
                members_beside(connection, feed, period.start, _BESIDE, below=True),
                members_beside(connection, feed, period.end, _BESIDE, below=False),
            )
        )
        between, below, above = answer or ([], [], [])
        states = self._store.changes.states(feed, [name for name, _ in (*between, *below, *above)])
        members = {name: place for name, place in between if states.get(name, "in") == "in"}
        members |= {name: int(place) for name, place in self._store.changes.places(feed, page.members).items()}
        older = [place for name, place in below if states.get(name, "in") == "in"]
        newer = [place for name, place in above if states.get(name, "in") == "in"]
        return replace(
            page,
            members=tuple(sorted(members, key=lambda name: (members[name], name), reverse=True)),
            older=max([*older, *([] if page.older is None else [page.older])], default=None),
            newer=min([*newer, *([] if page.newer is None else [page.newer])], default=None),
        )
