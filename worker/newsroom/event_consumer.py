"""Reads accepted events from their streams, has them carried out, and acknowledges them.

An entry is acknowledged when everything that it causes is saved. Until then it belongs to the worker that has read it;
when that worker dies, another takes it over, and carries it out again.
"""

from __future__ import annotations

import json
import math
import time
from threading import Event
from typing import TYPE_CHECKING

import structlog

from feeds import event as events
from feeds.counted import counted
from feeds.errors import InvalidEvent
from worker import clock
from worker.newsroom.publisher import arrived
from worker.newsroom.rejected_events import unchecked
from worker.record.availability import RecordAway
from worker.record.events import SET_ASIDE, EventResult
from worker.retention.noting import as_json
from worker.store import keys, redis_errors
from worker.store.unnoted import marked

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from worker.newsroom.event_outcomes import EventOutcome
    from worker.newsroom.event_permit import EventPermit
    from worker.newsroom.publisher import Publisher
    from worker.newsroom.rejected_events import RejectedEvents
    from worker.retention.noting import Noting
    from worker.store import Store
    from worker.store.events import StreamEntry

log = structlog.get_logger()

_BATCH = 64
"""Entries read at once: small, so that a kill that comes in meanwhile is read soon."""
_AGAIN_MS = 5_000
"""How long an entry is left alone whose worker died, or that could not be carried out."""
_WAIT_MS = 1_000
"""How long one look for kills waits for the first."""
_TRIES = 5
"""An entry that failed so often, by its own fault, is set aside."""
_WAY = "xadd"
"""By which way an event came that the record does not know yet: past our intake, or while the record was away."""
_KILLS_FIRST_SECONDS = 10.0
"""So long after events had to wait for the record, it is looked whether there are kills of their articles."""
_MOST_KILLS = 1000
_DEATHS = 10
"""An entry is set aside when so many workers died with it."""


