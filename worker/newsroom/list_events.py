"""Carries out events that set a curated list such as "Editor Picks"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.newsroom.event_outcomes import EventOutcome

if TYPE_CHECKING:
    from datetime import datetime

    from feeds.event import ListEvent
    from worker.newsroom.apply_to_feeds import FeedApplier
    from worker.newsroom.lost_revisions import LostRevisions
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.store.events import StreamEntry

log = structlog.get_logger()


class ListEvents:
    """Sets lists, and records every article that was or is in the feeds made of them."""

    def __init__(
        self, store: Store, publication: Publication, applier: FeedApplier, lost_revisions: LostRevisions
    ) -> None:
        self._store = store
        self._publication = publication
        self._applier = applier
        self._lost_revisions = lost_revisions

    def carry_out(self, event: ListEvent, entry: StreamEntry, now: datetime) -> EventOutcome:
        """Carry out an event; return what became of it."""
        name, picks = event.list.name, event.list.articles
        if self._store.lists.set(name, event.time, picks, event.id):
            log.info("list_updated", event_id=event.id, list=name, articles=len(picks))
        # Done again even when the list was set already: the worker that set it may have died before it came this far.
        picked = self._store.lists.get_many([name])[name]
        current = list(dict.fromkeys(self._store.lineage.originals(picked).values()))
        places = [(article_id, len(current) - place) for place, article_id in enumerate(current)]
        feeds = [definition.name for definition in self._publication.definitions if definition.list == name]
        members = [article_id for feed in feeds for article_id in self._store.changes.members(feed)]
        changed_feeds: set[str] = set()
        for article_id in dict.fromkeys((*members, *current)):
            # Another worker may have placed a new revision by the list as it was, and may save it after this.
            changed_feeds |= self._applier.apply_latest(article_id, now, new_rev=True)
        dropped = [pick for pick in self._store.lineage.originals(picks).values() if pick not in current]
        changed_feeds |= self._lost_revisions.end_picks(dropped, frozenset(feeds), entry, now)
        changed_feeds |= {feed for feed in feeds if self._store.changes.arrange(feed, clock.ms(now), places)}
        return EventOutcome("listed", changed_feeds)
