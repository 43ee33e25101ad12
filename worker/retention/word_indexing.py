"""Indexes the words of what was noted, and cleans up after what was forgotten: one worker at a time.

What people look for may be a second old; what readers get never waits for it. So while events wait to be carried out,
only a part of the time is spent on it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from worker.record import search
from worker.record.availability import RecordAway
from worker.store import keys

if TYPE_CHECKING:
    from worker.record import Record
    from worker.store import Store

INDEX_SECONDS = 1.0
"""How often it is looked for what waits."""
_SLICE_SECONDS = 0.5
"""How long it is worked without a look at whether events wait."""
_SHARE = 5
"""While events wait, it is worked for one part of so many."""
_IN_USE_SECONDS = 5.0
"""After how long it is tried again to empty the log while somebody reads: those who write wait for each try."""
_LEASE_MS = 30_000


class WordIndexing:
    """Does it, slice by slice."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self._record = record
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
            later = self._slice(begun + _SLICE_SECONDS)
        except RecordAway:
            return None
        finally:
            self._lease.release(token)
        if later == 0 and self._store.events.waiting():
            return (time.monotonic() - begun) * (_SHARE - 1)
        return later

    def _slice(self, end: float) -> float | None:
        """Work until `end`; return after how many seconds to go on."""
        while search.index_waiting(self._record):
            if time.monotonic() > end:
                return 0.0
        while (cleaning := search.clean(self._record)) == "going on":
            if time.monotonic() > end:
                return 0.0
        return _IN_USE_SECONDS if cleaning == "in use" else None
