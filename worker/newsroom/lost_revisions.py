"""Ends revisions that were carried out, and of which Redis has lost that they were.

What was pushed and not yet noted in the record when Redis loses what it had is known to nobody. The event of it is
carried out again, which finds what has come since: a kill that was carried out first, because kills go first, or a
correction by which the article is in other feeds. The event changes nothing then, but its receivers may have it. They
get the notice that whoever had it gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from feeds.lifecycle import Ignore, decide
from worker.store.agreement import CLOCKS_MS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from feeds.article import Article
    from feeds.event import ArticleEvent
    from feeds.lineage import Sent
    from worker.newsroom.apply_to_feeds import FeedApplier
    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.placement import ArticlePlacer
    from worker.newsroom.revisions import Revisions
    from worker.store import Store
    from worker.store.articles import StoredArticle
    from worker.store.events import StreamEntry

log = structlog.get_logger()


class LostRevisions:
    """Knows which events may have been carried out before Redis lost that. Threads may share it."""

    def __init__(
        self, store: Store, articles: ArticleReader, revisions: Revisions, placer: ArticlePlacer, applier: FeedApplier
    ) -> None:
        self._store = store
        self._articles = articles
        self._revisions = revisions
        self._placer = placer
        self._applier = applier

    def end(
        self, event: ArticleEvent, entry: StreamEntry, current: StoredArticle, now: datetime, sent: Sent
    ) -> set[str]:
        """Have the article leave the feeds that an event without effect may have brought it to before it was lost.

        `current`: the article as it is. Returns the feeds that changed.
        """
        if not self._may_have_been_carried_out(entry):
            return set()
        decision = decide(None, event, now, sent=sent)
        if isinstance(decision, Ignore):
            return set()
        lost = decision.article
        placements = self._placer.placements(lost, frozenset(), now, self._placer.lists())
        feeds = frozenset(placement.feed for placement in placements)
        latest = self._killed_after(lost, current, now) if feeds else None
        if latest is None:
            return set()
        changed_feeds = self._applier.apply_as_seen(latest, feeds, now)
        if changed_feeds:
            log.info(
                "lost_revision_ended", event_id=event.id, article_id=current.article.id, feeds=sorted(changed_feeds)
            )
        return changed_feeds

    def end_picks(self, picks: Sequence[str], feeds: frozenset[str], entry: StreamEntry, now: datetime) -> set[str]:
        """Have articles leave the feeds of a list that had them before that was lost; return the feeds that changed."""
        changed_feeds: set[str] = set()
        if picks and self._may_have_been_carried_out(entry):
            for stored in self._articles.get_many(picks).values():
                changed_feeds |= self._applier.apply_as_seen(stored, feeds, now)
        return changed_feeds

    def _killed_after(self, lost: Article, current: StoredArticle, now: datetime) -> StoredArticle | None:
        """The article; if it is killed, in a version above that of a lost revision, as a kill that knew it would have.

        Else receivers would take the notice for older than what they have. None: it is not there any longer.
        """
        latest: StoredArticle | None = current
        while latest is not None and latest.article.pubstatus == "canceled" and latest.article.version <= lost.version:
            killed = latest.article.model_copy(update={"version": lost.version + 1})
            placed = self._revisions.save(
                killed, latest, latest.accepted, now, event=latest.event, result=latest.result
            )
            latest = placed.stored if placed else self._articles.get(current.article.id)
        return latest

    def _may_have_been_carried_out(self, entry: StreamEntry) -> bool:
        if entry.kept_since is None:
            return False
        progress = self._store.agreement.progress()
        is_older = progress.work == "rebuild" and entry.accepted < progress.begun + CLOCKS_MS
        return is_older or self._store.events.was_lost(entry.number)
