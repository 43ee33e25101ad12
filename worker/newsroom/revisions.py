"""Saves a new revision of an article, together with the feeds that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from feeds.fingerprint import remembered
from worker.newsroom.apply_to_feeds import PlacedArticle
from worker.store.articles import StoredArticle

if TYPE_CHECKING:
    from datetime import datetime

    from feeds.article import Article
    from worker.newsroom.placement import ArticlePlacer
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.articles import Remains


class EndpointPages(Protocol):
    """What has to be known of the partners' pages."""

    def any_page_checks(self) -> bool:
        """Whether any endpoint names a page that is looked at after a kill."""


class Revisions:
    """Saves revisions, by compare-and-set. Threads may share it."""

    def __init__(self, store: Store, publication: Publication, placer: ArticlePlacer, pages: EndpointPages) -> None:
        self._store = store
        self._publication = publication
        self._placer = placer
        self._pages = pages

    def save(
        self,
        article: Article,
        before: StoredArticle | Remains,
        accepted: int,
        now: datetime,
        *,
        event: str,
        result: str = "",
    ) -> PlacedArticle | None:
        """Save an article in the place of what was read before; None when somebody else has saved it since.

        `event`, `result`: the id of its event, and what becomes of that. `accepted`: when it was accepted (ms).
        """
        feeds = before.feeds
        if feeds is None:
            # What takes the place of a damaged article leaves the feeds where that may have been.
            feeds = frozenset(definition.name for definition in self._publication.definitions)
        placements = self._placer.placements(article, feeds, now, self._placer.lists())
        fingerprints: tuple[str, ...] = ()
        if isinstance(before, StoredArticle) and self._pages.any_page_checks():
            # Nothing of a killed text is kept; by these it is recognized where somebody still shows it.
            fingerprints = remembered(before.fingerprints, before.article)
        stored = self._store.articles.save(
            article,
            before.rev,
            feeds | {placement.feed for placement in placements},
            accepted,
            fingerprints,
            due=article.due(now),
            event=event,
            result=result,
        )
        return PlacedArticle(stored, placements) if stored else None
