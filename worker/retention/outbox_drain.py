"""Notes in the record what the outboxes hold, and empties them.

One worker at a time does so, under a lease. It reads the first entries of several outboxes, writes them into the record
in one transaction, and removes them from Redis after that is committed. A crash in between leaves entries that are
noted already: they are noted again, which changes nothing. A worker that was slow and lost its lease can't undo what
another one has noted since (record/outbox_positions.py).

While the record is away, outboxes grow: by about 0.5 kB for each attempt, and what its answer takes. They are bounded
by the memory of Redis alone, because nothing that was answered may be missing.
"""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from worker import clock
from worker.record import cursors, outbox_positions
from worker.record.availability import RecordAway
from worker.record.cursors import MOST_BEHIND, Standing
from worker.record.outbox_positions import Overtaken
from worker.record.positions import NOTED, note_position
from worker.retention.live_entries import news
from worker.retention.outbox_entries import Changes, UnreadableEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from worker.record import Record
    from worker.store import Store
    from worker.store.outboxes import OutboxEntry

log = structlog.get_logger()

INTERVAL = 1.0
"""Seconds between two looks."""
_LEASE_MS = 30_000
_FEEDS = 100
"""How many feeds are noted in one transaction, at the most."""
_ENTRIES = 5000
"""How many entries are noted in one transaction, about."""
_LEAST_ENTRIES = 50
"""How many of one feed are taken at least, if it has so many."""
_SLICE_SECONDS = 5.0
"""How long it goes on before others may have the lease, and a line of the log says how far it is."""
_LEFT_SECONDS = 3.0
"""How long a process that pushes leaves it to others: the pushes need its interpreter's lock."""
_CURSORS_SECONDS = 10.0
"""How often it is noted up to where receivers are up to date."""
_NO_ROWS = (DataError, IntegrityError, OverflowError)
"""What a database raises at a value that it can't keep: a fault of the entry, and of nothing else."""


