"""Makes the change log of every feed say what an article is: the last step of every event, and of time that passes.

It may run again at any time and by any worker: what a log says already is not recorded twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker import clock
from worker.newsroom.placement import states

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from feeds.selection import Placement
    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.placement import ArticlePlacer
    from worker.store import Store
    from worker.store.articles import StoredArticle


@dataclass(frozen=True, slots=True)
class PlacedArticle:
    """An article as it is stored, and what it does in each feed by what was known when it was placed."""

    stored: StoredArticle
    placements: list[Placement]


class FeedApplier:
    """Records articles in feeds. Threads may share it.

    `on_killed` is called with each feed that a killed article ever was in, each time that it is recorded there.
    """

    def __init__(
        self,
        store: Store,
        articles: ArticleReader,
        placer: ArticlePlacer,
        on_killed: Callable[[str, StoredArticle], None],
    ) -> None:
        self._store = store
        self._articles = articles
        self._placer = placer
        self._on_killed = on_killed

    def apply_latest(self, article_id: str, now: datetime, *, new_rev: bool = False) -> set[str]:
        """Read an article and apply it; return as `apply` does. Nothing changes when it is not there."""
        stored = self._articles.get(article_id)
        return self.apply_stored(stored, now, new_rev=new_rev) if stored else set()

    def apply_stored(self, stored: StoredArticle, now: datetime, *, new_rev: bool = False) -> set[str]:
        """Place an article that was just read, and apply it; return as `apply` does.

        `new_rev`: what its places depend on has changed, so whoever has placed it before must do so once more.
        """
        placed = self._place(stored, now, new_rev=new_rev)
        return self.apply(placed, now) if placed else set()

    def apply_as_seen(self, stored: StoredArticle, feeds: frozenset[str], now: datetime) -> set[str]:
        """As `apply_stored`; where it is not in these feeds, it leaves them as if it had been there until now."""
        placed = self._place(stored, now, ever_in=feeds)
        return self.apply(placed, now, feeds) if placed else set()

    def apply(self, placed: PlacedArticle, now: datetime, lost_feeds: Collection[str] = ()) -> set[str]:
        """Record an article in every feed as of `now`; return the feeds that changed and have receivers.

        `lost_feeds`: the feeds by way of which receivers may have it, although their logs have lost that.
        """
        changed_feeds: set[str] = set()
        current: PlacedArticle | None = placed
        while current:
            feeds, rev = self._record(current, now, lost_feeds)
            changed_feeds |= feeds
            article = current.stored.article
            if article.pubstatus == "canceled":
                for feed in current.stored.feeds:
                    self._on_killed(feed, current.stored)
            if rev in (current.stored.rev, None):
                break
            # Somebody else has saved it since it was placed. By what we recorded they may have found nothing to record.
            latest = self._articles.get(article.id)
            current = self._place(latest, now) if latest else None
        return changed_feeds

    def _place(
        self, stored: StoredArticle, now: datetime, *, new_rev: bool = False, ever_in: frozenset[str] = frozenset()
    ) -> PlacedArticle | None:
        """Place an article, and note the feeds that are new to it; None when it is not there any longer.

        `ever_in`: feeds that it was in, whether that is known or not.
        """
        latest: StoredArticle | None = stored
        while latest:
            before = latest.feeds | ever_in
            placements = self._placer.placements(latest.article, before, now, self._placer.lists())
            feeds = before | {placement.feed for placement in placements}
            if feeds == latest.feeds and not new_rev:
                return PlacedArticle(latest, placements)
            [noted] = self._store.articles.note_feeds([(latest, feeds)])
            if noted:
                return PlacedArticle(noted, placements)
            latest = self._articles.get(latest.article.id)
        return None

    def _record(self, placed: PlacedArticle, now: datetime, lost_feeds: Collection[str]) -> tuple[set[str], str | None]:
        """Record an article; return as `apply` does, and the rev that the article has after that."""
        article = placed.stored.article
        places = states(article, placed.placements)
        # No request with its text begins, in any process, once it is recorded.
        by_feed = {feed: state for feed, (state, _) in places.items()}
        left = {feed for feed in lost_feeds if by_feed.get(feed, "in") != "in"}
        if leaving := left.union(self._store.changes.leaving(article.id, by_feed)):
            self._store.withdrawals.announce([(feed, article.id) for feed in leaving])
        # Others may have scheduled it meanwhile, for an older revision; whoever saves a newer one does so after us.
        last = self._store.articles.last_step(article.id, article.due(now))
        questions = [self._store.receivers.receiving(list(places))] if places else []
        seqs, replies = self._store.changes.record_before(
            article.id, article.version, clock.ms(now), places, [*questions, *last], lost_feeds
        )
        receiving = dict(zip(places, replies[0], strict=True)) if questions else {}
        rev: str | None = replies[-1]
        return {feed for feed, seq in seqs.items() if seq and receiving[feed]}, rev
