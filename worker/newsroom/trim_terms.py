"""What trimming has to know of the newsroom: which articles its feeds and lists need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS

if TYPE_CHECKING:
    from collections.abc import Collection

    from worker.newsroom.event_permit import EventPermit
    from worker.newsroom.placement import ArticlePlacer
    from worker.newsroom.publication import Publication


class TrimTerms:
    """Answers by our definitions, if they are the newest (worker/retention/trim.py)."""

    def __init__(self, publication: Publication, permit: EventPermit, placer: ArticlePlacer) -> None:
        self._publication = publication
        self._permit = permit
        self._placer = placer

    def may_trim(self) -> bool:
        """Whether this worker has the newest definitions of feeds."""
        return self._permit.charge is not None

    def limit(self, feed: str) -> int:
        """Return how many members the documents of a feed show; 0 when it is no longer a feed."""
        definition = self._publication.feed(feed)
        return definition.limit if definition else 0

    def picks(self) -> Collection[str]:
        """Return the ids of the articles in curated lists that feeds are made of."""
        return {pick for picks in self._placer.lists().values() for pick in picks}

    def formats(self) -> Collection[str]:
        """Return the names of the formats whose quality gate may refuse an article."""
        return {*FEED_FORMATS, *ARTICLE_FORMATS}
