"""Verification of intent (W3C WebSub, section 5.3): the subscriber is asked whether it sent the request.

A GET to the callback with a random challenge that is used once. Only a 2xx whose body is the challenge is a yes; a
redirect is a no. By rssCloud likewise; who named no domain there is asked by a notification, and any 2xx is a yes.
After a failure that may pass (no connection, 5xx) the subscriber is asked again, twice.
"""

from __future__ import annotations

import hmac
import secrets
from functools import partial
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from feeds.patterns import pattern_of
from worker import clock
from worker.outbound.errors import Fault
from worker.store.redis_errors import report
from worker.store.subscription_requests import WEBSUB

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from worker.hub.callback_requests import CallbackRequests
    from worker.hub.ended_subscriptions import EndedSubscriptions
    from worker.newsroom.publication import Publication
    from worker.outbound.transfer import Answer, Transfer
    from worker.store import Store
    from worker.store.subscription_requests import SubscriptionRequest
    from worker.wakeups import Wakeups

log = structlog.get_logger()

_BATCH = 100
_AGAIN_SECONDS = (10, 60)
"""Waits before the second and the third try."""
_NOT_ASKED = frozenset({Fault.NOT_STARTED, Fault.STOPPED, Fault.CROWDED})
"""The subscriber has not been asked, so it was no try."""


class IntentVerifier:
    """Asks subscribers. Their answers are taken in on `executor`.

    `most_per_host`, `most_per_client`: how many subscriptions of one feed a callback host and a client may have.
    """

    def __init__(
        self,
        store: Store,
        publication: Publication,
        callbacks: CallbackRequests,
        ended: EndedSubscriptions,
        wakeups: Wakeups,
        executor: Executor,
        *,
        most_per_host: int,
        most_per_client: int,
    ) -> None:
        self._store = store
        self._publication = publication
        self._callbacks = callbacks
        self._ended = ended
        self._wakeups = wakeups
        self._executor = executor
        self._most = (most_per_host, most_per_client)

    def verify(self, feed: str) -> None:
        """Ask about every request of the feed that is due. Returns when the questions are on their way.

        When the feed was removed from the settings its subscriptions end instead.
        """
        if self._publication.feed(feed) is None:
            former = self._store.definitions.former_feeds(clock.ms(clock.agreed()))
            if not former.isdisjoint((feed, pattern_of(feed))):
                self._ended.end_feed(feed)
            return
        while True:
            now = clock.ms(clock.agreed())
            requests = self._store.subscription_requests.claim_due(feed, now, _BATCH, now + self._callbacks.claim_ms)
            self._callbacks.send([self._question(feed, subscription, request) for subscription, request in requests])
            if len(requests) < _BATCH:
                return

    def _question(self, feed: str, subscription: str, request: SubscriptionRequest) -> Transfer:
        challenge = "" if request.protocol == "rsscloud-caller" else secrets.token_urlsafe(32)

        def on_answer(answer: Answer) -> None:
            self._executor.submit(self._take_answer, feed, subscription, request, challenge, answer)

        if not challenge:
            return self._callbacks.first_notification(request.callback, request.topic, on_answer)
        if request.protocol == "rsscloud":
            query = {"url": request.topic, "challenge": challenge}
        else:
            query = {"hub.mode": request.mode, "hub.topic": request.topic, "hub.challenge": challenge}
            if request.mode == "subscribe":
                query["hub.lease_seconds"] = str(request.lease)
        return self._callbacks.question(request.callback, query, on_answer, len(challenge) + 1)

    def _take_answer(
        self, feed: str, subscription: str, request: SubscriptionRequest, challenge: str, answer: Answer
    ) -> None:
        try:
            has_repeated_it = not challenge or hmac.compare_digest(answer.body, challenge.encode())
            if answer.fault is None and 200 <= answer.status < 300 and has_repeated_it:
                self._confirm(feed, subscription, request)
            elif _may_pass(answer) and request.tries < len(_AGAIN_SECONDS):
                self._retry(feed, subscription, request, answer)
            else:
                self._store.subscription_requests.refuse(feed, subscription, request)
                reason = answer.message or "the answer was not the challenge"
                self._log("intent_not_verified", subscription, request)(status=answer.status, reason=reason)
                self._count("refused")
        except RedisError as error:
            report(log, error, "the subscriber is asked again")

    def _confirm(self, feed: str, subscription: str, request: SubscriptionRequest) -> None:
        expires = clock.ms(clock.agreed()) + request.lease * 1000
        outcome = self._store.subscription_requests.confirm(feed, subscription, request, expires, *self._most)
        if outcome in ("host", "client"):
            # Other requests were verified while this subscriber was asked.
            self._log("intent_denied", subscription, request)(reason=f"too many subscriptions of this {outcome}")
            self._count("denied")
            if request.protocol == WEBSUB:
                reason = "too many subscriptions"
                self._callbacks.send([self._callbacks.denial(request.topic, request.callback, reason)])
            return
        self._log("intent_verified", subscription, request)(new=outcome == "new", superseded=outcome == "superseded")
        self._count("verified")
        # A new subscription is behind, and one in backoff has come forward.
        self._wakeups.distribute(feed)

    def _retry(self, feed: str, subscription: str, request: SubscriptionRequest, answer: Answer) -> None:
        was_asked = answer.fault not in _NOT_ASKED
        due = clock.ms(clock.agreed()) + _AGAIN_SECONDS[request.tries] * 1000
        self._store.subscription_requests.retry(feed, subscription, request, due, counts_as_try=was_asked)
        self._log("intent_not_answered", subscription, request)(
            status=answer.status, reason=answer.message, tries=request.tries + was_asked
        )
        self._count("retried")

    def _count(self, outcome: str) -> None:
        self._store.counters.add("dateline_verifications", outcome=outcome)

    @staticmethod
    def _log(event: str, subscription: str, request: SubscriptionRequest) -> partial[None]:
        return partial(log.info, event, mode=request.mode, topic=request.topic, subscription=subscription)


def _may_pass(answer: Answer) -> bool:
    return answer.fault is not None or answer.status in (408, 425, 429) or answer.status >= 500
