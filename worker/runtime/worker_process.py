"""A worker process: Celery's worker with our runtime as one step of its start and stop."""

from __future__ import annotations

import gc
import os
import signal
import socket
import warnings
from contextlib import suppress
from threading import Lock, Thread, Timer
from typing import TYPE_CHECKING, Any

import structlog
from celery import bootsteps
from celery.exceptions import SecurityWarning, WorkerShutdown
from celery.signals import worker_ready
from celery.worker import state
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from worker.record.database_errors import sentence
from worker.record.schema import UnfitRecord
from worker.retention.agreement import Disagreement
from worker.runtime import logs
from worker.runtime.celery_app import QUEUES, app
from worker.runtime.tasks import WorkerProcess
from worker.runtime.unusable_messages import RejectedMessages
from worker.runtime.wiring import WorkerRuntime
from worker.store import redis_errors
from worker.watchdog import Beat, Watchdog, watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.runtime.rereading import Reading, Rereading
    from worker.runtime.services import Services

log = structlog.get_logger()


_AGAIN_SECONDS = 1.0
"""How often it is tried to take new settings while Redis is away."""
_TASKS_SECONDS = 30.0
"""How long tasks that run are waited for when other settings are taken."""
_replacing = Lock()
"""Held while one runtime takes the place of another: a worker does not stop halfway."""
_LAST_WORDS_SECONDS = 2.0
"""How long a worker that ends itself takes to say so."""
_STILL_SECONDS = 600.0
"""How long taking the settings may take, with Redis slow."""
_OBJECTS = 10_000
"""How many new objects are made before it is looked for garbage among them. What a delivery makes is no garbage that
has to be looked for: with Python's own limit, the looking took a seventh of the distributor's time."""
_STOP_SECONDS = 45.0
"""How long a worker may take to stop, beside `delivery.timeout`."""


class RuntimeStep(bootsteps.StartStopStep):
    """Starts the runtime before the first task and stops it after the last."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Start with the worker."""
        del parent
        try:
            WorkerProcess.runtime.start()
        except RedisError as error:
            redis_errors.report(log, error, "the worker ends; whoever watches it starts it anew")
            raise WorkerShutdown(1) from None
        except Disagreement as error:
            log.critical("redis_refused", reason=str(error), next_step="the worker ends")
            raise WorkerShutdown(1) from None
        except (SQLAlchemyError, UnfitRecord) as error:
            reason = sentence(error) if isinstance(error, SQLAlchemyError) else str(error)
            log.critical(
                "record_refused", reason=reason, next_step="the worker ends; whoever watches it starts it anew"
            )
            raise WorkerShutdown(1) from None

    def stop(self, parent: Any) -> None:
        """Stop with the worker: what is held is finished or given back."""
        WorkerProcess.runtime.newsroom.events.stop()
        # Celery stops its consumer first, so no task begins any more; those that run are waited for.
        parent.pool.executor.shutdown(wait=True)
        with _replacing:
            WorkerProcess.runtime.stop()
            WorkerProcess.runtime.services.close()


def _follow(rereading: Rereading, *, queues: Sequence[str]) -> None:
    """Take the settings anew at each SIGHUP. While Redis is away it is tried on, with the newest ones."""
    with watched("settings", _STILL_SECONDS) as beat:
        while True:
            beat()
            if signal.sigtimedwait({signal.SIGHUP}, _AGAIN_SECONDS):
                _take(rereading, beat, queues=queues)


def _take(rereading: Rereading, beat: Beat, *, queues: Sequence[str]) -> None:
    """Read the settings and have runtime made by them take over; while Redis is away, as soon as it can be done."""
    reading, reported = _read(rereading), False
    while reading is not None:
        beat()
        try:
            _replace(rereading, reading, queues=queues)
            break
        except RedisError as error:
            if not reported:
                reported = True
                redis_errors.report(log, error, "the settings are taken when it can be done")
        except Exception:
            log.exception("settings_not_taken", next_step="the old ones stay in force")
            break
        if signal.sigtimedwait({signal.SIGHUP}, _AGAIN_SECONDS):
            reading = _read(rereading) or reading


def _read(rereading: Rereading) -> Reading | None:
    if reading := rereading.read():
        rereading.tell(reading)
    return reading


def _replace(rereading: Rereading, reading: Reading, *, queues: Sequence[str]) -> None:
    """Start runtime by other settings, then stop the one before: as if another worker came and this one went.

    What is in flight ends by the settings that it began with. Raises redis.RedisError when Redis is away; then nothing
    has changed.
    """
    if not reading.changed:
        _note_in_force(rereading, reading)
        return
    with _replacing:
        if WorkerProcess.stopping.is_set():
            return
        runtime = WorkerRuntime(WorkerProcess.runtime.services.rewired(reading.settings), queues=queues)
        runtime.start()
        former = WorkerProcess.replace(runtime, _TASKS_SECONDS)
        _note_in_force(rereading, reading)
        former.stop()
        gc.unfreeze()
        _freeze_memory()


def _note_in_force(rereading: Rereading, reading: Reading) -> None:
    rereading.note_in_force(reading)
    log.info("settings_read_again", endpoints=len(reading.settings.endpoints))


def _end_at_once(reason: str) -> None:
    """End this process without waiting for anything: what it held expires and is taken over."""
    log.critical("worker_ended", reason=reason, next_step="what it held is taken over by others")
    # So that /readyz says so. Redis may be what does not answer.
    telling = Thread(target=_tell_lost, args=(reason,), name="last-words", daemon=True)
    telling.start()
    telling.join(_LAST_WORDS_SECONDS)
    logs.flush()
    os._exit(1)


def _tell_lost(reason: str) -> None:
    with suppress(RedisError):
        WorkerProcess.runtime.lost(reason)


def _freeze_memory() -> None:
    """Keep the garbage collector from looking again and again through objects that live as long as the process."""
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    gc.collect()
    gc.freeze()


def run(services: Services, rereading: Rereading, name: str, queues: tuple[str, ...] = ()) -> int:
    """Run a worker until SIGTERM or SIGINT; return its exit status. On SIGHUP it goes over to the settings as read."""
    queues = queues or (*QUEUES, "celery")
    WorkerProcess.runtime = WorkerRuntime(services, queues=queues)
    RejectedMessages.keep = services.store.events.reject
    app.steps["worker"].add(RuntimeStep)
    # It warns of root because of pickled messages; ours are JSON and nothing else is accepted.
    warnings.simplefilter("ignore", SecurityWarning)

    # It was blocked when the process began (worker/cli), so one that came since then waits for `_follow`. Celery's own
    # answer would be to start anew, which drops what is in flight.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    watchdog = Watchdog(_end_at_once)

    def finish(*_: object) -> None:
        if not WorkerProcess.stopping.is_set():
            WorkerProcess.stopping.set()
            watchdog.stop()
            patience = rereading.settings.delivery.timeout + _STOP_SECONDS
            last = Timer(patience, _end_at_once, ("did not stop in time",))
            last.daemon = True
            last.start()
        # As Celery's own handler does, but without its words on standard output.
        state.should_stop = 0  # type: ignore[assignment]  # typed by its default, None

    @worker_ready.connect(weak=False)
    def ready(**_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, finish)
        Thread(target=_follow, args=(rereading,), kwargs={"queues": queues}, name="settings", daemon=True).start()
        watchdog.start()
        _freeze_memory()
        log.info("worker_ready", worker=name)

    worker = app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        queues=list(queues),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    # At each loss of its connection it warns of what it may change one day. Only now: it has just set its own filter.
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    worker.start()
    return int(worker.exitcode or 0)
