"""Receivers: whoever has a cursor in a feed. A receiver is in exactly one of settled, claimed, backoff and paused.

Each move is one script. A claim carries a token; who comes with an old one changes nothing (fencing).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.keys import FeedKeys
    from worker.store.scripts import Client, Scripts

_SCAN = 1000
"""How many receivers one round trip lists."""
_LONGEST_CLAIM_MS = 3_660_000
"""No settings let a claim hold for longer."""
_LONGEST_BACKOFF_MS = 8 * 3_600_000
"""Nobody waits in backoff for longer (worker/receivers/policy.py)."""
_ENDED_AT_ONCE = 100
"""How many leases of a feed end in one sweep at the most: their subscribers are told."""


Position = Literal["settled", "claimed", "backoff", "paused"]
"""The set that a receiver is in."""


class Failing(NamedTuple):
    """How a receiver has been failing; times in ms, 0: none.

    `since`: the first failure since it took anything; `last`: the last one; `until` then it asked to be left alone.
    """

    since: int = 0
    last: int = 0
    until: int = 0


NOT_FAILING = Failing()


class ReceiverState(NamedTuple):
    """What is remembered of a receiver that is not plainly settled, in Redis as JSON (lua/receivers/state.part)."""

    token: int
    cursor: int
    failing: Failing
    reason: str

    @classmethod
    def parse(cls, text: str | None, cursor: int = 0) -> ReceiverState:
        """Read what the scripts keep; None, or a text that is damaged: nothing to remember, settled at `cursor`."""
        if not text:
            return cls(0, cursor, NOT_FAILING, "")
        try:
            state = json.loads(text)
            failing = Failing(state["since"], state["last"], state["until"])
            return cls(state["token"], state["cursor"], failing, state["reason"])
        except (ValueError, TypeError, LookupError):
            return cls(0, cursor, NOT_FAILING, "")


@dataclass(frozen=True, slots=True)
class Claim:
    """A timed hold on one receiver. `kind` is what its details hold: a subscription's or an endpoint's."""

    feed: str
    receiver: str
    token: int
    cursor: int
    failing: Failing
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claims:
    """What one claim brought: the head it was made at, the last kill, who is in backoff, and the receivers.

    `left`: the last change by which an article left otherwise. `trail`: what stands for the last moves of the head, and
    for no others should Redis lose time; the newest last.
    """

    head: int
    kill: int
    left: int
    backoff: int
    claims: list[Claim]
    trail: tuple[str, ...] = ()


@dataclass(slots=True)
class Settlement:
    """What came of a claim. `cursor` is how far the receiver is now; times in ms.

    Only for endpoints: `replayed`, the articles that were sent again; `undisputed`, those in dispute of which there was
    nothing to be said any more; `unspent`: how much of its rate it did not use.
    """

    claim: Claim
    verb: Literal["done", "back", "retry", "pause", "end"]
    cursor: int
    due: int = 0
    failing: Failing = NOT_FAILING
    reason: str = ""
    replayed: list[str] = field(default_factory=list)
    undisputed: list[str] = field(default_factory=list)
    unspent: int = 0
    alerted: bool = False
    """Operators have been told of it."""

    def arguments(self) -> tuple[Any, ...]:
        """The settlement as receivers/settle.lua takes it."""
        return (
            self.claim.receiver,
            self.claim.token,
            self.verb,
            self.cursor,
            self.due,
            *self.failing,
            self.reason,
        )


class SettledClaims(NamedTuple):
    """How many receivers are behind again, and who was fenced off."""

    behind: int
    fenced: list[str]


class FeedSweep(NamedTuple):
    """What a sweep of one feed found."""

    expired: int
    due: int
    behind: int
    verifications: int
    looks: int
    ended: list[dict[str, Any]]
    """Details of the subscriptions whose lease has ended."""


@dataclass(frozen=True, slots=True)
class ReceiverOverview:
    """A receiver as people look at it."""

    id: str
    state: Position
    score: int
    remembered: ReceiverState
    details: dict[str, Any]

    @property
    def cursor(self) -> int:
        """How far it is."""
        return self.score if self.state == "settled" else self.remembered.cursor


class Receivers:
    """The receivers of all feeds."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records

    def feeds(self) -> list[str]:
        """Names of the feeds that have or had receivers."""
        return sorted(self._client.smembers(keys.RECEIVING))

    def receiving(self, feeds: Collection[str]) -> set[str]:
        """Return those of the feeds that have or had receivers."""
        names = list(feeds)
        known = self._client.smismember(keys.RECEIVING, names) if names else []
        return {name for name, there in zip(names, known, strict=True) if there}

    def claim(self, feed: str, limit: int, deadline: int) -> Claims:
        """Claim up to `limit` receivers behind the head until `deadline` (ms)."""
        k = keys.feed(feed)
        answer = self._scripts.run(
            "receivers/claim",
            [k.meta, k.settled, k.claimed, k.receiver_states, k.receivers, k.backoff],
            [limit, deadline],
        )
        head, kill, left, backoff, trail, token = answer[:6]
        claims = []
        for i in range(6, len(answer), 4):
            cursor = int(answer[i + 1])
            hold = ReceiverState.parse(answer[i + 2], cursor)
            details = _details(answer[i], answer[i + 3])
            if not details:
                # Nobody knows any more where to send to.
                self.pause(feed, answer[i], deadline, "damaged")
                self._damaged_records.report(f"receiver {answer[i]} of {feed}", "its details are lost", "it is paused")
                continue
            claims.append(Claim(feed, answer[i], token, cursor, hold.failing, details))
        return Claims(head, kill, left, backoff, claims, tuple(trail.split()))

    def settle(self, feed: str, now: int, settlements: Sequence[Settlement]) -> SettledClaims:
        """End claims of one feed, in one round trip."""
        k = keys.feed(feed)
        answer = self._scripts.run(
            "receivers/settle",
            [
                k.meta,
                k.settled,
                k.claimed,
                k.backoff,
                k.paused,
                k.receiver_states,
                k.receivers,
                k.leases,
                k.subscription_counts,
            ],
            [now, *chain.from_iterable(settlement.arguments() for settlement in settlements)],
        )
        return SettledClaims(answer[0], answer[1:])

    def sweep(
        self, feeds: Sequence[str], now: int, limit: int, ended: int = 0, longest_claim: int = _LONGEST_CLAIM_MS
    ) -> dict[str, FeedSweep]:
        """Put right what time has changed among the receivers of these feeds, in one round trip.

        `limit`: how many claims and backoffs of a feed at the most; `ended` (ms): leases that end before it have ended,
        0: none; `longest_claim` (ms): one that ends later than that from now has ended. What can't be swept is told of
        and left out.
        """
        spaces = map(keys.feed, feeds)
        calls = [
            (
                [
                    k.meta,
                    k.settled,
                    k.claimed,
                    k.backoff,
                    k.paused,
                    k.receiver_states,
                    k.receivers,
                    k.leases,
                    k.verifications_due,
                    k.subscription_counts,
                    k.page_checks_due,
                    k.disputes_due,
                ],
                [now, limit, ended, _ENDED_AT_ONCE, longest_claim, _LONGEST_BACKOFF_MS],
            )
            for k in spaces
        ]
        swept = {}
        for feed, found in zip(feeds, self._scripts.run_each("receivers/sweep", calls), strict=True):
            if isinstance(found, Exception):
                self._damaged_records.report(f"receivers of {feed}", str(found), "the other feeds are swept")
            else:
                expired, due, behind, verifications, looks, *texts = found
                details = [known for known in map(_parsed, texts) if known]
                swept[feed] = FeedSweep(expired, due, behind, verifications, looks, details)
        return swept

    def backing_off(self, feed: str) -> Iterator[tuple[str, int, ReceiverState]]:
        """Each receiver in backoff with its due time (ms) and what is remembered of it."""
        k = keys.feed(feed)
        start = 0
        while found := self._client.zrange(k.backoff, start, start + _SCAN - 1, withscores=True):
            holds = self._client.hmget(k.receiver_states, [name for name, _ in found])
            for (name, due), hold in zip(found, holds, strict=True):
                yield name, int(due), ReceiverState.parse(hold)
            start += _SCAN

    def bring_forward(self, feed: str, dues: dict[str, int]) -> None:
        """Make receivers that are in backoff come due earlier (ms). Who has left backoff meanwhile is not touched."""
        if dues:
            self._client.zadd(keys.feed(feed).backoff, dues, xx=True, lt=True)

    def enroll(
        self, feed: str, receiver: str, details: dict[str, Any], since: int | None = None
    ) -> Literal["new", "back", "known"]:
        """Add an endpoint that is told what happens from now on; one that was removed has its old cursor.

        `since`: it is told what has happened since that change.
        """
        k = keys.feed(feed)
        self._client.sadd(keys.RECEIVING, feed)
        answer = self._scripts.run(
            "receivers/enroll",
            [k.meta, k.settled, k.paused, k.receiver_states, k.receivers],
            [receiver, json.dumps(details), "" if since is None else since],
        )
        return ("known", "new", "back")[answer]

    def details(self, feed: str, receiver: str) -> dict[str, Any]:
        """Return what is kept of a receiver beside where it stands; nothing when it is unknown."""
        details: dict[str, Any] = json.loads(self._client.hget(keys.feed(feed).receivers, receiver) or "{}")
        return details

    def note_backfill(self, feed: str, receiver: str, wanted: str) -> None:
        """Note what an endpoint still waits for of what was published before it came; "": nothing more."""
        self._scripts.run("receivers/note_backfill", [keys.feed(feed).receivers], [receiver, wanted])

    def pause(self, feed: str, receiver: str, now: int, reason: str) -> bool:
        """Pause a receiver, its cursor kept; False when it is unknown or paused."""
        k = keys.feed(feed)
        return bool(
            self._scripts.run(
                "receivers/pause",
                [k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers],
                [receiver, now, reason],
            )
        )

    def resume(self, feed: str, receiver: str) -> bool:
        """Take a paused receiver up again where it was; False when it was not paused."""
        k = keys.feed(feed)
        return bool(
            self._scripts.run("receivers/resume", [k.settled, k.paused, k.receiver_states, k.receivers], [receiver])
        )

    def remove(self, feed: str, receiver: str) -> None:
        """Remove a receiver wherever it stands; a worker that holds it is fenced off."""
        k = keys.feed(feed)
        self._scripts.run(
            "receivers/remove",
            [
                k.settled,
                k.claimed,
                k.backoff,
                k.paused,
                k.leases,
                k.receiver_states,
                k.receivers,
                k.subscription_counts,
            ],
            [receiver],
        )

    def exists(self, feed: str, receiver: str) -> bool:
        """Whether there is such a receiver."""
        return bool(self._client.hexists(keys.feed(feed).receivers, receiver))

    def existing(self, receivers: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return which of the receivers, (feed, receiver), there are, in feeds that are swept."""
        pipe = self._client.pipeline(transaction=False)
        for feed, receiver in receivers:
            pipe.hexists(keys.feed(feed).receivers, receiver)
            pipe.sismember(keys.RECEIVING, feed)
        answers = iter(pipe.execute())
        found = zip(receivers, answers, answers, strict=True)
        return {one for one, there, swept in found if there and swept}

    def count_subscriptions(self, feed: str) -> int:
        """How many subscriptions the feed has."""
        return int(self._client.zcard(keys.feed(feed).leases))

    def endpoints(self, feed: str) -> list[str]:
        """Names of the feed's receivers that are endpoints."""
        found = self._client.hscan_iter(keys.feed(feed).receivers, match="endpoint:*", count=_SCAN)
        return [name for name, _ in found]

    def ledger(self, feed: str, endpoint: str, article_ids: Sequence[str]) -> dict[str, str]:
        """What the endpoint holds of these articles: id -> `version:status:time:sha256`."""
        return self.ledgers(feed, {endpoint: article_ids})[endpoint]

    def ledgers(self, feed: str, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
        """What each of these endpoints holds of its articles, in one round trip."""
        asked = {endpoint: article_ids for endpoint, article_ids in wanted.items() if article_ids}
        pipe = self._client.pipeline(transaction=False)
        for endpoint, article_ids in asked.items():
            pipe.hmget(keys.feed(feed).ledger(endpoint), article_ids)
        found: dict[str, dict[str, str]] = {endpoint: {} for endpoint in wanted}
        for (endpoint, article_ids), values in zip(asked.items(), pipe.execute(), strict=True):
            found[endpoint] = {name: value for name, value in zip(article_ids, values, strict=True) if value}
        return found

    def counts(self, feed: str) -> dict[str, int]:
        """How many receivers are in each set, and how many, in whichever set, are behind."""
        return self.counts_of([feed])[feed]

    def counts_of(self, feeds: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return `counts` of each of these feeds, in one round trip."""
        calls: list[tuple[list[str], list[int]]] = []
        for feed in feeds:
            k = keys.feed(feed)
            calls.append(([k.meta, k.settled, k.claimed, k.backoff, k.paused, k.receiver_states], [_SCAN]))
        counted = {}
        for feed, found in zip(feeds, self._scripts.run_each("receivers/count", calls) if calls else [], strict=True):
            if isinstance(found, Exception):
                self._damaged_records.report(f"receivers of {feed}", str(found), "they are not counted")
            else:
                counted[feed] = dict(zip(("settled", "claimed", "backoff", "paused", "behind"), found, strict=True))
        return counted

    def get_many(self, feed: str, names: Sequence[str]) -> list[ReceiverOverview]:
        """Return these receivers as they are at one moment, so that none is passed over; those there are."""
        if not names:
            return []
        k = keys.feed(feed)
        sets = _sets(k)
        *scores, holds, details = self._scripts.read(
            *(("ZMSCORE", key, *names) for key in sets.values()),
            ("HMGET", k.receiver_states, *names),
            ("HMGET", k.receivers, *names),
        )
        found = []
        for name, places, hold, detail in zip(names, zip(*scores, strict=True), holds, details, strict=True):
            for state, score in zip(sets, places, strict=True):
                if score is not None and (known := _details(name, detail)):
                    found.append(
                        ReceiverOverview(name, state, int(score), ReceiverState.parse(hold, int(score)), known)
                    )
        return found

    def scan(self, feed: str) -> Iterator[ReceiverOverview]:
        """Every receiver of the feed, in no order; one that moves meanwhile may be passed over."""
        k = keys.feed(feed)
        for state, key in _sets(k).items():
            start = 0
            while found := self._client.zrange(key, start, start + _SCAN - 1, withscores=True):
                names = [name for name, _ in found]
                holds = self._client.hmget(k.receiver_states, names)
                details = self._client.hmget(k.receivers, names)
                for (name, score), hold, detail in zip(found, holds, details, strict=True):
                    if known := _details(name, detail):
                        yield ReceiverOverview(name, state, int(score), ReceiverState.parse(hold, int(score)), known)
                start += _SCAN


def _sets(k: FeedKeys) -> dict[Position, str]:
    return {"settled": k.settled, "claimed": k.claimed, "backoff": k.backoff, "paused": k.paused}


def _parsed(text: str | None) -> dict[str, Any]:
    """What is kept as a JSON object; nothing if it is lost or damaged."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _details(receiver: str, text: str | None) -> dict[str, Any]:
    """The details of a receiver. An endpoint is known by its name; a subscription whose details are lost has none."""
    kind, _, name = receiver.partition(":")
    return _parsed(text) or ({"endpoint": name} if kind == "endpoint" else {})
