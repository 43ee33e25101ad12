"""Verification of intent (W3C WebSub, section 5.3): the subscriber is asked whether it asked; and denial (5.2).

A GET to the callback with a random challenge that is used once. Only a 2xx whose body is the challenge is a yes; a
redirect is a no. What passes for the moment (no connection, 5xx) is asked again twice. Subscribers of a feed that is no
more in the settings are told so, and their subscriptions end.
"""

from __future__ import annotations

import hmac
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import structlog
from redis.exceptions import RedisError

from feeds.patterns import pattern_of
from worker import clock
from worker.outbound.errors import RECEIVER_NOT_AT_FAULT, TRY_AGAIN_STATUSES
from worker.outbound.transfer import Answer, Transfer
from worker.store.redis_errors import report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from worker.newsroom.publication import Publication
    from worker.outbound.engine import Engine
    from worker.store import Store
    from worker.store.subscription_requests import SubscriptionRequest
    from worker.wakeups import Wakeups

log = structlog.get_logger()

_BATCH = 100
_AGAIN_SECONDS = (10, 60)
"""Waits before the second and the third try."""


class IntentVerifier:
    """Asks subscribers. `timeout` in seconds; answers are taken in on `executor`.

    `most_per_host`, `most_per_client`: how many subscriptions of one feed a callback host and a client may have.
    """

    def __init__(
        self,
        store: Store,
        site: Publication,
        engine: Engine,
        wakeups: Wakeups,
        executor: Executor,
        *,
        timeout: float,
        claim_seconds: float,
        most_per_host: int,
        most_per_client: int,
    ) -> None:
        self._store = store
        self._site = site
        self._engine = engine
        self._wakeups = wakeups
        self._executor = executor
        self._timeout = timeout
        self._claim_seconds = claim_seconds
        self._most = (most_per_host, most_per_client)

    def verify(self, feed: str) -> None:
        """Ask about every request of the feed that is due. Returns when the questions are on their way."""
        if self._site.feed(feed) is None:
            former = self._store.definitions.former_feeds(clock.ms(clock.agreed()))
            if not former.isdisjoint((feed, pattern_of(feed))):
                self._deny(feed)
            return
        while True:
            now = clock.ms(clock.agreed())
            deadline = now + int(self._claim_seconds * 1000)
            taken = self._store.subscription_requests.claim_due(feed, now, _BATCH, deadline)
            self._engine.submit([self._question(feed, subscription, intent) for subscription, intent in taken])
            if len(taken) < _BATCH:
                return

    def _question(self, feed: str, subscription: str, intent: SubscriptionRequest) -> Transfer:
        challenge = secrets.token_urlsafe(32)
        query = {"hub.mode": intent.mode, "hub.topic": intent.topic, "hub.challenge": challenge}
        if intent.mode == "subscribe":
            query["hub.lease_seconds"] = str(intent.lease)
        url = _with_query(intent.callback, query)

        def on_answer(answer: Answer) -> None:
            self._executor.submit(self._answered, feed, subscription, intent, challenge, answer)

        return Transfer(
            url,
            b"",
            [],
            self._timeout,
            time.monotonic() + self._claim_seconds,
            on_answer,
            method="GET",
            keep_bytes=len(challenge) + 1,
            receiver=intent.callback,
            question=True,
        )

    def _deny(self, feed: str) -> None:
        """End the subscriptions of a feed that is no more, and tell the subscribers why."""
        self._store.subscription_requests.forget(feed)
        told = []
        for receiver in list(self._store.receivers.scan(feed)):
            if "callback" not in receiver.details:
                continue
            self._store.receivers.remove(feed, receiver.id)
            topic = self._site.topic(feed, receiver.details["format"])
            told.append(self._denial(topic, receiver.details["callback"], "this feed is no more"))
        self._engine.submit(told)
        log.warning("subscriptions_ended", feed=feed, subscriptions=len(told), reason="the feed is not in the settings")

    def end(self, feed: str, ended: Sequence[dict[str, Any]]) -> None:
        """Tell the subscribers whose leases have ended that they are sent nothing more (section 5.2)."""
        self._engine.submit(
            [
                self._denial(self._site.topic(feed, details["format"]), details["callback"], "the lease has ended")
                for details in ended
            ]
        )
        log.info("leases_ended", feed=feed, subscriptions=len(ended))

    def _denial(self, topic: str, callback: str, reason: str) -> Transfer:
        """Tell a subscriber that it has no subscription (section 5.2). It need not answer."""
        url = _with_query(callback, {"hub.mode": "denied", "hub.topic": topic, "hub.reason": reason})
        deadline = time.monotonic() + self._claim_seconds
        return Transfer(
            url,
            b"",
            [],
            self._timeout,
            deadline,
            lambda _: None,
            method="GET",
            keep_bytes=0,
            receiver=callback,
            question=True,
        )

    def _answered(
        self, feed: str, subscription: str, intent: SubscriptionRequest, challenge: str, answer: Answer
    ) -> None:
        told = partial(log.info, mode=intent.mode, topic=intent.topic, subscription=subscription)
        try:
            if 200 <= answer.status < 300 and hmac.compare_digest(answer.body, challenge.encode()):
                expires = clock.ms(clock.agreed()) + intent.lease * 1000
                result = self._store.subscription_requests.confirm(feed, subscription, intent, expires, *self._most)
                if result in ("host", "client"):
                    # Others came first while this one was asked.
                    told("intent_denied", reason=f"too many subscriptions of this {result}")
                    self._store.counters.add("dateline_verifications", outcome="denied")
                    self._engine.submit([self._denial(intent.topic, intent.callback, "too many subscriptions")])
                    return
                told("intent_verified", new=result == "new", superseded=result == "superseded")
                self._store.counters.add("dateline_verifications", outcome="verified")
                # A new subscription is behind, and one in backoff has come forward.
                self._wakeups.distribute(feed)
            elif self._passing(answer) and intent.tries < len(_AGAIN_SECONDS):
                tried = answer.fault not in RECEIVER_NOT_AT_FAULT
                due = clock.ms(clock.agreed()) + _AGAIN_SECONDS[intent.tries] * 1000
                self._store.subscription_requests.retry(feed, subscription, intent, due, tried=tried)
                told("intent_not_answered", status=answer.status, reason=answer.message, tries=intent.tries + tried)
                self._store.counters.add("dateline_verifications", outcome="retried")
            else:
                self._store.subscription_requests.refuse(feed, subscription, intent)
                reason = answer.message or "the answer was not the challenge"
                told("intent_not_verified", status=answer.status, reason=reason)
                self._store.counters.add("dateline_verifications", outcome="refused")
        except RedisError as error:
            report(log, error, "the subscriber is asked again")

    @staticmethod
    def _passing(answer: Answer) -> bool:
        return answer.fault is not None or answer.status in TRY_AGAIN_STATUSES or answer.status >= 500


def _with_query(callback: str, query: dict[str, str]) -> str:
    """The callback with our parameters. Appended as text: its own query stays to the letter (section 5.1.1)."""
    return f"{callback}{'&' if '?' in callback else '?'}{urlencode(query)}"
