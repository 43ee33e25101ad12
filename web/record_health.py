"""Whether the record takes writes, for those who answer requests: they wait for it only a moment."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.record import Record
    from worker.record.availability import Absence

_WAIT_SECONDS = 0.5
_LATE_SECONDS = 5.0
"""A record that has not answered for so long is away."""


class RecordHealth:
    """Asks the record, one question at a time, whoever wants to know."""

    def __init__(self, record: Record) -> None:
        self._availability = record.availability
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="record-health")
        self._question: asyncio.Future[Absence | None] | None = None
        self._asked_at = 0.0

    async def absence(self) -> Absence | None:
        """Return since when the record is away, and why; None when it is there, or is slow for the first time."""
        if absence := self._availability.absence:
            return absence
        loop = asyncio.get_running_loop()
        if self._question is None or self._question.done():
            self._question = loop.run_in_executor(self._thread, self._availability.ask)
            self._asked_at = loop.time()
        try:
            return await asyncio.wait_for(asyncio.shield(self._question), _WAIT_SECONDS)
        except TimeoutError:
            if loop.time() - self._asked_at > _LATE_SECONDS:
                self._availability.note_away(f"the record has not answered for {_LATE_SECONDS:g} s")
            return self._availability.absence
