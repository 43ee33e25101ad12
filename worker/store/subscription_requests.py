"""Requests to the hub that wait until the subscriber confirms them (W3C WebSub, section 5.3), rssCloud's among them.

A request changes nothing until it is verified. The newest request of a subscription replaces the one before it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts


Protocol = Literal["websub", "rsscloud", "rsscloud-caller"]
"""By what protocol somebody subscribes. "rsscloud-caller": to the very address that the request comes from."""
WEBSUB: Protocol = "websub"
RSSCLOUD: frozenset[Protocol] = frozenset({"rsscloud", "rsscloud-caller"})
WINDOW_SECONDS = 60
"""How long requests are counted together, for limits."""


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """One request. `lease` in seconds; `requested` (ms) and `nonce` distinguish it from others of the subscription.

    `host`: the callback's; `client`: the address that sent the request.
    """

    mode: Literal["subscribe", "unsubscribe"]
    topic: str
    callback: str
    format: str
    secret: str
    lease: int
    requested: int
    nonce: str
    host: str
    client: str
    tries: int = 0
    protocol: Protocol = WEBSUB

    def as_json(self) -> str:
        """Return it as Redis keeps it: what is asked for by WebSub as releases wrote it that knew nothing else."""
        fields = asdict(self)
        if self.protocol == WEBSUB:
            del fields["protocol"]
        return _json(fields)


Confirmed = Literal["superseded", "done", "new", "host", "client"]
"""The outcome of a verified request: a newer one has replaced it; it is done; the subscription is new; or it is
refused, because the callback's host or the client has too many subscriptions."""


class SubscriptionRequests:
    """The requests that wait, by feed."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def admit(self, client: str, host: str, per_client: int, per_host: int) -> Literal["yes", "client", "host"]:
        """Count a request of a client for a callback host; return which of the two has used up its limit a minute."""
        windows = [keys.hub_window("client", client), keys.hub_window("host", host)]
        full = self._scripts.run("subscription_requests/admit", windows, [WINDOW_SECONDS, per_client, per_host])
        return ("yes", "client", "host")[full]

    def waiting(self, feed: str) -> int:
        """How many requests wait for verification."""
        return int(self._client.zcard(keys.feed(feed).verifications_due))

    def request(self, feed: str, subscription: str, request: SubscriptionRequest) -> None:
        """Keep a request; its verification is due at once."""
        k = keys.feed(feed)
        self._client.sadd(keys.RECEIVING, feed)
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(k.subscription_requests, subscription, request.as_json())
        pipe.zadd(k.verifications_due, {subscription: request.requested})
        pipe.execute()

    def claim_due(self, feed: str, now: int, limit: int, deadline: int) -> list[tuple[str, SubscriptionRequest]]:
        """Claim up to `limit` requests that are due at `now` (ms); they come due again at `deadline` (ms)."""
        k = keys.feed(feed)
        answer = self._scripts.run("due/claim", [k.verifications_due, k.subscription_requests], [now, limit, deadline])
        claimed = []
        for subscription, text in zip(answer[::2], answer[1::2], strict=True):
            try:
                claimed.append((subscription, SubscriptionRequest(**json.loads(text))))
            except (ValueError, TypeError) as error:
                self._client.zrem(k.verifications_due, subscription)
                self._damaged_records.report(
                    f"request {subscription} of {feed}", str(error), "it is dropped; the subscriber may repeat it"
                )
        return claimed

    def forget(self, feed: str) -> None:
        """Drop all requests of a feed that no longer exists."""
        k = keys.feed(feed)
        self._client.delete(k.verifications_due, k.subscription_requests)

    def confirm(
        self, feed: str, subscription: str, request: SubscriptionRequest, expires: int, per_host: int, per_client: int
    ) -> Confirmed:
        """Carry out a verified request, unless the host or the client has that many subscriptions in the feed."""
        details = {
            "callback": request.callback,
            "format": request.format,
            "secret": request.secret,
            "expires": expires,
            "host": request.host,
            "client": request.client,
        }
        if request.protocol in RSSCLOUD:
            details["protocol"] = "rsscloud"
        limits = (per_host, per_client)
        result = self._resolve(feed, subscription, request, request.mode, _json(details), expires, limits)
        confirmed: Confirmed = ("superseded", "done", "new", "host", "client")[result]
        return confirmed

    def subscription_counts(self, feed: str, host: str, client: str) -> tuple[int, int]:
        """How many subscriptions a callback host and a client have in the feed."""
        per_host, per_client = self._client.hmget(
            keys.feed(feed).subscription_counts, f"host:{host}", f"client:{client}"
        )
        return int(per_host or 0), int(per_client or 0)

    def refuse(self, feed: str, subscription: str, request: SubscriptionRequest) -> None:
        """Forget a request whose verification failed; an earlier subscription stays."""
        self._resolve(feed, subscription, request, "refuse", "", 0)

    def retry(
        self, feed: str, subscription: str, request: SubscriptionRequest, due: int, *, counts_as_try: bool
    ) -> None:
        """Verify again at `due` (ms). `counts_as_try`: the subscriber got the request for verification."""
        next_try = replace(request, tries=request.tries + counts_as_try)
        self._resolve(feed, subscription, request, "retry", next_try.as_json(), due)

    def _resolve(
        self,
        feed: str,
        subscription: str,
        request: SubscriptionRequest,
        verb: str,
        details: str,
        time: int,
        limits: tuple[int, int] = (0, 0),
    ) -> int:
        k = keys.feed(feed)
        return int(
            self._scripts.run(
                "subscription_requests/resolve",
                [
                    k.verifications_due,
                    k.subscription_requests,
                    k.receivers,
                    k.settled,
                    k.claimed,
                    k.backoff,
                    k.paused,
                    k.receiver_states,
                    k.leases,
                    k.subscription_counts,
                    k.outbox,
                ],
                [subscription, request.as_json(), verb, details, time, *limits],
            )
        )


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
