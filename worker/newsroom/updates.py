"""Merges updates that came as documents with ids of their own (feeds/lineage.py) into the article that they update.

Documents may come in any order. When an update came before its original was known, it was published as an article of
its own. As soon as an event tells of which article it is an update, the original takes its text over, and the article
of its own leaves every feed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from feeds.lifecycle import Ignore, decide
from feeds.lineage import AS_ITSELF, Sent, as_original, merged, relation, stored_as_event
from worker.store.articles import StoredArticle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.newsroom.apply_to_feeds import FeedApplier
    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.revisions import Revisions
    from worker.store import Store
    from worker.store.articles import Remains

log = structlog.get_logger()


class Updates:
    """Knows how the documents of an article are related, and merges those that were published separately."""

    def __init__(self, store: Store, articles: ArticleReader, revisions: Revisions, applier: FeedApplier) -> None:
        self._store = store
        self._articles = articles
        self._revisions = revisions
        self._applier = applier

    def sent_as(self, line: Sequence[str], version: int | None, before: StoredArticle | Remains) -> Sent:
        """How the document with this line is sent, and what it is to the document whose text is stored."""
        stored_as = before.article.sent_as if isinstance(before, StoredArticle) else None
        if stored_as is None and len(line) == 1:
            return AS_ITSELF
        stored_line = self._store.lineage.trace(stored_as) if stored_as else line[-1:]
        related = relation(line, stored_line) if isinstance(before, StoredArticle) else "same"
        return Sent(line[0], version, related) if len(line) > 1 else Sent(relation=related)

    def merge(self, updates: Sequence[str], original: str, now: datetime) -> set[str]:
        """Have what is stored under the ids of updates become the original's; return the feeds that changed.

        Each step can be done again: an article says that it was merged only when the original has its text.
        """
        changed_feeds: set[str] = set()
        for update_id, stored in (self._articles.get_many(updates) if updates else {}).items():
            placed = None
            latest: StoredArticle | None = stored
            while latest is not None and latest.article.merged_into is None and placed is None:
                self._take_over(latest, original, now)
                remainder = merged(latest.article, original)
                placed = self._revisions.save(remainder, latest, latest.accepted, now, event=latest.event)
                if placed:
                    log.info("article_merged", article_id=update_id, into=original)
                else:
                    latest = self._articles.get(update_id)
            if placed:
                changed_feeds |= self._applier.apply(placed, now)
            elif latest:
                # It was merged before, by a worker that may have died before it recorded that.
                changed_feeds |= self._applier.apply_stored(latest, now)
        return changed_feeds

    def _take_over(self, update: StoredArticle, original: str, now: datetime) -> None:
        """Give the original the text of an article that is an update of it, unless the original's is newer."""
        event = stored_as_event(update.article)
        line = self._store.lineage.trace(update.article.sent_as or update.article.id)
        while True:
            before = self._articles.look_up(original, certain=True)
            sent = self.sent_as(line, event.article.version, before)
            current = before.article if isinstance(before, StoredArticle) else None
            decision = decide(current, as_original(event, original), now, update.article.arrived, sent)
            if isinstance(decision, Ignore):
                return
            if self._revisions.save(decision.article, before, update.accepted, now, event=update.event):
                return
