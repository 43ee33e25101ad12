"""A worker process: Celery's worker with our machinery as one step of its start and stop."""

from __future__ import annotations

import signal
import socket
import warnings
from threading import Thread
from typing import TYPE_CHECKING, Any

import structlog
from celery import bootsteps
from celery.exceptions import SecurityWarning
from celery.signals import worker_ready
from celery.worker import state

from worker.app import QUEUES, app
from worker.services import Machinery
from worker.tasks import Process
from worker.unusable import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.settings import Settings
    from worker.services import Services

log = structlog.get_logger()


class MachineryStep(bootsteps.StartStopStep):
    """Starts the machinery before the first task and stops it after the last."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Start with the worker."""
        del parent
        Process.machinery.start()

    def stop(self, parent: Any) -> None:
        """Stop with the worker: what is held is finished or given back."""
        Process.machinery.publisher.stop()
        # Celery stops its consumer first, so no task begins any more; those that run are waited for.
        parent.pool.executor.shutdown(wait=True)
        Process.machinery.stop()


def run(services: Services, reload: Callable[[], Settings | None], name: str, queues: tuple[str, ...] = ()) -> int:
    """Run a worker until SIGTERM or SIGINT; return its exit status. On SIGHUP endpoints are taken from `reload()`."""
    Process.machinery = Machinery(services, distributes=not queues or "distribute" in queues)
    Shelf.keep = services.store.events.reject
    app.steps["worker"].add(MachineryStep)
    # It warns of root because of pickled messages; ours are JSON and nothing else is accepted.
    warnings.simplefilter("ignore", SecurityWarning)

    def read_again() -> None:
        settings = reload()
        if settings is not None:
            Process.machinery.enroll(settings)
            log.info("settings_read_again", endpoints=len(settings.endpoints))

    def take_again(*_: object) -> None:
        # Not in the signal's handler, which may have come while its thread held a lock.
        Thread(target=read_again, name="settings", daemon=True).start()

    def finish(*_: object) -> None:
        Process.stopping.set()
        # As Celery's own handler does, but without its words on standard output.
        state.should_stop = 0  # type: ignore[assignment]  # typed by its default, None

    @worker_ready.connect(weak=False)
    def ready(**_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, finish)
        # Celery's own answer to SIGHUP is to start anew, which would drop what is in flight.
        signal.signal(signal.SIGHUP, take_again)
        log.info("worker_ready", worker=name)

    worker = app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        queues=list(queues or (*QUEUES, "celery")),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)
