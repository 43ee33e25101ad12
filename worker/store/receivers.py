"""Receivers: whoever has a cursor in a feed. A receiver is in exactly one of settled, claimed, backoff and paused.

Each move is one script. A claim carries a token; a worker with an old token changes nothing (fencing).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic_core import from_json

from worker.store import keys
from worker.store.receiver_states import NOT_FAILING, Failing, Position, ReceiverState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.keys import FeedKeys
    from worker.store.scripts import Client, Scripts

_SCAN = 1000
"""How many receivers one round trip lists."""
_ALL = 1_000_000_000
"""More receivers than any feed has."""
_LONGEST_CLAIM_MS = 3_660_000
"""No settings allow a longer claim."""
_LONGEST_BACKOFF_MS = 8 * 3_600_000
"""Nobody waits in backoff for longer (worker/receivers/policy.py)."""
_ENDED_AT_ONCE = 100
"""How many leases of a feed end in one sweep at the most: each of their subscribers gets a request."""


class Claim(NamedTuple):
    """A receiver that one worker serves for a limited time. `details` are a subscription's or an endpoint's."""

    feed: str
    receiver: str
    token: int
    cursor: int
    failing: Failing
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claims:
    """The receivers that were claimed, and the feed at that moment.

    `head`, `kill`, `left`: the numbers of its last change, its last kill, and the last change by which an article left
    in another way. `backoff`: how many receivers are in backoff. `trail`: stamps of the head's last moves, the newest
    last; no other moves have the same ones, even when Redis has lost its last writes. `may_be_more`: whether others may
    be behind that were not claimed.
    """

    head: int
    kill: int
    left: int
    backoff: int
    claims: list[Claim]
    trail: tuple[str, ...] = ()
    may_be_more: bool = False


@dataclass(slots=True)
class Settlement:
    """How a claim ends. `cursor`: up to which change the receiver is up to date now; times in ms.

    Only for endpoints: `replayed`, the articles that were sent again; `undisputed`, the articles in dispute of which it
    needs nothing more; `unspent`: how many requests its rate allowed and it did not get.
    """

    claim: Claim
    verb: Literal["done", "back", "retry", "pause", "end"]
    cursor: int
    due: int = 0
    failing: Failing = NOT_FAILING
    reason: str = ""
    replayed: Sequence[str] = ()
    undisputed: Sequence[str] = ()
    unspent: int = 0
    alerted: bool = False
    """Operators have been alerted to it."""

    def arguments(self) -> tuple[Any, ...]:
        """The settlement as receivers/settle.lua takes it."""
        if self.verb == "done":
            return self.claim.receiver, self.claim.token, self.cursor
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
    """How many receivers are behind again, and those whose claim another worker had taken over."""

    behind: int
    fenced: list[str]


class FeedSweep(NamedTuple):
    """How many things a sweep of one feed corrected (`expired`, `due`), and how many wait for other rooms."""

    expired: int
    due: int
    behind: int
    verifications: int
    page_checks: int
    unnoted: int
    """Entries of the outbox."""
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
        """Up to which change it is up to date."""
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

    @staticmethod
    def receiving(feeds: Sequence[str]) -> tuple[str, ...]:
        """Return the command that asks of each of the feeds whether it has or had receivers, for a round trip."""
        return ("SMISMEMBER", keys.RECEIVING, *feeds)

    def claim(self, feed: str, limit: int, deadline: int, shared_above: int = _ALL) -> Claims:
        """Claim up to `limit` receivers behind the head until `deadline` (ms).

        Of more than `shared_above` that are behind only half, so that who claims next has something to do as well.
        """
        k = keys.feed(feed)
        answer = self._scripts.run(
            "receivers/claim",
            [k.meta, k.settled, k.claimed, k.receiver_states, k.receivers, k.backoff, k.pulled],
            [limit, deadline, shared_above],
        )
        may_be_more, head, kill, left, backoff, trail, token = answer[:7]
        claims = []
        for i in range(7, len(answer), 4):
            cursor, state = int(answer[i + 1]), answer[i + 2]
            failing = ReceiverState.parse(state, cursor).failing if state else NOT_FAILING
            details = _details(answer[i], answer[i + 3])
            if not details:
                # Its address is lost.
                self.pause(feed, answer[i], deadline, "damaged")
                self._damaged_records.report(f"receiver {answer[i]} of {feed}", "its details are lost", "it is paused")
                continue
            claims.append(Claim(feed, answer[i], token, cursor, failing, details))
        return Claims(head, kill, left, backoff, claims, tuple(trail.split()), bool(may_be_more))

    def settle(self, feed: str, now: int, settlements: Sequence[Settlement]) -> SettledClaims:
        """End claims of one feed, in one round trip."""
        k = keys.feed(feed)
        done = [settlement.arguments() for settlement in settlements if settlement.verb == "done"]
        unserved = [settlement.arguments() for settlement in settlements if settlement.verb != "done"]
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
                k.outbox,
            ],
            [now, len(done), *chain.from_iterable(done), *chain.from_iterable(unserved)],
        )
        return SettledClaims(answer[0], answer[1:])

    def sweep(
        self, feeds: Sequence[str], now: int, limit: int, ended: int = 0, longest_claim: int = _LONGEST_CLAIM_MS
    ) -> dict[str, FeedSweep]:
        """Correct what time has changed among the receivers of these feeds, in one round trip.

        `limit`: how many claims and backoffs of a feed at the most; `ended` (ms): leases that end before it have ended,
        0: none; `longest_claim` (ms): a claim that ends later than that from now was made by a clock that has been set
        back since, and has ended. A feed that can't be swept is reported and left out.
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
                    k.outbox,
                    k.pulled,
                ],
                [now, limit, ended, _ENDED_AT_ONCE, longest_claim, _LONGEST_BACKOFF_MS],
            )
            for k in spaces
        ]
        swept = {}
        for feed, answer in zip(feeds, self._scripts.run_each("receivers/sweep", calls), strict=True):
            if isinstance(answer, Exception):
                self._damaged_records.report(f"receivers of {feed}", str(answer), "the other feeds are swept")
            else:
                expired, due, behind, verifications, page_checks, unnoted, *texts = answer
                details = [subscription for subscription in map(_json_object, texts) if subscription]
                swept[feed] = FeedSweep(expired, due, behind, verifications, page_checks, unnoted, details)
        return swept

    def backing_off(self, feed: str) -> Iterator[tuple[str, int, ReceiverState]]:
        """Yield each receiver in backoff, with its due time (ms) and its state."""
        k = keys.feed(feed)
        start = 0
        while due_times := self._client.zrange(k.backoff, start, start + _SCAN - 1, withscores=True):
            states = self._client.hmget(k.receiver_states, [name for name, _ in due_times])
            for (name, due), state in zip(due_times, states, strict=True):
                yield name, int(due), ReceiverState.parse(state)
            start += _SCAN

    def bring_forward(self, feed: str, dues: dict[str, int]) -> None:
        """Let receivers in backoff come due earlier (ms). One that has left backoff meanwhile stays as it is."""
        if dues:
            self._client.zadd(keys.feed(feed).backoff, dues, xx=True, lt=True)

    def enroll(
        self, feed: str, receiver: str, details: dict[str, Any], since: int | None = None, *, pulled: bool = False
    ) -> Literal["new", "back", "known"]:
        """Add an endpoint that gets what changes from now on; one that was removed before gets its old cursor back.

        `since`: it gets what has changed after that change. `pulled`: its partner reads for itself, so no worker
        claims it.
        """
        k = keys.feed(feed)
        self._client.sadd(keys.RECEIVING, feed)
        answer = self._scripts.run(
            "receivers/enroll",
            [k.meta, k.settled, k.paused, k.receiver_states, k.receivers, k.outbox, k.pulled],
            [receiver, json.dumps(details), "" if since is None else since, int(pulled)],
        )
        return ("known", "new", "back")[answer]

    def keep_from_claims(self, feed: str, receiver: str) -> None:
        """Have no worker claim a receiver: its partner reads for itself."""
        self._client.sadd(keys.feed(feed).pulled, receiver)

    def acknowledge(self, feed: str, receiver: str, cursor: int) -> bool:
        """Note that a receiver which reads for itself is up to date up to a change; False while it is claimed."""
        k = keys.feed(feed)
        places = [k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers]
        return bool(self._scripts.run("receivers/acknowledge", places, [receiver, cursor]) >= 0)

    def details(self, feed: str, receiver: str) -> dict[str, Any]:
        """Return the details of a receiver, such as its address; empty when it is unknown."""
        details: dict[str, Any] = json.loads(self._client.hget(keys.feed(feed).receivers, receiver) or "{}")
        return details

    def note_backfill(self, feed: str, receiver: str, progress: str) -> None:
        """Note how far the backfill of an endpoint is; "": it is complete."""
        self._scripts.run("receivers/note_backfill", [keys.feed(feed).receivers], [receiver, progress])

    def pause(self, feed: str, receiver: str, now: int, reason: str) -> bool:
        """Pause a receiver, its cursor kept; False when it is unknown or paused."""
        k = keys.feed(feed)
        return bool(
            self._scripts.run(
                "receivers/pause",
                [k.settled, k.claimed, k.backoff, k.paused, k.receiver_states, k.receivers, k.outbox],
                [receiver, now, reason],
            )
        )

    def resume(self, feed: str, receiver: str) -> bool:
        """Take a paused receiver up again where it was; False when it was not paused."""
        k = keys.feed(feed)
        return bool(
            self._scripts.run(
                "receivers/resume", [k.settled, k.paused, k.receiver_states, k.receivers, k.outbox], [receiver]
            )
        )

    def remove(self, feed: str, receiver: str, reason: str) -> None:
        """Remove a receiver wherever it stands, and why; a worker that has claimed it is fenced off."""
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
                k.outbox,
            ],
            [receiver, reason],
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
        checked = zip(receivers, answers, answers, strict=True)
        return {receiver for receiver, exists, is_swept in checked if exists and is_swept}

    def count_subscriptions(self, feed: str) -> int:
        """How many subscriptions the feed has."""
        return int(self._client.zcard(keys.feed(feed).leases))

    def leases_ending(self, feeds: Sequence[str], start: int, end: int) -> dict[str, int]:
        """Return how many subscriptions of each of the feeds end between two times (ms), where there are any."""
        pipe = self._client.pipeline(transaction=False)
        for feed in feeds:
            pipe.zcount(keys.feed(feed).leases, start, end)
        return {feed: int(count) for feed, count in zip(feeds, pipe.execute(), strict=True) if count}

    def endpoints(self, feed: str) -> list[str]:
        """Names of the feed's receivers that are endpoints."""
        details_by_name = self._client.hscan_iter(keys.feed(feed).receivers, match="endpoint:*", count=_SCAN)
        return [name for name, _ in details_by_name]

    def counts(self, feed: str) -> dict[str, int]:
        """How many receivers are in each set, and how many, in whichever set, are behind."""
        return self.counts_of([feed])[feed]

    def counts_of(self, feeds: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return `counts` of each of these feeds, in one round trip."""
        calls: list[tuple[list[str], list[int]]] = []
        for feed in feeds:
            k = keys.feed(feed)
            calls.append(([k.meta, k.settled, k.claimed, k.backoff, k.paused, k.receiver_states], [_SCAN]))
        counts = {}
        for feed, answer in zip(feeds, self._scripts.run_each("receivers/count", calls) if calls else [], strict=True):
            if isinstance(answer, Exception):
                self._damaged_records.report(f"receivers of {feed}", str(answer), "they are not counted")
            else:
                counts[feed] = dict(zip(("settled", "claimed", "backoff", "paused", "behind"), answer, strict=True))
        return counts

    def get_many(self, feed: str, names: Sequence[str]) -> list[ReceiverOverview]:
        """Return those of these receivers that exist, all as they are at one moment, so that none is missed."""
        if not names:
            return []
        k = keys.feed(feed)
        sets = _sets(k)
        *scores, states, details = self._scripts.read(
            *(("ZMSCORE", key, *names) for key in sets.values()),
            ("HMGET", k.receiver_states, *names),
            ("HMGET", k.receivers, *names),
        )
        overviews = []
        for name, places, state, text in zip(names, zip(*scores, strict=True), states, details, strict=True):
            for position, score in zip(sets, places, strict=True):
                if score is not None and (overview := _overview(name, position, score, state, text)):
                    overviews.append(overview)
        return overviews

    def scan(self, feed: str) -> Iterator[ReceiverOverview]:
        """Yield every receiver of the feed once, in no order, however it moves meanwhile."""
        key = keys.feed(feed).receivers
        yielded: set[str] = set()
        cursor, part = self._client.hscan(key, count=_SCAN)
        while True:
            # HSCAN may say a name twice.
            names = [name for name in part if name not in yielded]
            yielded.update(names)
            yield from self.get_many(feed, names)
            if not cursor:
                return
            cursor, part = self._client.hscan(key, cursor, count=_SCAN)


def _sets(k: FeedKeys) -> dict[Position, str]:
    return {"settled": k.settled, "claimed": k.claimed, "backoff": k.backoff, "paused": k.paused}


def _overview(
    name: str, position: Position, score: float, state: str | None, details_text: str | None
) -> ReceiverOverview | None:
    details = _details(name, details_text)
    if not details:
        return None
    return ReceiverOverview(name, position, int(score), ReceiverState.parse(state, int(score)), details)


def _json_object(text: str | None) -> dict[str, Any]:
    """A JSON object; empty if the text is lost or damaged."""
    try:
        value = from_json(text or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _details(receiver: str, text: str | None) -> dict[str, Any]:
    """The details of a receiver. An endpoint's are its name at least; a lost subscription has none."""
    details = _json_object(text)
    if not details:
        kind, _, name = receiver.partition(":")
        return {"endpoint": name} if kind == "endpoint" else {}
    return details
