"""Accepted events: two Redis streams, read by one consumer group.

Kills have their own stream, which is read first. An entry stays until it is carried out; the entries of a dead worker
are claimed by the next. Anyone may `XADD dateline:events * event '{...}'`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from redis.exceptions import ResponseError

from worker.store import keys, live

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from worker.store.scripts import Client, Scripts

GROUP = "dateline"
REMEMBERED_SECONDS = 7 * 86400
"""How long an event id is remembered: a sender that repeats an event later is caught by the article's version."""
_SUSPECT = 3
"""An entry that was handed out more often, because the workers that had it died, may be the cause."""
_NOBODY = "handed-over"
"""The consumer of entries that wait for the worker in charge; no worker has this name."""
_LONG_MS = 3_600_000
"""Entries that are handed over get this age, so that another worker takes them at once."""
_LOST = ("NOGROUP", "no such key")
"""What Redis says when it has lost a stream or its group."""
RESULTS_KEPT = 200_000
"""Results of events that wait to be noted in the record; the oldest go."""
REJECTED_KEPT = 10_000
"""Entries that could not be used, kept for people to look at."""

Accepted = Literal["new", "reused", "duplicate", "appended"]
"""How an event was accepted: as new; as new, although its id was another event's; not, being a duplicate; not, having
been appended before under its number in the record."""


class Acceptance(NamedTuple):
    """How an event was accepted, and the id of its entry; empty when that is no longer known.

    `before`: how many entries of its stream are not carried out yet that were there before it was appended.
    """

    status: Accepted
    entry: str
    before: int = 0


