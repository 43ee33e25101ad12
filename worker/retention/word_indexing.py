"""Indexes the words and terms of what was noted, and cleans up after what was forgotten: one worker at a time.

What people look for may be a second old; what readers and partners get never waits for it. So while events wait to be
carried out, or this process pushes, only a part of the time is spent on it; a worker at rest comes first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from worker import clock
from worker.record import search, terms
from worker.record.availability import RecordAway
from worker.record.forgetting import forget_what_came_late
from worker.store import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.record import Record
    from worker.store import Store

INDEX_SECONDS = 1.0
"""How often it is looked for what waits."""
_SLICE_SECONDS = 0.5
"""How long it is worked without a look at whether something else waits."""
_SHARE = 12
"""While something else waits, it is worked for one part of so many."""
_IN_USE_SECONDS = 5.0
"""After how long it is tried again to empty the log while somebody reads: those who write wait for each try."""
_LATE_SECONDS = 10.0
"""How often it is looked for words of killed articles that came after their kills."""
_LEASE_MS = 30_000


class WordIndexing:
    """Does it, slice by slice.

    `keep_killed`: the record keeps killed texts. `is_pushing` tells whether this process has something to push.
    """

    def __init__(
        self,
        store: Store,
        record: Record,
        *,
        keep_killed: bool = False,
        is_pushing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._record = record
        self._keep_killed = keep_killed
        self._is_pushing = is_pushing
        self._late_due = 0.0
        self._lease = store.lease(keys.WORDS)

    def work(self) -> float | None:
        """Work for a slice; return after how many seconds to go on, None: when it is due. Raises redis.RedisError.

        While the record is away, nothing is done.
        """
        token = self._lease.acquire(_LEASE_MS)
        if token is None:
            return None
        begun = time.monotonic()
        try:
            # What pushes shares the processor's lock with this.
            later = self._slice(begun if self._is_pushing() else begun + _SLICE_SECONDS)
        except RecordAway:
            return None
        finally:
            self._lease.release(token)
        if later == 0 and (self._is_pushing() or self._store.events.waiting()):
            return (time.monotonic() - begun) * (_SHARE - 1)
        return later

    def _slice(self, end: float) -> float | None:
        """Work until `end`; return after how many seconds to go on."""
        while search.index_waiting(self._record):
            if time.monotonic() > end:
                return 0.0
        if self._forgot_late():
            return 0.0
        while terms.fill(self._record):
            if time.monotonic() > end:
                return 0.0
        while (cleaning := search.clean(self._record)) == "going on":
            if time.monotonic() > end:
                return 0.0
        return _IN_USE_SECONDS if cleaning == "in use" else None

    def _forgot_late(self) -> bool:
        """Erase what came with words of killed articles after their kills; return whether there may be more."""
        if self._keep_killed or time.monotonic() < self._late_due:
            return False
        with self._record.availability.write() as connection:
            more = forget_what_came_late(connection, clock.ms(clock.agreed()))
        if not more:
            self._late_due = time.monotonic() + _LATE_SECONDS
        return more
