"""The outboxes of the feeds: what is to be noted in the record of attempts, subscriptions, endpoints and pages.

The scripts that make a change append it, in the same slot (lua/outboxes/append.part). An entry is removed only when it
is in the record for good. Whoever notes the entries of a feed takes them in their order, from the first one on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic_core import to_json

from worker.store import keys
from worker.store.leases import Lease
from worker.store.quick_json import read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from worker.store.damaged_records import DamagedRecords
    from worker.store.scripts import Client, Scripts

Kind = Literal["attempt", "parked", "endpoint", "subscription", "ended", "page"]
"""attempt: endpoint, the values of an `Attempt`, entries of the ledger by article. parked: endpoint, article, the
attempt as JSON or None. endpoint: name, cursor, paused since (ms) or None, reason. subscription: id, details as JSON,
end of the lease, 1 if it is new, 0 if renewed. ended: id of the subscription, reason. page: endpoint and article, the
sighting as JSON or None, due (ms) or None."""
_LOT = 100
"""How many feeds are asked in one round trip."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One change. `time`: when it was made, in ms of Redis' clock."""

    id: str
    kind: str
    values: list[Any]

    @property
    def time(self) -> int:
        """When the entry was appended (ms)."""
        return int(self.id.partition("-")[0])


class WaitingEntries(NamedTuple):
    """How many entries are in the outboxes, and since when the oldest is (ms, 0: there is none)."""

    entries: int
    oldest: int


class FeedStanding(NamedTuple):
    """Where the receivers of a feed are, all at one moment: `behind` the head those that are named, nobody else.

    `time` in ms.
    """

    head: int
    behind: dict[str, int]
    time: int


class Outboxes:
    """The outboxes of all feeds."""

    def __init__(self, client: Client, scripts: Scripts, damaged_records: DamagedRecords) -> None:
        self._client = client
        self._scripts = scripts
        self._damaged_records = damaged_records
        self.lease = Lease(client, scripts, keys.DRAINING)

    def report(self, feeds: Collection[str]) -> None:
        """Note that there is something in the outboxes of these feeds."""
        if feeds:
            self._client.sadd(keys.OUTBOXES, *feeds)

    def reported(self) -> list[str]:
        """Return the feeds of which that was noted."""
        return sorted(self._client.smembers(keys.OUTBOXES))

    def forget(self, feeds: Collection[str]) -> None:
        """Note that there was nothing in the outboxes of these feeds. The next sweep looks again."""
        if feeds:
            self._client.srem(keys.OUTBOXES, *feeds)

    def read(self, feeds: Sequence[str], most: int) -> dict[str, list[OutboxEntry]]:
        """Return the first entries of each outbox, at most so many of each, in one round trip.

        An entry that is damaged is reported, and has the kind "".
        """
        pipe = self._client.pipeline(transaction=False)
        for feed in feeds:
            pipe.xrange(keys.feed(feed).outbox, count=most)
        return {
            feed: [self._entry(feed, name, fields) for name, fields in entries]
            for feed, entries in zip(feeds, pipe.execute(), strict=True)
        }

    def remove(self, entries: Mapping[str, Sequence[str]]) -> None:
        """Remove entries, by their feed and their ids, which are in the record by now."""
        pipe = self._client.pipeline(transaction=False)
        for feed, ids in entries.items():
            if ids:
                pipe.xdel(keys.feed(feed).outbox, *ids)
        pipe.execute()

    def count_noting(self) -> int:
        """Count that something is being noted in the record; return how often that has happened."""
        return int(self._client.incr(keys.NOTED))

    def last(self, feed: str, most: int) -> list[OutboxEntry]:
        """Return the last entries of an outbox, the newest first, at most so many."""
        entries = self._client.xrevrange(keys.feed(feed).outbox, count=most)
        return [self._entry(feed, name, fields) for name, fields in entries]

    def waiting(self, feeds: Sequence[str]) -> WaitingEntries:
        """Return how much is in the outboxes of these feeds."""
        entries, oldest = 0, 0
        for start in range(0, len(feeds), _LOT):
            pipe = self._client.pipeline(transaction=False)
            for feed in feeds[start : start + _LOT]:
                pipe.xlen(keys.feed(feed).outbox)
                pipe.xrange(keys.feed(feed).outbox, count=1)
            answers = iter(pipe.execute())
            for length, first in zip(answers, answers, strict=True):
                entries += length
                if first:
                    time = int(first[0][0].partition("-")[0])
                    oldest = min(oldest or time, time)
        return WaitingEntries(entries, oldest)

    def standings(self, heads: Mapping[str, int], most: int) -> dict[str, FeedStanding]:
        """Return where the receivers of feeds are whose head is no longer the given one, in one round trip.

        A feed with more than `most` receivers that are behind is left out.
        """
        calls = []
        for feed, head in heads.items():
            k = keys.feed(feed)
            calls.append(([k.meta, k.settled, k.claimed, k.backoff, k.paused, k.receiver_states], [head, most]))
        standings = {}
        for feed, answer in zip(heads, self._scripts.run_each("outboxes/stand", calls) if calls else [], strict=True):
            if isinstance(answer, Exception):
                self._damaged_records.report(f"receivers of {feed}", str(answer), "their cursors are not noted")
            elif answer:
                head, time, *behind = answer
                cursors = dict(zip(behind[::2], (int(float(cursor)) for cursor in behind[1::2]), strict=True))
                standings[feed] = FeedStanding(int(head), cursors, int(time))
        return standings

    def _entry(self, feed: str, name: str, fields: Mapping[str, str]) -> OutboxEntry:
        for kind, text in fields.items():
            try:
                values = read_json(text)
            except ValueError as error:
                self.report_damage(feed, name, str(error))
                break
            return OutboxEntry(name, kind, values)
        return OutboxEntry(name, "", [])

    def report_damage(self, feed: str, name: str, reason: str) -> None:
        """Report an entry that can't be read."""
        self._damaged_records.report(f"entry {name} in the outbox of {feed}", reason, "it is not in the record")


def attempt_json(endpoint: str, values: Sequence[str | int], ledger: Mapping[str, str]) -> bytes:
    """Return what is appended of an attempt, with its entries of the ledger, each as JSON."""
    return to_json((endpoint, values, ledger))