class IncomingEvent(NamedTuple):
    """An event that was sent: its id, its JSON and, of a kill or a reinstatement, the article.

    `number`: that which it has in the record, if the record has it; then `reinstatement` tells a kill from the same
    kill before. `accepted`: when it was accepted (ms), if that was long before.
    """

    id: str
    body: str
    kind: Literal["kill", "reinstatement", ""] = ""
    article: str = ""
    number: int | None = None
    reinstatement: str = ""
    accepted: int | None = None

    @property
    def digest(self) -> str:
        """A digest of its content."""
        return sha256(self.body.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry of a stream: `body` is the event's JSON, `number` that of the record, if the record has it.

    `kept_since`: when it was accepted (ms), if Redis got it long after that.
    """

    stream: str
    id: str
    body: str
    number: int | None = None
    kept_since: int | None = None

    @property
    def accepted(self) -> int:
        """When it was accepted (ms): when Redis had the entry, or before."""
        since = int(self.id.partition("-")[0])
        return since if self.kept_since is None else min(since, self.kept_since)

    @property
    def moment(self) -> datetime:
        """The time for events that have none: when they were accepted; those of one millisecond keep their order."""
        place = int(self.id.partition("-")[2]) if self.kept_since is None else (self.number or 0) % 1000
        return datetime.fromtimestamp(self.accepted / 1000, UTC) + timedelta(microseconds=min(place, 999))


class Events:
    """The event streams."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def accept(self, events: Sequence[IncomingEvent]) -> list[Acceptance]:
        """Append events, except those that were accepted before: the same id with the same content."""
        answers = self._scripts.run_many(
            "events/accept",
            [
                (
                    (
                        keys.URGENT if event.kind == "kill" else keys.EVENTS,
                        _acceptance(event.id, kill=event.kind == "kill"),
                        keys.reinstated(event.article),
                        keys.LIVE,
                        keys.LIVE_SUMMARY,
                    ),
                    (
                        *(event.body, event.digest, REMEMBERED_SECONDS, event.kind, event.id),
                        "" if event.number is None else event.number,
                        event.reinstatement,
                        "" if event.accepted is None else event.accepted,
                        live.LAST_MOST,
                        live.text({"event": event.id, "article": event.article or None, "kill": event.kind == "kill"}),
                        live.SUMMARY_MOST,
                    ),
                )
                for event in events
            ],
        )
        return [Acceptance(*answer) for answer in answers]

    def create_group(self) -> None:
        """Make the consumer group. Entries that were there before it are read too."""
        for stream in (keys.URGENT, keys.EVENTS):
            try:
                self._client.xgroup_create(stream, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def read(self, consumer: str, count: int, wait_ms: int | None = None) -> list[StreamEntry]:
        """Return up to `count` new entries of each stream, the urgent first; wait up to `wait_ms` for the first.

        Of those that wait, Redis gives an entry to the one that has waited longest, as it is appended.
        """
        return self._read(consumer, (keys.URGENT, keys.EVENTS), count, wait_ms)

    def read_urgent(self, consumer: str, count: int, wait_ms: int) -> list[StreamEntry]:
        """Return up to `count` new entries of the urgent stream; wait up to `wait_ms` for the first."""
        return self._read(consumer, (keys.URGENT,), count, wait_ms)

    def _read(self, consumer: str, streams: Sequence[str], count: int, wait_ms: int | None) -> list[StreamEntry]:
        positions = dict.fromkeys(streams, ">")
        answer: Any = None
        try:
            with self._unless_lost():
                answer = self._client.xreadgroup(GROUP, consumer, positions, count=count, block=wait_ms)
        except ResponseError as error:
            if not str(error).startswith("UNBLOCKED"):
                raise
        entries: dict[str, Any] = dict(answer or [])
        return [_entry(stream, entry) for stream in streams for entry in entries.get(stream, ())]

    @contextmanager
    def _unless_lost(self) -> Iterator[None]:
        """Go on without what is asked here where Redis has lost the streams, and the group with them.

        Events from then on are read again.
        """
        try:
            yield
        except ResponseError as error:
            if not any(words in str(error) for words in _LOST):
                raise
            self.create_group()

    def take_over(
        self,
        consumer: str,
        alive: Callable[[Collection[str]], Collection[str]],
        in_progress: Collection[tuple[str, str]],
        idle_ms: int,
        count: int,
    ) -> list[tuple[StreamEntry, int]]:
        """Take entries that nobody works on: those of dead consumers, and our own that are not `in_progress`.

        `alive` returns which of some consumers live; all if it can't find out. `in_progress`: (stream, id) pairs.

        Takes up to `count` entries of each consumer that nobody touched for `idle_ms`; each with the number of workers
        that died while they had it. An entry with several is taken alone, so that no other entry is suspected with it.
        """
        entries: list[tuple[StreamEntry, int]] = []
        for stream in (keys.URGENT, keys.EVENTS):
            owners: set[str] = set()
            with self._unless_lost():
                owners = {info["name"] for info in self._client.xinfo_consumers(stream, GROUP) if info["pending"]}
            other_owners = owners - {consumer}
            for owner in sorted(owners.difference(alive(other_owners) if other_owners else ())):
                pending = self._client.xpending_range(
                    stream, GROUP, "-", "+", count + len(in_progress), consumername=owner, idle=idle_ms
                )
                times = {item["message_id"]: int(item["times_delivered"]) for item in pending}
                idle_ids = [entry_id for entry_id in times if (stream, entry_id) not in in_progress][:count]
                suspects = [entry_id for entry_id in idle_ids if times[entry_id] > _SUSPECT]
                if suspects and entries:
                    continue
                for entry_id in suspects[:1] or idle_ids:
                    entries += self._claim(stream, consumer, entry_id, idle_ms, times[entry_id], died=owner != consumer)
                if suspects:
                    return entries
        return entries

    def _claim(
        self, stream: str, consumer: str, entry_id: str, idle_ms: int, handed_out: int, *, died: bool
    ) -> list[tuple[StreamEntry, int]]:
        """Take an entry, if nobody else has it by now; return it with the number of workers that died with it."""
        times = handed_out + died
        claimed = self._client.xclaim(stream, GROUP, consumer, idle_ms, [entry_id], retrycount=times)
        for entry in claimed:
            if entry[0] and entry[1]:
                return [(_entry(stream, entry), times - 1)]
        if not self._client.xrange(stream, entry_id, entry_id):
            # Somebody has deleted it from the stream.
            self._client.xack(stream, GROUP, entry_id)
        return []

    def count_failure(self, entry: StreamEntry) -> int:
        """Count a failure of an entry; return how many it has had."""
        return int(self._client.hincrby(keys.FAILURES, f"{entry.stream} {entry.id}", 1))

    def acknowledge(
        self, entries: Sequence[StreamEntry], charge: str, unnoted: Mapping[StreamEntry, str] = MappingProxyType({})
    ) -> bool:
        """Acknowledge entries and remove them, if `charge`, under which they were carried out, still holds.

        If not, they are handed over to the worker in charge. `unnoted`: the results that the record does not know yet,
        as JSON; they are kept in the same moment.
        """
        in_charge = True
        for stream in (keys.URGENT, keys.EVENTS):
            ids = [entry.id for entry in entries if entry.stream == stream]
            if ids:
                results = [result for entry, result in unnoted.items() if entry.stream == stream]
                arguments = [GROUP, charge, _NOBODY, RESULTS_KEPT, len(ids), *ids, *results]
                stream_keys = [stream, keys.CHARGE, keys.FAILURES, keys.UNNOTED_RESULTS]
                in_charge &= bool(self._scripts.run("events/acknowledge", stream_keys, arguments))
        return in_charge

    def hand_over(self, consumer: str, in_progress: Collection[tuple[str, str]]) -> None:
        """Let others take over at once the entries that a consumer has read and is not working on."""
        for stream in (keys.URGENT, keys.EVENTS):
            with self._unless_lost():
                pending = self._client.xpending_range(stream, GROUP, "-", "+", 1000, consumername=consumer)
                left = [item["message_id"] for item in pending if (stream, item["message_id"]) not in in_progress]
                if left:
                    options = {"idle": _LONG_MS, "retrycount": 0, "justid": True}
                    self._client.xclaim(stream, GROUP, _NOBODY, 0, left, **options)

    def reject(self, body: str, reason: str) -> None:
        """Keep an event that could not be used, with the reason."""
        self._client.xadd(keys.REJECTED, {"event": body, "reason": reason}, maxlen=REJECTED_KEPT, approximate=True)

    def forget(self, event_id: str, *, kill: bool) -> None:
        """Forget that an event was accepted, so that it is no duplicate when it is sent again."""
        self._client.delete(_acceptance(event_id, kill=kill))

    def waiting_kills(self, most: int) -> list[StreamEntry]:
        """Return the first kills that are not carried out yet, at most so many."""
        return [_entry(keys.URGENT, entry) for entry in self._client.xrange(keys.URGENT, count=most)]

    def waiting(self) -> int:
        """How many entries are not carried out yet."""
        return int(self._client.xlen(keys.URGENT)) + int(self._client.xlen(keys.EVENTS))

    def waiting_since(self) -> int:
        """Since when the oldest entry waits that is not carried out (ms); 0: there is none."""
        pipe = self._client.pipeline(transaction=False)
        for stream in (keys.URGENT, keys.EVENTS):
            pipe.xrange(stream, count=1)
        return min((int(entries[0][0].partition("-")[0]) for entries in pipe.execute() if entries), default=0)

    def note_lost(self, numbers: Collection[int]) -> None:
        """Note that Redis had the events with these numbers in the record, and has lost them."""
        pipe = self._client.pipeline(transaction=True)
        pipe.sadd(keys.LOST_EVENTS, *numbers)
        pipe.expire(keys.LOST_EVENTS, REMEMBERED_SECONDS)
        pipe.execute()

    def was_lost(self, number: int | None) -> bool:
        """Whether that was noted of an event."""
        return number is not None and bool(self._client.sismember(keys.LOST_EVENTS, str(number)))

    def forget_consumers(self, idle_ms: int) -> int:
        """Forget consumers without entries that were idle for so long; one that lives registers again at once."""
        forgotten = 0
        for stream in (keys.URGENT, keys.EVENTS):
            with self._unless_lost():
                forgotten += self._scripts.run("events/forget_consumers", [stream], [GROUP, idle_ms])
        return forgotten

    def leave(self, consumer: str) -> None:
        """Remove a consumer that stops, unless it leaves entries, which others claim."""
        for stream in (keys.URGENT, keys.EVENTS):
            with self._unless_lost():
                if not self._client.xpending_range(stream, GROUP, "-", "+", 1, consumername=consumer):
                    self._client.xgroup_delconsumer(stream, GROUP, consumer)


def _acceptance(event_id: str, *, kill: bool) -> str:
    """The key under which Redis remembers the events that were accepted under an id.

    A kill has its own, so that one with the id of another event does not replace that one; no id has a space.
    """
    return keys.acceptance(f"kill {event_id}" if kill else event_id)


def _entry(stream: str, entry: Any) -> StreamEntry:
    entry_id, fields = entry
    number, accepted = (_whole_number(fields.get(name, "")) for name in ("number", "accepted"))
    return StreamEntry(stream, entry_id, fields.get("event", ""), number, accepted)


def _whole_number(text: str) -> int | None:
    """The number that a field is; None for anything else: everybody may append entries."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
