"""Wake-up calls through Celery. They only save time: a lost one costs at most the second until the next sweep.

Nobody waits for the broker. A call is put into a queue here, and a thread sends it. While the broker stalls or is away,
calls are dropped, and the sweep does their work.
"""

from __future__ import annotations

import atexit
import time
from collections import OrderedDict
from threading import Condition, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

if TYPE_CHECKING:
    from celery import Celery

log = structlog.get_logger()

_MAX_WAITING = 10_000
"""How many different calls may wait. Further ones are dropped."""
_STALLED_SECONDS = 2.0
"""If sending a call takes longer, the broker has stalled."""
_PAUSE_SECONDS = 1.0
"""How long nothing is sent after a failure."""
_TROUBLE_SECONDS = 60.0
"""How long a failure is reported as trouble when nothing is sent after it."""
_EXIT_SECONDS = 1.0
"""How long a process that ends waits for its last calls."""

_NO_CALLBACKS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}

_Call = tuple[str, str, tuple[str, ...]]


class Wakeups:
    """Sends wake-up calls to any worker that is free. Threads may share it."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: OrderedDict[_Call, None] = OrderedDict()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._sending_since: float | None = None
        self._failure = ""
        self._failed_at = 0.0

    def consume(self, *, urgent: bool) -> None:
        """Wake a worker: there are events to read."""
        self._enqueue("dateline.consume", "urgent" if urgent else "intake")

    def distribute(self, feed: str, *, urgent: bool = False) -> None:
        """Wake a worker: receivers of the feed are behind."""
        self._enqueue("dateline.distribute", "urgent" if urgent else "distribute", feed)

    def verify(self, feed: str) -> None:
        """Wake a worker: requests to the hub wait for verification."""
        self._enqueue("dateline.verify", "verify", feed)

    def read_back(self, feed: str) -> None:
        """Wake a worker: pages of killed articles wait to be looked at."""
        self._enqueue("dateline.read_back", "verify", feed)

    def record(self) -> None:
        """Wake a worker: much waits to be noted in the record."""
        self._enqueue("dateline.record", "verify")

    @property
    def trouble(self) -> str:
        """Why calls do not reach the broker now; empty when they do."""
        since = self._sending_since
        if since is not None and time.monotonic() - since > _STALLED_SECONDS:
            return "it does not answer"
        # A failure hours ago says nothing about now, and in a quiet night no call shows that the broker is back.
        return self._failure if time.monotonic() - self._failed_at < _TROUBLE_SECONDS else ""

    def flush(self, seconds: float) -> bool:
        """Wait until all calls have been sent, for so long at most; return whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and self._sending_since is None, seconds)

    def _enqueue(self, task: str, queue: str, *args: str) -> None:
        call = (task, queue, args)
        with self._changed:
            if call in self._waiting or len(self._waiting) >= _MAX_WAITING:
                return
            self._waiting[call] = None
            if queue == "urgent":
                self._waiting.move_to_end(call, last=False)
            if self._thread is None:
                # Started only when it is needed, because a process may be forked before that.
                self._thread = Thread(target=self._run, name="wakeups", daemon=True)
                self._thread.start()
                atexit.register(self.flush, _EXIT_SECONDS)
            self._changed.notify_all()

    def _send(self, task: str, queue: str, args: tuple[str, ...]) -> None:
        """Send one call, as a message with what Celery's protocol 2 requires.

        `send_task` adds to it what nobody reads here, and takes three times as long: too much for the one message that
        lies between an event and its push.
        """
        call = str(uuid4())
        headers = {"lang": "py", "task": task, "id": call, "root_id": call, "parent_id": None, "group": None}
        with self._app.producer_pool.acquire(block=True) as producer:
            producer.publish(
                (args, {}, _NO_CALLBACKS),
                serializer="json",
                headers=headers,
                correlation_id=call,
                routing_key=queue,
                declare=[self._app.amqp.queues[queue]],
                retry=False,
            )

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                (task, queue, args), _ = self._waiting.popitem(last=False)
                self._sending_since = time.monotonic()
            try:
                self._send(task, queue, args)
                self._failure = ""
            except Exception as error:  # noqa: BLE001 (each transport has its own errors, and the thread must not end)
                self._failure, self._failed_at = str(error) or type(error).__name__, time.monotonic()
            with self._changed:
                self._sending_since = None
                lost = 1 + len(self._waiting) if self._failure else 0
                if lost:
                    self._waiting.clear()
                self._changed.notify_all()
            if lost:
                log.warning("wakeup_lost", reason=self._failure, calls=lost, next_step="the next sweep does it")
                time.sleep(_PAUSE_SECONDS)