class EventConsumer:
    """One worker's part in reading the streams, while it has the permit. Threads may share it.

    What several threads are carrying out at a time is in `_in_work`, so that none takes over what another has. In
    `_waiting_kills` are the kills that wait for the record. Until they are carried out nothing else is that is about
    their articles: or one would be published for a moment although its kill was accepted before.
    """

    def __init__(
        self,
        store: Store,
        worker: str,
        permit: EventPermit,
        publisher: Publisher,
        rejected: RejectedEvents,
        noting: Noting,
    ) -> None:
        self._store = store
        self._worker = worker
        self._permit = permit
        self._publisher = publisher
        self._rejected = rejected
        self._noting = noting
        self._stopped = Event()
        self._in_work: set[tuple[str, str]] = set()
        self._waiting_kills: dict[str, StreamEntry] = {}
        self._kills_first_until = -math.inf

    def stop(self) -> None:
        """Begin no further batch."""
        self._stopped.set()

    @property
    def in_charge(self) -> bool:
        """Whether this worker has the newest definitions of feeds. Without them it carries out nothing."""
        return self._permit.charge is not None

    def consume(self, seconds: float = math.inf, *, listens: bool = False) -> int:
        """Carry out the events that wait, for about so long; return how many entries were acknowledged.

        `listens`: those that come meanwhile too. They need no wake-up call: Redis hands them out as they are appended.
        """
        count, left = 0, seconds
        end = time.monotonic() + seconds
        while left > 0 and (entries := self._read(math.ceil(1000 * left) if listens else None)):
            count += self._carry_out(entries)
            left = end - time.monotonic()
        return count

    def consume_kills(self) -> int:
        """Carry out the kills that wait, or the next ones if they come within a second; return how many.

        No wake-up call is needed for it, and it waits for nothing else that this process does.
        """
        if not self.in_charge:
            return 0
        self._try_waiting_kills()
        return self._carry_out(self._store.events.read_urgent(self._worker, _BATCH, _WAIT_MS))

    def take_over(self, *, from_dead_workers: bool = True) -> int:
        """Carry out what dead workers had begun to read (`from_dead_workers`), and what could not be carried out here.

        Without the newest definitions: leave the latter to the workers that have them.
        """
        if not self.in_charge:
            self._store.events.hand_over(self._worker, frozenset(self._in_work))
            return 0
        living = self._store.workers.living_among if from_dead_workers else set
        entries = []
        for entry, deaths in self._store.events.take_over(
            self._worker, living, frozenset(self._in_work), _AGAIN_MS, _BATCH
        ):
            if deaths >= _DEATHS:
                reason = counted(deaths, "worker died while it had it", "workers died while they had it")
                result = self._give_up(entry, reason)
                self._acknowledge({entry: result}, self._permit.charge)
            else:
                entries.append(entry)
        return self._carry_out(entries)

    def _read(self, wait_ms: int | None) -> Sequence[StreamEntry]:
        """Return the next entries; none when there are none, or when they are not for this worker."""
        may_read = self.in_charge and not self._stopped.is_set()
        entries = self._store.events.read(self._worker, _BATCH, wait_ms) if may_read else ()
        if entries and not self.in_charge:
            # Others took charge while it waited.
            self._store.events.hand_over(self._worker, frozenset(self._in_work))
            return ()
        return entries

    def _try_waiting_kills(self) -> None:
        """Try the kills again that had to wait for the record."""
        kills = [kill for kill in list(self._waiting_kills.values()) if (kill.stream, kill.id) not in self._in_work]
        self._waiting_kills.clear()
        self._carry_out(kills)

    def _articles_with_waiting_kills(self) -> set[str]:
        """The articles whose kills go first: of any worker, after the record was away."""
        if time.monotonic() > self._kills_first_until:
            return set()
        self._try_waiting_kills()
        return {article for kill in self._store.events.waiting_kills(_MOST_KILLS) if (article := _article_of(kill))}

    def _carry_out(self, entries: Sequence[StreamEntry]) -> int:
        """Carry out entries; return how many need no further try. Raises redis.RedisError when Redis can't just now.

        The others stay in their stream and are ours: they are taken again in a few seconds.
        """
        killed = self._articles_with_waiting_kills() if any(entry.stream == keys.EVENTS for entry in entries) else set()
        in_work = {(entry.stream, entry.id) for entry in entries}
        self._in_work |= in_work
        finished: dict[StreamEntry, EventResult] = {}
        charge = self._permit.charge
        names: set[str] = set()
        try:
            with marked() as names:
                for entry in entries:
                    if entry.stream == keys.EVENTS and killed and _article_of(entry) in killed:
                        continue
                    if result := self._finish(entry):
                        finished[entry] = result
        finally:
            try:
                self._acknowledge(finished, charge, names)
            finally:
                self._in_work -= in_work
        return len(finished)

    def _acknowledge(
        self, results: dict[StreamEntry, EventResult], charge: str | None, names: Collection[str] = ()
    ) -> None:
        """Acknowledge entries that were carried out under a charge. They are handed over when it holds no longer.

        Before that they are noted in the record, with all that they have marked (`names`): what the record has as done
        is not lost with Redis. If it can't just now, their results wait in Redis.
        """
        if not results:
            return
        unnoted = {}
        if not charge or not self._noting.note_in_time(list(results.values()), names, charge):
            unnoted = {entry: as_json(result) for entry, result in results.items()}
        if not self._store.events.acknowledge(list(results), charge or "", unnoted):
            self._permit.lose()
            log.warning("events_handed_over", events=len(results), reason="a worker has newer definitions of feeds")

    def _finish(self, entry: StreamEntry) -> EventResult | None:
        """Carry one entry out, or set it aside; return what became of it. None: it failed, and is to be tried again.

        Raises redis.RedisError in an outage.
        """
        try:
            event = events.read(json.loads(entry.body), arrived(entry))
        except (InvalidEvent, ValueError, OverflowError, RecursionError) as error:
            reason = str(error) or type(error).__name__
            self._rejected.reject(entry, reason)
            return _refusal(entry, "rejected", reason)
        try:
            outcome = self._publisher.carry_out(event, entry)
        except RecordAway as error:
            # Its article is cold, or Redis is rebuilt. It is taken again in a few seconds, a kill before all others.
            self._kills_first_until = time.monotonic() + _KILLS_FIRST_SECONDS
            if entry.stream == keys.URGENT:
                self._waiting_kills[entry.id] = entry
            log.warning(
                "event_waits_for_the_record",
                entry=entry.id,
                event_id=event.id,
                kill=events.kills(event),
                reason=str(error),
                next_step="it is carried out as soon as the record answers",
            )
            return None
        except Exception as error:
            if redis_errors.kind(error) != "bug":
                # An outage is not the fault of the event, and does not count as a try.
                raise
            failures = self._store.events.count_failure(entry)
            log.exception("event_failed", entry=entry.id, event_id=event.id, failures=failures)
            if failures < _TRIES:
                return None
            return self._give_up(entry, f"failed {failures} times, at last: {type(error).__name__}: {error}"[:500])
        return _result(entry, event, outcome)

    def _give_up(self, entry: StreamEntry, reason: str) -> EventResult:
        self._rejected.give_up(entry, reason)
        return _refusal(entry, SET_ASIDE, reason)


def _article_of(entry: StreamEntry) -> str:
    """The article that an event is about; "" when it names none."""
    try:
        return str(json.loads(entry.body)["article"]["id"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""


def _result(entry: StreamEntry, event: events.Event, outcome: EventOutcome) -> EventResult:
    """What became of an event that was carried out."""
    return EventResult(
        number=entry.number,
        event_id=event.id,
        body=entry.body,
        kind=events.kind(event),
        article_id=outcome.article_id,
        accepted=entry.accepted,
        way=_WAY,
        stream_entry=entry.id,
        done=clock.ms(clock.agreed()),
        result=outcome.result,
        version=outcome.version,
    )


def _refusal(entry: StreamEntry, result: str, reason: str) -> EventResult:
    """What became of an entry that was not carried out."""
    sent = unchecked(entry)
    return EventResult(
        number=entry.number,
        event_id=sent.id,
        body=entry.body,
        kind="kill" if sent.kill else "",
        article_id=None,
        accepted=entry.accepted,
        way=_WAY,
        stream_entry=entry.id,
        done=clock.ms(clock.agreed()),
        result=result,
        reason=reason,
    )
