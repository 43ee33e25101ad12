"""Carries out accepted events: each goes to the part that knows its kind, and the feeds that it changed are offered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from feeds import event as events
from feeds.event import ListEvent, RepeatEvent
from worker import clock

if TYPE_CHECKING:
    from datetime import datetime

    from worker.newsroom.article_events import ArticleEvents
    from worker.newsroom.event_outcomes import EventOutcome
    from worker.newsroom.feed_offers import FeedOffers
    from worker.newsroom.list_events import ListEvents
    from worker.newsroom.repeat_events import RepeatEvents
    from worker.store.events import StreamEntry

_AHEAD = timedelta(days=1)
"""How far the clock of Redis may be ahead of ours."""


class Publisher:
    """Carries out one event at a time. Threads may share it."""

    def __init__(
        self, article_events: ArticleEvents, list_events: ListEvents, repeat_events: RepeatEvents, offers: FeedOffers
    ) -> None:
        self._article_events = article_events
        self._list_events = list_events
        self._repeat_events = repeat_events
        self._offers = offers

    def carry_out(self, event: events.Event, entry: StreamEntry) -> EventOutcome:
        """Carry out the event of an entry; return what became of it. It can be done again without harm."""
        now = clock.agreed()
        if isinstance(event, ListEvent):
            outcome = self._list_events.carry_out(event, entry, now)
        elif isinstance(event, RepeatEvent):
            outcome = self._repeat_events.carry_out(event)
        else:
            outcome = self._article_events.carry_out(event, entry, arrived(entry), now)
        self._offers.offer(outcome.changed_feeds, urgent=events.kills(event))
        if outcome.unreported:
            self._article_events.report(event.id, outcome)
        return outcome


def arrived(entry: StreamEntry) -> datetime:
    """When Redis had the entry; now, if somebody gave an entry an id from the future: all after it have such ids."""
    now = clock.agreed()
    try:
        return entry.moment if entry.moment < now + _AHEAD else now
    except (ValueError, OverflowError):
        return now
