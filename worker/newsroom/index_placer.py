"""Places articles of Redis in feeds that are new or defined anew. It is pushed to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.newsroom.placement import states
from worker.store import redis_errors

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.newsroom.placement import ArticlePlacer
    from worker.store import Store
    from worker.store.changes import State

log = structlog.get_logger()


class IndexPlacer:
    """Places a few articles at a time, in the feeds that are named. It may be done again."""

    def __init__(self, store: Store, placer: ArticlePlacer) -> None:
        self._store = store
        self._placer = placer

    def place(self, article_ids: list[str], feeds: Collection[str]) -> set[str]:
        """Place articles; return the feeds in which readers will see a difference.

        What is wrong with one of them keeps no other out of its feeds.
        """
        try:
            return self._place(article_ids, feeds)
        except Exception as error:
            if redis_errors.kind(error) != "bug":
                raise
        changed_feeds: set[str] = set()
        for article_id in article_ids:
            try:
                changed_feeds |= self._place([article_id], feeds)
            except Exception as error:
                if redis_errors.kind(error) != "bug":
                    raise
                log.exception(
                    "index_failed", article_id=article_id, next_step="it is in the feed with its next version"
                )
        return changed_feeds

    def _place(self, article_ids: list[str], only: Collection[str]) -> set[str]:
        changed_feeds: set[str] = set()
        while article_ids:
            now, lists = clock.agreed(), self._placer.lists()
            articles = self._store.articles.get_many(article_ids, keep=False)
            entering = []
            places: dict[str, list[tuple[str, int, str, State, int]]] = {}
            for article_id, stored in articles.items():
                placements = self._placer.placements(stored.article, stored.feeds, now, lists, only)
                feeds = stored.feeds | {placement.feed for placement in placements}
                if feeds != stored.feeds:
                    entering.append((stored, feeds))
                places[article_id] = [
                    (article_id, stored.article.version, feed, state, place)
                    for feed, (state, place) in states(stored.article, placements).items()
                ]
            # Before they are placed: an event that comes from then on finds the feed among those to be looked at.
            noted = zip(entering, self._store.articles.note_feeds(entering), strict=True)
            article_ids = [stored.article.id for (stored, _), after in noted if after is None]
            batch = [
                place
                for article_id, article_places in places.items()
                if article_id not in article_ids
                for place in article_places
            ]
            changed_feeds |= self._store.changes.place(clock.ms(now), batch)
        return changed_feeds
