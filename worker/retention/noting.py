"""Has changes noted in time: by the consumer with each batch of events, and by a duty what was left.

Nobody waits for the record longer than a moment. When it can't, the marks stay where they are, the results of events
wait in a stream, and the duty of any worker catches up, one worker at a time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import asdict
from threading import Event
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from worker import clock
from worker.record.availability import RecordAway
from worker.record.events import EventResult
from worker.retention.noter import ChargePassed, Noter
from worker.store import redis_errors
from worker.store.unnoted import age

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from worker.record import Record
    from worker.store import Store

log = structlog.get_logger()

INTERVAL = 0.5
"""How often it is looked for what was left (s)."""
_MOMENT_SECONDS = 0.5
"""How long events wait until a batch of them is noted."""
_BATCH = 100
"""Articles, or results, that are noted at once."""
_FRESH_MS = 300
"""Whoever has set a mark just now may be about to note it."""
_SLICE_SECONDS = 5.0
"""How long is caught up before it is logged how far."""
_LEASE_MS = 30_000
_BACKOFF_SECONDS, _BACKOFF_MOST_SECONDS = 10.0, 600.0
"""When a change is tried again that can't be noted by its own fault: at first, and at the latest."""
_BACKOFFS_KEPT = 10_000
_FEW = 8
"""So many events come one by one: what they publish is pushed before it is noted."""
_GIVE_WAY_SECONDS = 0.02
_FAILURES = 3
"""When so many fail one after the other, the first ones included, it is not the fault of each."""

_Change = tuple[Sequence[str], Sequence[EventResult]]
"""What is noted together: names of what is marked, results of events."""


