"""Requests to subscribe and unsubscribe (W3C WebSub, sections 5.1 and 5.2).

A request is answered at once, before its verification, which happens later (worker/hub/intent_verifier.py).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

from feeds.patterns import MadeFeed
from worker import clock
from worker.store.subscription_requests import SubscriptionRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from worker.newsroom.publication import Publication
    from worker.store import Store
    from worker.wakeups import Wakeups

SECRET_BYTES = 199
"""Longest secret, in bytes of UTF-8 (section 5.1: less than 200)."""
BODY_BYTES = 16_384
"""Longest request in bytes: a callback, a topic and a secret fit many times."""
_MODES: dict[str, Literal["subscribe", "unsubscribe"]] = {"subscribe": "subscribe", "unsubscribe": "unsubscribe"}
_KNOWN = ("hub.callback", "hub.mode", "hub.topic", "hub.lease_seconds", "hub.secret")


class HubRefused(ValueError):
    """A request that the hub does not take; the message is for the subscriber."""


@dataclass(frozen=True, slots=True)
class LeaseBounds:
    """How long subscriptions last: what is given when nothing is asked for, and the bounds of what may be asked."""

    default: timedelta
    least: timedelta
    most: timedelta

    def granted(self, asked: str | None) -> int:
        """Return the seconds granted for `hub.lease_seconds`; None: it was not given.

        Raises HubRefused for what is no positive decimal integer (section 5.1).
        """
        if asked is None:
            return int(self.default.total_seconds())
        if not (asked.isascii() and asked.isdigit() and asked.strip("0")):
            raise HubRefused("hub.lease_seconds must be a positive whole number of seconds, or left out")
        seconds = int(asked) if len(asked) < 12 else int(self.most.total_seconds())
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
    """A limit is reached; the message says which. It may be asked again after a minute."""


def subscription_id(topic: str, callback: str) -> str:
    """The key of a subscription: its topic and its callback (section 5.1), each to the letter."""
    return "s" + sha256(f"{topic}\0{callback}".encode()).hexdigest()[:24]


class HubRequests:
    """Takes requests. `callback_allowed` raises ValueError with the reason for a callback that may not be called."""

    def __init__(
        self,
        store: Store,
        site: Publication,
        wakeups: Wakeups,
        leases: LeaseBounds,
        limits: HubLimits,
        callback_allowed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._site = site
        self._wakeups = wakeups
        self._leases = leases
        self._limits = limits
        self._callback_allowed = callback_allowed

    def request(self, body: bytes, client: str, now: datetime) -> Literal["subscribe", "unsubscribe", "publish"]:
        """Take one form-encoded request of the client at an address; return its mode.

        Raises HubBusy when a limit is reached, HubRefused with a reason that the subscriber can act on, and
        redis.RedisError when it can't be kept.
        """
        fields = _form(body)
        if fields.get("hub.mode") == "publish":
            return self._publish(fields)
        mode = _MODES.get(fields.get("hub.mode", ""))
        if mode is None:
            raise HubRefused("hub.mode must be subscribe, unsubscribe or publish")
        topic, callback = _needed(fields, "hub.topic"), _needed(fields, "hub.callback")
        found = self._site.find(topic)
        if found is None:
            raise HubRefused(f"hub.topic is not one of ours; the topics are listed at {self._site.base_url}/feeds")
        if isinstance(found[0], MadeFeed) and not self._store.patterns.written(found[0]):
            # Names that nobody needs must not become keys.
            raise HubRefused("hub.topic has had no article as yet; subscribe when it has")
        try:
            self._callback_allowed(callback)
        except ValueError as error:
            raise HubRefused(f"hub.callback {error}") from None
        secret = fields.get("hub.secret", "")
        if len(secret.encode()) > SECRET_BYTES:
            raise HubRefused(f"hub.secret must be at most {SECRET_BYTES} bytes long")
        lease = self._leases.granted(fields.get("hub.lease_seconds")) if mode == "subscribe" else 0
        definition, feed_format = found
        # Without the port: another port is the same machine.
        host = urlsplit(callback).hostname or ""
        self._admit(definition.name, subscription_id(topic, callback), host, client, mode)
        intent = SubscriptionRequest(
            mode=mode,
            topic=topic,
            callback=callback,
            format=feed_format.name,
            secret=secret,
            lease=lease,
            asked=clock.ms(now),
            nonce=secrets.token_hex(8),
            host=host,
            client=client,
        )
        self._store.subscription_requests.request(definition.name, subscription_id(topic, callback), intent)
        self._wakeups.verify(definition.name)
        return mode

    def _admit(self, feed: str, subscription: str, host: str, client: str, mode: str) -> None:
        """Count the request. Raises HubBusy or HubRefused when it is over a limit."""
        full = self._store.subscription_requests.admit(client, host, self._limits.per_client, self._limits.per_host)
        if full != "yes":
            raise HubBusy(f"too many requests {'from you' if full == 'client' else f'for {host}'} in a minute")
        if self._store.subscription_requests.waiting(feed) >= self._limits.pending:
            raise HubBusy("too many requests for this topic wait for their verification")
        if mode == "subscribe" and not self._store.receivers.exists(feed, subscription):
            per_host, per_client = self._store.subscription_requests.subscription_counts(feed, host, client)
            if per_host >= self._limits.held_per_host:
                raise HubRefused(f"hub.callback: {host} has as many subscriptions of this topic as it may have")
            if per_client >= self._limits.held_per_client:
                raise HubRefused("you have as many subscriptions of this topic as you may have")

    def _publish(self, fields: dict[str, str]) -> Literal["publish"]:
        """A ping that a topic has changed. We know that better than anybody: there is nothing to do."""
        for name in ("hub.url", "hub.topic"):
            for topic in fields.get(name, "").split("\n"):
                if topic and self._site.find(topic) is None:
                    raise HubRefused(f"{name} is not one of our topics")
        if not fields.get("hub.url") and not fields.get("hub.topic"):
            raise HubRefused("hub.url or hub.topic is missing")
        return "publish"


def _form(body: bytes) -> dict[str, str]:
    """The fields of a request. Unknown ones are ignored, as old subscribers send some; repeated ones are refused.

    Of a publish ping hub.url and hub.topic may come several times; their values are joined by line ends.
    """
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise HubRefused("the request is no form in UTF-8 (application/x-www-form-urlencoded)") from None
    fields: dict[str, str] = {}
    ping = ("hub.mode", "publish") in pairs
    for name, value in pairs:
        if name in fields and ping and name in ("hub.url", "hub.topic"):
            fields[name] += f"\n{value}"
        elif name in fields and (name in _KNOWN or name == "hub.url"):
            raise HubRefused(f"{name} is given more than once")
        else:
            fields[name] = value
    return fields


def _needed(fields: dict[str, str], name: str) -> str:
    if not fields.get(name):
        raise HubRefused(f"{name} is missing")
    return fields[name]
