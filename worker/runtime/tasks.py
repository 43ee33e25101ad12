"""The tasks. Each is a wake-up call: it carries ids or nothing, and what it finds to do it finds in the store.

Stable names, so that anyone may send them: dateline.accept (an event), dateline.consume, dateline.distribute (a feed),
dateline.verify (a feed), dateline.read_back (a feed), dateline.trim, dateline.record.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Condition, Event
from typing import TYPE_CHECKING, Any, ClassVar

import structlog
from celery.exceptions import Reject
from redis.exceptions import RedisError

from worker import clock
from worker.runtime.celery_app import app
from worker.runtime.unusable_messages import set_aside
from worker.store import redis_errors

if TYPE_CHECKING:
    from worker.runtime.wiring import WorkerRuntime

log = structlog.get_logger()

_PAUSE_SECONDS = 0.25
"""How long an event waits at first that can't be kept just now; each time twice as long."""
_PAUSE_MOST_SECONDS = 5.0


class WorkerProcess:
    """The worker process that runs the tasks: worker_process.py puts its runtime here before the first task."""

    runtime: WorkerRuntime
    """What does the work. Another takes its place when the settings are read again."""
    stopping = Event()
    """Set as soon as the process is to stop."""
    _changed = Condition()
    _tasks: ClassVar[Counter[WorkerRuntime]] = Counter()

    @classmethod
    @contextmanager
    def task(cls) -> Iterator[WorkerRuntime]:
        """While it is entered: a task is at work with the runtime, which is not stopped meanwhile."""
        with cls._changed:
            runtime = cls.runtime
            cls._tasks[runtime] += 1
        try:
            yield runtime
        finally:
            with cls._changed:
                cls._tasks[runtime] -= 1
                if not cls._tasks[runtime]:
                    del cls._tasks[runtime]
                cls._changed.notify_all()

    @classmethod
    def replace(cls, runtime: WorkerRuntime, seconds: float) -> WorkerRuntime:
        """Put another in its place; return the former when no task is at work with it, or after so many seconds."""
        with cls._changed:
            former, cls.runtime = cls.runtime, runtime
            cls._changed.wait_for(lambda: former not in cls._tasks, seconds)
        return former


_outage = redis_errors.Outage(log, task="dateline.accept")


@app.task(name="dateline.accept", acks_late=True)
def accept(*sent: Any, **named: Any) -> None:
    """Take an event in, from a CMS that runs Celery itself. It gets no answer: a bad one is kept with its reason.

    Of all messages this one is the truth until the record or Redis has the event, so it waits here while neither can
    keep it.
    Whatever else this process does goes on meanwhile: it has threads of its own (worker/runtime/sweep.py).
    """
    events = [*sent, *named.values()]
    if len(events) != 1:
        set_aside(json.dumps([sent, named]), f"dateline.accept takes one event, and was sent {len(events)}")
        return
    pause = _PAUSE_SECONDS
    while True:
        try:
            _take(events[0])
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                log.exception("accept_failed", next_step="the event is set aside")
                set_aside(json.dumps(events[0]), f"could not be kept: {error}")
                return
            _outage.met(error, "the events that Celery brings wait until they can be kept")
            if WorkerProcess.stopping.wait(pause):
                raise Reject(str(error), requeue=True) from error
            pause = min(2 * pause, _PAUSE_MOST_SECONDS)
        else:
            _outage.over()
            return


def _take(event: Any) -> None:
    """Keep one event, or keep it aside. Raises redis.RedisError."""
    for receipt in WorkerProcess.runtime.services.intake.accept([event], clock.agreed(), way="celery"):
        if receipt.status == "invalid":
            set_aside(json.dumps(event), "; ".join(map(str, receipt.errors)), receipt.event_id)


def wake_up(name: str) -> Callable[[Callable[..., None]], Any]:
    """Make a task of a function that is not the truth: what it could not do, a duty does. So it never fails."""

    def make(work: Callable[..., None]) -> Any:
        @wraps(work)
        def run(*words: Any) -> None:
            if not all(isinstance(word, str) for word in words):
                log.error(
                    "wakeup_refused", task=name, reason="a feed is named by a string", next_step="see who sends it"
                )
                return
            try:
                with WorkerProcess.task() as runtime:
                    work(runtime, *words)
            except Exception as error:
                # The duties log an outage, once.
                if redis_errors.kind(error) == "bug":
                    log.exception("task_failed", task=name, next_step="a duty does the work")

        return app.task(name=name)(run)

    return make


@wake_up("dateline.consume")
def consume(runtime: WorkerRuntime) -> None:
    """Carry out the events that wait in the stream."""
    runtime.newsroom.events.consume()


@wake_up("dateline.distribute")
def distribute(runtime: WorkerRuntime, feed: str) -> None:
    """Bring the receivers of a feed up to date."""
    runtime.distributor.serve(feed)


@wake_up("dateline.verify")
def verify(runtime: WorkerRuntime, feed: str) -> None:
    """Ask the subscribers of a feed whether they asked."""
    runtime.verifier.verify(feed)


@wake_up("dateline.read_back")
def read_back(runtime: WorkerRuntime, feed: str) -> None:
    """Look whether partners of a feed still show what was killed."""
    runtime.readback.check_due(feed)


@wake_up("dateline.trim")
def trim(runtime: WorkerRuntime) -> None:
    """Take what is cold out of Redis, for a while."""
    runtime.trimmer.trim()


@wake_up("dateline.record")
def record(runtime: WorkerRuntime) -> None:
    """Note in the record what waits to be noted."""
    runtime.outboxes.drain()