class OutboxDrain:
    """Drains the outboxes of all feeds. Every worker has one; one of them works at a time.

    `is_pushing` tells whether this process has something to push: then it leaves them to another, for a while.
    """

    def __init__(self, store: Store, record: Record, *, is_pushing: Callable[[], bool] = lambda: False) -> None:
        self._store = store
        self._record = record
        self._is_pushing = is_pushing
        self._left_since: float | None = None
        self._stopped = Event()
        self._heads: dict[str, int] = {}
        self._cursors_due = 0.0

    def stop(self) -> None:
        """Begin no other batch."""
        self._stopped.set()

    def drain(self) -> float | None:
        """Note what there is; return 0.0 when more waits.

        Does nothing while another worker does it or may do it, or while the record is away. Raises redis.RedisError,
        and errors of the record that are bugs.
        """
        if self._leaves_it():
            return None
        token = self._store.outboxes.lease.acquire(_LEASE_MS)
        if token is None:
            return None
        try:
            more = self._slice(token)
            self._note_cursors()
        except RecordAway:
            return None
        finally:
            self._store.outboxes.lease.release(token)
        return 0.0 if more else None

    def _leaves_it(self) -> bool:
        """Whether this process pushes, and has not left it to others for long: nobody else may have the time."""
        now = time.monotonic()
        if self._left_since is None:
            self._left_since = now
        if self._is_pushing() and now - self._left_since < _LEFT_SECONDS:
            return True
        self._left_since = None
        return False

    def _slice(self, token: str) -> bool:
        """Work for one slice of time; return whether more waits."""
        end, begun, noted = time.monotonic() + _SLICE_SECONDS, time.monotonic(), 0
        more = True
        while more and time.monotonic() < end:
            more = False
            for feeds in self._lots():
                if self._stopped.is_set() or not self._store.outboxes.lease.extend(token, _LEASE_MS):
                    return False
                count, full = self._batch(feeds)
                noted += count
                more = more or full
        if noted > _ENTRIES:
            log.info("outboxes_noted", entries=noted, seconds=round(time.monotonic() - begun, 1), more_waits=more)
        return more

    def _lots(self) -> Iterator[list[str]]:
        feeds = self._store.outboxes.reported()
        for start in range(0, len(feeds), _FEEDS):
            yield feeds[start : start + _FEEDS]

    def _batch(self, feeds: Sequence[str]) -> tuple[int, bool]:
        """Note the first entries of these feeds; return how many there were, and whether more wait."""
        with self._record.availability.read() as connection:
            before = outbox_positions.read(connection, feeds)
        most = max(_LEAST_ENTRIES, _ENTRIES // len(feeds))
        waiting = self._store.outboxes.read(feeds, most)
        entries = {feed: lot for feed, lot in waiting.items() if lot}
        if entries:
            try:
                self._note(entries, before)
            except Overtaken:
                return 0, True
            except (*_NO_ROWS, StatementError) as error:
                if not _is_of_an_entry(error):
                    raise
                if not self._note_one_by_one(entries, before):
                    return 0, True
            self._store.outboxes.remove({feed: [entry.id for entry in lot] for feed, lot in entries.items()})
            self._store.live.append(list(news(entries)))
        self._store.outboxes.forget([feed for feed, lot in waiting.items() if len(lot) < most])
        return sum(map(len, entries.values())), any(len(lot) == most for lot in waiting.values())

    def _note(self, entries: Mapping[str, Sequence[OutboxEntry]], before: Mapping[str, str]) -> None:
        """Write entries in one transaction. Raises Overtaken, and errors of the database."""
        changes = Changes()
        for feed, lot in entries.items():
            for entry in lot:
                try:
                    changes.add(feed, entry)
                except UnreadableEntry as error:
                    self._store.outboxes.report_damage(feed, entry.id, str(error))
        now = clock.ms(clock.agreed())
        with self._record.availability.write("after") as connection:
            outbox_positions.advance(connection, before, {feed: lot[-1].id for feed, lot in entries.items()}, now)
            changes.note(connection)
            # As late as possible: what is counted and not committed makes the record look older than it is.
            note_position(connection, NOTED, self._store.outboxes.count_noting(), now)

    def _note_one_by_one(self, entries: Mapping[str, Sequence[OutboxEntry]], before: Mapping[str, str]) -> bool:
        """Find out which entries no row can be made of, and write all others; False when somebody else did."""
        for feed, lot in entries.items():
            position = before[feed]
            for entry in lot:
                try:
                    self._note({feed: [entry]}, {feed: position})
                    position = entry.id
                except Overtaken:
                    return False
                except (*_NO_ROWS, StatementError) as error:
                    if not _is_of_an_entry(error):
                        raise
                    self._store.outboxes.report_damage(feed, entry.id, type(error).__name__)
        return True

    def _note_cursors(self) -> None:
        """Note up to where receivers are up to date, of the feeds that have changed, every few seconds."""
        if time.monotonic() < self._cursors_due or self._stopped.is_set():
            return
        feeds = self._store.receivers.feeds()
        for start in range(0, len(feeds), _FEEDS):
            heads = {feed: self._heads.get(feed, -1) for feed in feeds[start : start + _FEEDS]}
            standings = self._store.outboxes.standings(heads, MOST_BEHIND)
            # A head that goes back is that of a Redis that has lost time, and says nothing.
            standings = {feed: there for feed, there in standings.items() if there.head >= heads[feed]}
            if standings:
                with self._record.availability.write("after") as connection:
                    rows = [Standing(feed, there.head, there.behind, there.time) for feed, there in standings.items()]
                    cursors.note(connection, rows)
                    # A Redis that loses what they say is known by that to have lost time.
                    now = clock.ms(clock.agreed())
                    note_position(connection, NOTED, self._store.outboxes.count_noting(), now)
                self._heads |= {feed: standing.head for feed, standing in standings.items()}
        self._cursors_due = time.monotonic() + _CURSORS_SECONDS


def _is_of_an_entry(error: Exception) -> bool:
    """Whether an entry is at fault. A statement that could not be made of its values is no error of the database."""
    return isinstance(error, _NO_ROWS) or type(error) is StatementError
