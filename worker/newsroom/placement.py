"""Where an article belongs, by our definitions, the curated lists and the feeds of patterns that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from feeds.patterns import feed_name, pattern_of, slugs_of
from feeds.selection import Placement, matches, placements

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from feeds.article import Article
    from feeds.definition import FeedDefinition
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.changes import State

log = structlog.get_logger()


class EarlyFeeds(Protocol):
    """What has to be known of the partners' endpoints."""

    def feeds_with_early_access(self) -> Collection[str]:
        """Return the names of the feeds with an endpoint that may have articles before their embargo ends."""


class ArticlePlacer:
    """Works out in which feeds an article belongs. Threads may share it."""

    def __init__(self, store: Store, publication: Publication, endpoints: EarlyFeeds) -> None:
        self._store = store
        self._publication = publication
        self._endpoints = endpoints
        self.configured_names = frozenset(definition.name for definition in publication.definitions)
        """The feeds that are configured one by one."""
        self._list_names = sorted({definition.list for definition in publication.definitions if definition.list})
        self._reported_full: set[str] = set()

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Return the curated lists that feeds are made of, as they are now."""
        if not self._list_names:
            return {}
        lists = self._store.lists.get_many(self._list_names)
        originals = self._store.lineage.originals({pick for picks in lists.values() for pick in picks})
        # An editor may have picked an update by its own id, and two documents of one article.
        return {name: tuple(dict.fromkeys(originals[pick] for pick in picks)) for name, picks in lists.items()}

    def placements(
        self,
        article: Article,
        before: frozenset[str],
        now: datetime,
        lists: dict[str, tuple[str, ...]],
        only: Collection[str] | None = None,
    ) -> list[Placement]:
        """What the article does in the feeds. A feed of a pattern is made when the first article enters it.

        `before`: the feeds that it ever was in. `only`: the names of the definitions that are asked about; None: all.
        """
        visible = article.visible(now)
        early = self._endpoints.feeds_with_early_access() if article.waits(now) else ()
        names = {name for name in before - self.configured_names if only is None or pattern_of(name) in only}
        for pattern in self._publication.patterns.values():
            if (only is not None and pattern.name not in only) or not matches(pattern, article, {}):
                continue
            values = {
                value: written
                for value, written in slugs_of(pattern, article).items()
                if visible or feed_name(pattern, value) in early
            }
            existing = self._store.patterns.create(pattern.name, values, pattern.most) if values else {}
            names |= {feed_name(pattern, value) for value in existing}
            if len(existing) < len(values):
                self._report_full(pattern)
        definitions = [
            definition for definition in self._publication.definitions if only is None or definition.name in only
        ]
        of_patterns = self._publication.named(sorted(names - self.configured_names))
        return placements(article, (*definitions, *of_patterns), lists, before, now, early)

    def _report_full(self, pattern: FeedDefinition) -> None:
        if pattern.name not in self._reported_full:
            self._reported_full.add(pattern.name)
            log.error("pattern_full", feed=pattern.name, most=pattern.most, next_step="raise its setting `most`")


def states(article: Article, article_placements: Sequence[Placement]) -> dict[str, tuple[State, int]]:
    """Return what an article is in each of the feeds where it is placed, and its place there."""
    left: State = "killed" if article.pubstatus == "canceled" else "out"
    by_change: dict[str, State] = {"enters": "in", "stays": "in", "leaves": left, "waits": "early"}
    return {placement.feed: (by_change[placement.change], placement.order) for placement in article_placements}
