"""A process of its own that accepts a kill and is killed itself between the record and Redis."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from unittest.mock import Mock

from forked import begin, context, finish

from worker.intake.accept import Intake
from worker.record import Record
from worker.record.group_commit import GroupCommit
from worker.store import Store


def accept(redis_url: str, record_url: str, moment: str) -> int | None:
    """Accept the kill 1 of a in one that dies "before Redis" or "after Redis"; return its exit status."""
    process = context.Process(target=_accept, args=(redis_url, record_url, moment))
    begin(process)
    return finish(process, 60)


def _accept(redis_url: str, record_url: str, moment: str) -> None:
    store, commits = Store.connect(redis_url), GroupCommit(Record.connect(record_url), wait_seconds=30)
    if moment == "before Redis":
        store.hasty_events.accept = _die  # type: ignore[method-assign]
    else:
        commits.note_appended = _die  # type: ignore[method-assign]
    event = {"id": "1", "type": "article.killed", "article": {"id": "a"}}
    Intake(store, Mock(), commits).accept([event], datetime.now(UTC))


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
