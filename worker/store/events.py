"""Accepted events: two Redis streams, read by one consumer group.

Kills have a stream of their own that is read first. An entry stays until it is done with; what a dead worker was
reading is claimed by the next. Anyone may `XADD dateline:events * event '{...}'`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.store.scripts import Client, Scripts

GROUP = "dateline"
SEEN_SECONDS = 7 * 86400
"""How long an event id is remembered: a sender that repeats an event later is caught by the article's version."""
REJECTED_KEPT = 10_000
"""Entries that could not be used, kept for people to look at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream: `body` is the event's JSON."""

    stream: str
    id: str
    body: str
    times: int = 1
    """How often it was handed out, this time included."""

    @property
    def accepted(self) -> int:
        """When Redis had the entry (ms)."""
        return int(self.id.partition("-")[0])

    @property
    def moment(self) -> datetime:
        """When it was, told apart from others of the same millisecond: what says no time is in the order of these."""
        milliseconds, _, number = self.id.partition("-")
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) + timedelta(microseconds=min(int(number), 999))


class Events:
    """The event streams."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def accept(self, events: Sequence[tuple[str, str, bool]]) -> list[bool]:
        """Append events, each (id, JSON, urgent). False where an event of that id was accepted before."""
        return [
            answer is not None
            for answer in self._scripts.run_many(
                "accept",
                [
                    # A kill under the id of another event is not a repetition of that; no id has a space.
                    (
                        (keys.URGENT if urgent else keys.EVENTS, keys.seen(f"kill {event_id}" if urgent else event_id)),
                        (body, SEEN_SECONDS),
                    )
                    for event_id, body, urgent in events
                ],
            )
        ]

    def prepare(self) -> None:
        """Make the consumer group. Entries that were there before it are read too."""
        for stream in (keys.URGENT, keys.EVENTS):
            try:
                self._client.xgroup_create(stream, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def read(self, consumer: str, count: int) -> list[Entry]:
        """Return up to `count` new entries of each stream, the urgent first."""
        answer = self._client.xreadgroup(GROUP, consumer, {keys.URGENT: ">", keys.EVENTS: ">"}, count=count)
        streams: dict[str, Any] = dict(answer or [])
        return [_entry(stream, item) for stream in (keys.URGENT, keys.EVENTS) for item in streams.get(stream, ())]

    def reclaim(self, consumer: str, idle_ms: int, count: int) -> list[Entry]:
        """Take over entries that another consumer has had for `idle_ms`."""
        found = []
        for stream in (keys.URGENT, keys.EVENTS):
            pending = self._client.xpending_range(stream, GROUP, "-", "+", count, idle=idle_ms)
            times = {item["message_id"]: int(item["times_delivered"]) for item in pending}
            if times:
                claimed = self._client.xclaim(stream, GROUP, consumer, idle_ms, list(times))
                found += [_entry(stream, item, times[item[0]] + 1) for item in claimed if item[1]]
        return found

    def give_back(self, consumer: str, entries: Sequence[Entry], idle_ms: int) -> None:
        """Have entries that could not be worked on taken over at once, as if they had not been handed out this time."""
        pipe = self._client.pipeline(transaction=False)
        for entry in entries:
            options = {"idle": idle_ms, "retrycount": entry.times - 1, "justid": True}
            pipe.xclaim(entry.stream, GROUP, consumer, 0, [entry.id], **options)
        pipe.execute()

    def done(self, entries: Sequence[Entry]) -> None:
        """Acknowledge entries and remove them."""
        pipe = self._client.pipeline(transaction=False)
        for entry in entries:
            pipe.xack(entry.stream, GROUP, entry.id)
            pipe.xdel(entry.stream, entry.id)
        pipe.execute()

    def reject(self, body: str, reason: str) -> None:
        """Keep what could not be used, with the reason."""
        self._client.xadd(keys.REJECTED, {"event": body, "reason": reason}, maxlen=REJECTED_KEPT, approximate=True)

    def waiting(self) -> int:
        """How many entries are not done with."""
        return int(self._client.xlen(keys.URGENT)) + int(self._client.xlen(keys.EVENTS))

    def leave(self, consumer: str) -> None:
        """Remove a consumer that stops, unless it leaves entries for others to claim."""
        for stream in (keys.URGENT, keys.EVENTS):
            if not self._client.xpending_range(stream, GROUP, "-", "+", 1, consumername=consumer):
                self._client.xgroup_delconsumer(stream, GROUP, consumer)


def _entry(stream: str, item: Any, times: int = 1) -> Entry:
    entry_id, fields = item
    return Entry(stream, entry_id, fields.get("event", ""), times)
