"""Carries out events of articles: published, corrected, killed, reinstated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from feeds.event import KillEvent
from feeds.lifecycle import Ignore, decide
from feeds.lineage import as_original
from worker.newsroom.event_outcomes import EventOutcome
from worker.store.articles import StoredArticle

if TYPE_CHECKING:
    from datetime import datetime

    from feeds.event import ArticleEvent
    from worker.newsroom.apply_to_feeds import FeedApplier
    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.lost_revisions import LostRevisions
    from worker.newsroom.revisions import Revisions
    from worker.newsroom.updates import Updates
    from worker.store import Store
    from worker.store.articles import Remains
    from worker.store.events import StreamEntry

log = structlog.get_logger()


class ArticleEvents:
    """Decides, saves and applies. The article is read once and placed once, unless others save it at the same time."""

    def __init__(
        self,
        store: Store,
        articles: ArticleReader,
        revisions: Revisions,
        updates: Updates,
        applier: FeedApplier,
        lost_revisions: LostRevisions,
    ) -> None:
        self._store = store
        self._articles = articles
        self._revisions = revisions
        self._updates = updates
        self._applier = applier
        self._lost_revisions = lost_revisions

    def carry_out(
        self, event: ArticleEvent | KillEvent, entry: StreamEntry, arrived: datetime, now: datetime
    ) -> EventOutcome:
        """Carry out the event of an entry; return what became of it.

        `arrived`: when it was accepted, as a time by which events are ordered.
        """
        changed_feeds: set[str] = set()
        while True:
            line, article_id, certain = [event.article.id], event.article.id, isinstance(event, KillEvent)
            before = None
            if event.article.evolved_from is None:
                before = self._articles.look_up_original(article_id, certain=certain)
            if before is None:
                line = self._store.lineage.trace(event.article.id, event.article.evolved_from)
                article_id = line[-1]
                changed_feeds |= self._updates.merge(line[:-1], article_id, now)
                before = self._articles.look_up(article_id, certain=certain)
            current = before.article if isinstance(before, StoredArticle) else None
            sent = self._updates.sent_as(line, event.article.version, before)
            original = as_original(event, article_id)
            decision = decide(current, original, now, arrived, sent)
            if isinstance(decision, Ignore):
                log.info("event_ignored", event_id=event.id, article_id=article_id, reason=decision.reason)
                self._store.counters.add("dateline_events", result=decision.reason)
                if isinstance(before, StoredArticle):
                    # A worker may have died after it had saved this revision. And a line that was just noted may put an
                    # article into a curated list in which an editor has picked the update.
                    changed_feeds |= self._applier.apply_stored(before, now, new_rev=len(line) > 1)
                    if not isinstance(original, KillEvent):
                        changed_feeds |= self._lost_revisions.end(original, entry, before, now, sent)
                return _ignored(decision, event, before, article_id, changed_feeds)
            result = getattr(decision, "change", "held")
            placed = self._revisions.save(decision.article, before, entry.accepted, now, event=event.id, result=result)
            if placed is None:
                continue
            # Whoever notes that it is an update looks afterwards whether it is there; so one of us sees the other.
            if isinstance(before, StoredArticle) or not placed.stored.is_update:
                break
        outcome = EventOutcome(result, changed_feeds, article_id, decision.article.version, unreported=True)
        try:
            changed_feeds |= self._applier.apply(placed, now)
        except Exception:
            # It is saved, so the next try finds nothing new to do.
            self.report(event.id, outcome)
            raise
        return outcome

    def report(self, event_id: str, outcome: EventOutcome) -> None:
        """Log and count an event that was carried out."""
        about = {"article_id": outcome.article_id, "version": outcome.version, "result": outcome.result}
        log.info("event_done", event_id=event_id, **about)
        self._store.counters.add("dateline_events", result=outcome.result)


def _ignored(
    decision: Ignore,
    event: ArticleEvent | KillEvent,
    before: StoredArticle | Remains,
    article_id: str,
    changed_feeds: set[str],
) -> EventOutcome:
    """The outcome of an event that changes nothing; or has changed something before, and is carried out once more."""
    if decision.reason == "duplicate" and isinstance(before, StoredArticle) and before.event == event.id:
        return EventOutcome(before.result or decision.reason, changed_feeds, article_id, before.article.version)
    return EventOutcome(decision.reason, changed_feeds, article_id)
