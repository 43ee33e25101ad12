"""Where an article belongs, by our definitions, the curated lists and the feeds of patterns that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from feeds.patterns import made_name, pattern_of, wanted
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


class Embargoes(Protocol):
    """What has to be known of the partners' endpoints."""

    def early(self) -> Collection[str]:
        """Return the names of the feeds with an endpoint that may have articles before their embargo ends."""


class ArticlePlacer:
    """Places articles in feeds. Threads may share it."""

    def __init__(self, store: Store, site: Publication, embargoes: Embargoes) -> None:
        self._store = store
        self._site = site
        self._embargoes = embargoes
        self.names = frozenset(definition.name for definition in site.definitions)
        """The feeds that are configured one by one."""
        self._lists = sorted({definition.list for definition in site.definitions if definition.list})
        self._told_full: set[str] = set()

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Return the curated lists that feeds are made of, as they are now."""
        lists = self._store.lists.get_many(self._lists)
        originals = self._store.lineage.originals({each for picks in lists.values() for each in picks})
        # An editor may have picked an update by its own id, and twice what is one article.
        return {name: tuple(dict.fromkeys(originals[each] for each in picks)) for name, picks in lists.items()}

    def placements(
        self,
        article: Article,
        before: frozenset[str],
        now: datetime,
        lists: dict[str, tuple[str, ...]],
        only: Collection[str] | None = None,
    ) -> list[Placement]:
        """What the article does in the feeds; those of patterns are made when first an article enters them.

        `before`: the feeds that it ever was in. `only`: the names of the definitions that are asked about; None: all.
        """
        visible = article.visible(now)
        early = self._embargoes.early() if article.waits(now) else ()
        names = {name for name in before - self.names if only is None or pattern_of(name) in only}
        for pattern in self._site.patterns.values():
            if (only is not None and pattern.name not in only) or not matches(pattern, article, {}):
                continue
            called = {
                value: written
                for value, written in wanted(pattern, article).items()
                if visible or made_name(pattern, value) in early
            }
            exist = self._store.patterns.create(pattern.name, called, pattern.most) if called else {}
            names |= {made_name(pattern, value) for value in exist}
            if len(exist) < len(called):
                self._full(pattern)
        definitions = [each for each in self._site.definitions if only is None or each.name in only]
        made = self._site.named(sorted(names - self.names))
        return placements(article, (*definitions, *made), lists, before, now, early)

    def _full(self, pattern: FeedDefinition) -> None:
        if pattern.name not in self._told_full:
            self._told_full.add(pattern.name)
            log.error("pattern_full", feed=pattern.name, most=pattern.most, next_step="raise its setting `most`")


def states(article: Article, found: Sequence[Placement]) -> dict[str, tuple[State, int]]:
    """Return what an article is in each of the feeds where it is placed, and its place there."""
    left: State = "killed" if article.pubstatus == "canceled" else "out"
    named: dict[str, State] = {"enters": "in", "stays": "in", "leaves": left, "waits": "early"}
    return {placement.feed: (named[placement.change], placement.order) for placement in found}