class Noting:
    """One worker's part in it. Threads may share it. `keep_killed`, `receipts`: see Noter.

    `give_way(seconds)` waits while this process pushes what was published, so long at the most.
    """

    def __init__(
        self,
        store: Store,
        record: Record,
        *,
        keep_killed: bool = False,
        receipts: bool = False,
        give_way: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._record = record
        self._noter = Noter(store, record, keep_killed=keep_killed, receipts=receipts)
        self._give_way = give_way
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="noting")
        self._late: Future[None] | None = None
        self._failing = False
        self._backoffs: dict[str, tuple[float, float]] = {}
        self._cursor = 0
        self._stopped = Event()

    def stop(self) -> None:
        """Begin nothing more, and wait a moment for what is being noted."""
        self._stopped.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def note_in_time(self, results: Sequence[EventResult], names: Collection[str], charge: str) -> bool:
        """Note what became of events, their articles, and what else they have marked; False when that is not done.

        That is when it takes more than a moment, and when the `charge` under which they were carried out has passed.

        Raises redis.RedisError.
        """
        if self._record.availability.absence is not None or (self._late is not None and not self._late.done()):
            return False
        if len(results) <= _FEW:
            # To note takes the processor for milliseconds, for which the push of a single event would have to wait.
            self._give_way(_GIVE_WAY_SECONDS)
        try:
            noted = self._thread.submit(self._noter.note, names, results, charge)
            noted.result(_MOMENT_SECONDS)
        except TookTooLong:
            self._late = noted
            return False
        except ChargePassed:
            return False
        except Exception as error:
            if redis_errors.is_outage(error):
                raise
            self._report(error)
            return False
        self._failing = False
        return True

    def catch_up(self) -> float | None:
        """Note what was left, for a while, unless another worker does; return 0 when there is more to be done at once.

        Raises redis.RedisError.
        """
        waiting = self._store.unnoted.waiting()
        if not (waiting.marks or waiting.results) or self._record.availability.absence is not None:
            return None
        if (token := self._store.unnoted.lease.acquire(_LEASE_MS)) is None:
            return None
        try:
            return self._catch_up(token, results=waiting.results > 0)
        except (RecordAway, SQLAlchemyError) as error:
            self._report(error)
            return None
        except ChargePassed:
            return None
        finally:
            self._store.unnoted.lease.release(token)

    def _catch_up(self, token: str, *, results: bool) -> float | None:
        if not (charge := self._store.unnoted.charge()):
            # Redis was emptied: what it has now has numbers that others had before.
            return None
        end = time.monotonic() + _SLICE_SECONDS
        count = 0
        last = ""
        while results and self._goes_on(token):
            entries = self._store.unnoted.results(last, _BATCH)
            if not entries:
                break
            last = list(entries)[-1]
            due = {entry: text for entry, text in entries.items() if self._due(entry)}
            count += self._note_results(due, charge)
            if time.monotonic() > end:
                return _more(count)
        while self._goes_on(token):
            self._cursor, marks = self._store.unnoted.some(self._cursor, _BATCH)
            now = clock.ms(clock.agreed())
            names = [name for name, mark in marks.items() if age(mark, now) >= _FRESH_MS and self._due(name)]
            for start in range(0, len(names), _BATCH):
                count += len(self._note({name: ((name,), ()) for name in names[start : start + _BATCH]}, charge))
            if self._cursor == 0:
                break
            if time.monotonic() > end:
                return _more(count)
        return None

    def _goes_on(self, token: str) -> bool:
        return not self._stopped.is_set() and self._store.unnoted.lease.extend(token, _LEASE_MS)

    def _note_results(self, entries: dict[str, str], charge: str) -> int:
        """Note results that waited; return how many."""
        changes: dict[str, _Change] = {}
        for entry, text in entries.items():
            try:
                changes[entry] = ((), (EventResult(**json.loads(text)),))
            except (ValueError, TypeError) as error:
                self._store.damaged_records.report(f"result {entry}", str(error), "its event has no receipt")
                self._store.unnoted.drop_results([entry])
        noted = self._note(changes, charge)
        self._store.unnoted.drop_results(noted)
        return len(noted)

    def _note(self, changes: Mapping[str, _Change], charge: str) -> list[str]:
        """Note changes, one by one if need be: what is wrong with one holds up no other. Return which were noted.

        Raises an error that is nobody's fault; and the last one when no change can be noted.
        """
        if not changes:
            return []
        try:
            self._noter.note(
                [name for names, _ in changes.values() for name in names],
                [result for _, results in changes.values() for result in results],
                charge,
            )
        except Exception as error:
            if _is_outage(error):
                raise
        else:
            self._failing = False
            return list(changes)
        noted: list[str] = []
        failed = 0
        for key, change in changes.items():
            try:
                self._noter.note(*change, charge)
            except Exception as error:
                if _is_outage(error):
                    raise
                self._postpone(key, error)
                failed += 1
                if failed >= _FAILURES and not noted:
                    raise
            else:
                noted.append(key)
                self._backoffs.pop(key, None)
        return noted

    def _postpone(self, key: str, error: Exception) -> None:
        """Leave one change for later, and report it once."""
        _, last = self._backoffs.get(key, (0.0, 0.0))
        if not last:
            log.error("noting_failed", change=key, next_step="it is tried again later", exc_info=error)
        delay = min(_BACKOFF_MOST_SECONDS, 2 * last or _BACKOFF_SECONDS)
        if len(self._backoffs) >= _BACKOFFS_KEPT:
            self._backoffs.clear()
        self._backoffs[key] = (time.monotonic() + delay, delay)

    def _due(self, name: str) -> bool:
        return self._backoffs.get(name, (0.0, 0.0))[0] <= time.monotonic()

    def _report(self, error: Exception) -> None:
        """Log, once, that nothing can be noted. A record that is away is reported by whoever finds it away."""
        if not isinstance(error, RecordAway) and not self._failing:
            self._failing = True
            log.error("noting_fails", next_step="the news goes on; it is tried again", exc_info=error)


def as_json(result: EventResult) -> str:
    """Return a result as it waits."""
    return json.dumps(asdict(result))


def _more(count: int) -> float:
    log.info("record_catching_up", noted=count)
    return 0.0


def _is_outage(error: Exception) -> bool:
    """Whether an error is nobody's fault."""
    return isinstance(error, (RecordAway, ChargePassed)) or redis_errors.is_outage(error)
