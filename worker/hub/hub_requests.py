"""Takes requests to subscribe and unsubscribe (W3C WebSub, sections 5.1 and 5.2).

A request is answered at once, before its verification, which happens later (worker/hub/intent_verifier.py).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from feeds.patterns import PatternFeed
from worker import clock
from worker.hub.request_form import HubRefused, fields_of, pinged_topics, required
from worker.store.subscription_requests import RSSCLOUD, WEBSUB, Protocol, SubscriptionRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from feeds.definition import FeedDefinition
    from feeds.formats.interface import FeedFormat
    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.wakeups import Wakeups

SECRET_BYTES = 199
"""Longest secret, in bytes of UTF-8 (section 5.1: less than 200)."""
BODY_BYTES = 16_384
"""Longest request in bytes: a callback, a topic and a secret fit many times."""
_SUBSCRIPTION_MODES: dict[str, Literal["subscribe", "unsubscribe"]] = {
    "subscribe": "subscribe",
    "unsubscribe": "unsubscribe",
}


@dataclass(frozen=True, slots=True)
class LeaseBounds:
    """How long subscriptions last: what is granted to a request without a wish, and the bounds of a wish."""

    default: timedelta
    least: timedelta
    most: timedelta

    def granted(self, lease_seconds: str | None) -> int:
        """Return the seconds granted for `hub.lease_seconds`; None: the field was not sent.

        Raises HubRefused for what is not a positive decimal integer (section 5.1).
        """
        if lease_seconds is None:
            return int(self.default.total_seconds())
        if not (lease_seconds.isascii() and lease_seconds.isdigit() and lease_seconds.strip("0")):
            raise HubRefused("hub.lease_seconds must be a positive whole number of seconds, or left out")
        seconds = int(lease_seconds) if len(lease_seconds) < 12 else int(self.most.total_seconds())
        return int(min(max(seconds, self.least.total_seconds()), self.most.total_seconds()))


@dataclass(frozen=True, slots=True)
class HubLimits:
    """What may be asked of the hub, so that nobody can have it flood a third party, or fill its memory.

    Requests a minute by one client address and for callbacks on one host; requests that wait in one feed; subscriptions
    of one feed for callbacks on one host and by one client address.
    """

    per_client: int
    per_host: int
    pending: int
    held_per_host: int
    held_per_client: int


class HubBusy(RuntimeError):
    """A limit is reached; the message says which. The client may try again after a minute."""


class Wish(NamedTuple):
    """What somebody asks for: the pushes of a topic at a callback, by a protocol. `lease` in seconds.

    `topic_field`, `callback_field`: what the protocol calls them.
    """

    mode: Literal["subscribe", "unsubscribe"]
    topic: str
    callback: str
    secret: str = ""
    lease: int = 0
    protocol: Protocol = WEBSUB
    topic_field: str = "hub.topic"
    callback_field: str = "hub.callback"


def subscription_id(topic: str, callback: str, protocol: Protocol = WEBSUB) -> str:
    """The key of a subscription: its topic and its callback (section 5.1), each verbatim, and the protocol."""
    kind = "c" if protocol in RSSCLOUD else "s"
    return kind + sha256(f"{topic}\0{callback}".encode()).hexdigest()[:24]


class HubRequests:
    """Takes requests. `check_callback` raises ValueError with the reason for a callback that may not be called."""

    def __init__(
        self,
        store: Store,
        publication: Publication,
        wakeups: Wakeups,
        leases: LeaseBounds,
        limits: HubLimits,
        check_callback: Callable[[str], None],
    ) -> None:
        self._store = store
        self._publication = publication
        self._wakeups = wakeups
        self._leases = leases
        self._limits = limits
        self._check_callback = check_callback

    def request(self, body: bytes, client: str, now: datetime) -> Literal["subscribe", "unsubscribe", "publish"]:
        """Take one form-encoded request of the client at an address; return its mode.

        Raises HubBusy when a limit is reached, HubRefused with a reason that the subscriber can act on, and
        redis.RedisError when it can't be kept.
        """
        fields = fields_of(body)
        if fields.get("hub.mode") == "publish":
            return self._take_ping(fields)
        mode = _SUBSCRIPTION_MODES.get(fields.get("hub.mode", ""))
        if mode is None:
            raise HubRefused("hub.mode must be subscribe, unsubscribe or publish")
        topic, callback = required(fields, "hub.topic"), required(fields, "hub.callback")
        secret = fields.get("hub.secret", "")
        if len(secret.encode()) > SECRET_BYTES:
            raise HubRefused(f"hub.secret must be at most {SECRET_BYTES} bytes long")
        lease = self._leases.granted(fields.get("hub.lease_seconds")) if mode == "subscribe" else 0
        self.keep(Wish(mode, topic, callback, secret, lease), client, now)
        return mode

    def keep(self, wish: Wish, client: str, now: datetime) -> None:
        """Keep a request of the client at an address, if it may be made; it is verified next. Raises as `request`."""
        definition, feed_format = self._find(wish)
        if definition.private and wish.mode == "subscribe":
            raise HubRefused(f"{wish.topic_field} is private, so it is pushed to nobody: fetch it with your key")
        try:
            self._check_callback(wish.callback)
        except ValueError as error:
            raise HubRefused(f"{wish.callback_field} {error}") from None
        # Without the port: another port is the same machine.
        host = urlsplit(wish.callback).hostname or ""
        subscription = subscription_id(wish.topic, wish.callback, wish.protocol)
        self._admit(definition.name, subscription, host, client, wish)
        request = SubscriptionRequest(
            mode=wish.mode,
            topic=wish.topic,
            callback=wish.callback,
            format=feed_format.name,
            secret=wish.secret,
            lease=wish.lease,
            requested=clock.ms(now),
            nonce=secrets.token_hex(8),
            host=host,
            client=client,
            protocol=wish.protocol,
        )
        self._store.subscription_requests.request(definition.name, subscription, request)
        self._wakeups.verify(definition.name)

    def _find(self, wish: Wish) -> tuple[FeedDefinition, FeedFormat]:
        feed = self._publication.find(wish.topic)
        if feed is None:
            raise HubRefused(
                f"{wish.topic_field} is not one of ours; the topics are listed at {self._publication.base_url}/feeds"
            )
        if isinstance(feed[0], PatternFeed) and not self._store.patterns.written(feed[0]):
            # Names that nobody needs must not become keys.
            raise HubRefused(f"{wish.topic_field} has had no article yet; subscribe when it has")
        return feed

    def _admit(self, feed: str, subscription: str, host: str, client: str, wish: Wish) -> None:
        """Count the request. Raises HubBusy or HubRefused when it is over a limit."""
        requests, limits = self._store.subscription_requests, self._limits
        full = requests.admit(client, host, limits.per_client, limits.per_host)
        if full != "yes":
            raise HubBusy(f"too many requests {'from you' if full == 'client' else f'for {host}'} in a minute")
        if requests.waiting(feed) >= limits.pending:
            raise HubBusy("too many requests for this topic wait for their verification")
        if wish.mode == "subscribe" and not self._store.receivers.exists(feed, subscription):
            per_host, per_client = requests.subscription_counts(feed, host, client)
            if per_host >= limits.held_per_host:
                raise HubRefused(
                    f"{wish.callback_field}: {host} has as many subscriptions of this topic as it may have"
                )
            if per_client >= limits.held_per_client:
                raise HubRefused("you have as many subscriptions of this topic as you may have")

    def _take_ping(self, fields: dict[str, str]) -> Literal["publish"]:
        """Take a ping that a topic has changed. We know that better than anybody: there is nothing to do."""
        for name, topic in pinged_topics(fields):
            if self._publication.find(topic) is None:
                raise HubRefused(f"{name} is not one of our topics")
        return "publish"
