"""Builds the filter of known ids from the record, when Redis does not have it, or that of another record.

Any worker can go on where another has stopped. Whoever saves an article for the first time adds its id
(worker/store/articles.py), so what comes meanwhile is in it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from sqlalchemy import select

from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Column, Connection

    from worker.retention.recorded import RecordedArticles
    from worker.store import Store

log = structlog.get_logger()

_AT_ONCE = 250
"""Ids read and added at once: a script that adds more would hold Redis up for milliseconds."""
_TABLES: dict[str, Column[str]] = {"articles": tables.articles.c.article_id, "updates": tables.updates.c.document_id}


class KnownIdFilter:
    """The filter, and the record from which it is built."""

    def __init__(self, store: Store, recorded: RecordedArticles) -> None:
        self._store = store
        self._recorded = recorded
        self._complete_for = ""

    def complete(self, go_on: Callable[[], bool]) -> bool:
        """Go on building it while `go_on()`; True when it has all ids. Raises redis.RedisError and RecordAway."""
        epoch = self._recorded.epoch()
        filter_of_ids = self._store.known_ids
        progress = filter_of_ids.progress()
        if progress.complete == epoch:
            return bool(epoch)
        if not epoch:
            return False
        table, last = (progress.table, progress.last) if progress.building == epoch else ("", "")
        names = list(_TABLES)
        if not table:
            # What the record does not have yet.
            for ids in self._store.articles.all_ids(_AT_ONCE):
                filter_of_ids.add(ids)
            table = names[0]
        for name in names[names.index(table) :]:
            while ids := self._recorded.ask(_after(name, last if name == table else "")) or []:
                filter_of_ids.add(ids)
                table, last = name, ids[-1]
                filter_of_ids.note_progress(epoch, table, last)
                if not go_on():
                    log.info("known_ids_being_read", table=table, last=last)
                    return False
        filter_of_ids.complete(epoch)
        log.info("known_ids_complete", epoch=epoch)
        return True


def _after(name: str, last: str) -> Callable[[Connection], list[str]]:
    column = _TABLES[name]
    statement = select(column).where(column > last).order_by(column).limit(_AT_ONCE)
    return lambda connection: list(connection.scalars(statement))
