"""A process of its own that notes what the outboxes hold, and is killed between two steps of that."""

from __future__ import annotations

import os
import signal
from multiprocessing.process import BaseProcess
from typing import Any

from forked import begin, context

from worker.record import Record, attempts
from worker.retention.outbox_drain import OutboxDrain
from worker.store import Store
from worker.store.outboxes import Outboxes

STEPS = {
    "read": Outboxes,
    "upsert_many": attempts,
    "count_noting": Outboxes,
    "do_commit": None,
    "remove": Outboxes,
    "forget": Outboxes,
}
"""The steps in their order, and whose they are: None, the database's."""


def start(redis_url: str, record_url: str, step: str = "") -> BaseProcess:
    """Start one that is killed just before that step, at the next entries that come; "": never."""
    ready = context.Event()
    process = context.Process(target=_drain, args=(redis_url, record_url, step, ready), daemon=True)
    begin(process)
    assert ready.wait(60)
    return process


def _drain(redis_url: str, record_url: str, step: str, ready: Any) -> None:
    record = Record.connect(record_url, wait_seconds=30)
    drain = OutboxDrain(Store.connect(redis_url), record)
    # What is done once, such as to look at the schema, is behind us.
    drain.drain()
    if step:
        owner = STEPS[step] or record._engine.dialect
        setattr(owner, step, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    ready.set()
    while True:
        drain.drain()
