"""Informs subscribers whose subscriptions have ended, with the reason (W3C WebSub, section 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.hub.callback_requests import CallbackRequests
    from worker.newsroom.publication import Publication
    from worker.store import Store

log = structlog.get_logger()


class EndedSubscriptions:
    """Ends subscriptions of feeds that were removed, and informs the subscribers."""

    def __init__(self, store: Store, publication: Publication, callbacks: CallbackRequests) -> None:
        self._store = store
        self._publication = publication
        self._callbacks = callbacks

    def end_feed(self, feed: str) -> None:
        """End the subscriptions of a feed that is no longer in the settings."""
        self._store.subscription_requests.forget(feed)
        denials = []
        for receiver in list(self._store.receivers.scan(feed)):
            if "callback" not in receiver.details:
                continue
            self._store.receivers.remove(feed, receiver.id, "the feed is no more")
            if _can_be_informed(receiver.details):
                topic = self._publication.topic(feed, receiver.details["format"])
                denials.append(self._callbacks.denial(topic, receiver.details["callback"], "this feed is no more"))
        self._callbacks.send(denials)
        log.warning(
            "subscriptions_ended", feed=feed, subscriptions=len(denials), reason="the feed is not in the settings"
        )

    def inform(self, feed: str, subscriptions: Sequence[dict[str, Any]]) -> None:
        """Inform the subscribers whose leases have ended; each subscription by its details."""
        self._callbacks.send(
            [
                self._callbacks.denial(
                    self._publication.topic(feed, details["format"]), details["callback"], "the lease has ended"
                )
                for details in subscriptions
                if _can_be_informed(details)
            ]
        )
        log.info("leases_ended", feed=feed, subscriptions=len(subscriptions))


def _can_be_informed(details: dict[str, Any]) -> bool:
    """Whether the subscriber's protocol has a word for it: rssCloud has none."""
    return "protocol" not in details
