"""The tasks. Each is a wake-up call: it carries ids or nothing, and what it finds to do it finds in the store.

Stable names, so that anyone may send them: dateline.accept (an event), dateline.consume, dateline.distribute (a feed),
dateline.verify (a feed), dateline.read_back (a feed), dateline.sweep.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import structlog
from celery.exceptions import Reject
from redis.exceptions import RedisError

from worker import clock
from worker.app import app
from worker.store.trouble import report

if TYPE_CHECKING:
    from worker.services import Machinery

log = structlog.get_logger()


class Process:
    """The worker process that runs the tasks: its machinery, put here before the first task (worker/process.py)."""

    machinery: Machinery


def wake_up(name: str) -> Callable[[Callable[..., None]], Any]:
    """Make a task of a function that is not the truth: what it could not do, the sweep does. So it never fails."""

    def make(work: Callable[..., None]) -> Any:
        @wraps(work)
        def run(*args: Any, **options: Any) -> None:
            try:
                work(*args, **options)
            except RedisError as error:
                report(log, error, "the next sweep does it", task=name)
            except Exception:
                log.exception("task_failed", task=name, next_step="the next sweep does it")

        return app.task(name=name)(run)

    return make


@app.task(name="dateline.accept", acks_late=True)
def accept(event: Any) -> None:
    """Take an event in, from a CMS that runs Celery itself. It gets no answer: a bad one is kept with its reason."""
    services = Process.machinery.services
    try:
        receipts = services.intake.accept([event], clock.now())
    except RedisError as error:
        # Of all messages this one is the truth until Redis has the event: it goes back to its queue.
        raise Reject(str(error), requeue=True) from error
    for receipt in receipts:
        if receipt.status == "invalid":
            reason = "; ".join(map(str, receipt.errors))
            log.error("event_rejected", event_id=receipt.event_id, reason=reason, kept_in="{dateline:events}:rejected")
            services.store.events.reject(json.dumps(event), reason)


@wake_up("dateline.consume")
def consume() -> None:
    """Carry out the events that wait in the stream."""
    Process.machinery.publisher.consume()


@wake_up("dateline.distribute")
def distribute(feed: str) -> None:
    """Bring the receivers of a feed up to date."""
    Process.machinery.distributor.want(feed)


@wake_up("dateline.verify")
def verify(feed: str) -> None:
    """Ask the subscribers of a feed whether they asked."""
    Process.machinery.verifier.verify(feed)


@wake_up("dateline.read_back")
def read_back(feed: str) -> None:
    """Look whether partners of a feed still show what was killed."""
    Process.machinery.readback.look(feed)


@wake_up("dateline.sweep")
def sweep() -> None:
    """Put right what time has changed."""
    Process.machinery.sweeper.sweep()
