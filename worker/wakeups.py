"""Wake-up calls through Celery: never the truth, so one that is lost costs at most a sweep.

Nobody waits for the broker. A call is left here and sent by a thread; while the broker stalls or is away calls are
dropped, and the sweep does what they were for.
"""

from __future__ import annotations

import atexit
import time
from collections import OrderedDict
from threading import Condition, Thread
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from celery import Celery

log = structlog.get_logger()

_MOST = 10_000
"""How many calls may wait; each is there once. More are dropped."""
_STALLED_SECONDS = 2.0
"""A call that takes longer is in trouble."""
_AGAIN_SECONDS = 1.0
"""How long nothing is sent after a failure."""
_REMEMBERED_SECONDS = 60.0
"""How long a failure counts as trouble when nothing is sent after it."""
_END_SECONDS = 1.0
"""How long a process that ends waits for its last calls."""

_Call = tuple[str, str, tuple[str, ...]]


class Wakeups:
    """Sends wake-up calls to whichever worker is free. Threads may share it."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._waiting: OrderedDict[_Call, None] = OrderedDict()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._begun: float | None = None
        self._reason = ""
        self._failed = 0.0

    def consume(self, *, urgent: bool) -> None:
        """There are events to be read."""
        self._leave("dateline.consume", "urgent" if urgent else "intake")

    def distribute(self, feed: str, *, urgent: bool = False) -> None:
        """Receivers of the feed are behind."""
        self._leave("dateline.distribute", "urgent" if urgent else "distribute", feed)

    def verify(self, feed: str) -> None:
        """Requests to the hub wait for verification."""
        self._leave("dateline.verify", "verify", feed)

    def read_back(self, feed: str) -> None:
        """Pages of killed articles are to be looked at."""
        self._leave("dateline.read_back", "verify", feed)

    @property
    def trouble(self) -> str:
        """Why calls do not reach the broker at the moment; empty when they do."""
        begun = self._begun
        if begun is not None and time.monotonic() - begun > _STALLED_SECONDS:
            return "it does not answer"
        # What was hours ago says nothing, and in a quiet night no call tells that it is over.
        return self._reason if time.monotonic() - self._failed < _REMEMBERED_SECONDS else ""

    def flush(self, seconds: float) -> bool:
        """Wait until all calls have been sent, or so long; return whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and self._begun is None, seconds)

    def _leave(self, task: str, queue: str, *args: str) -> None:
        call = (task, queue, args)
        with self._changed:
            if call in self._waiting or len(self._waiting) >= _MOST:
                return
            self._waiting[call] = None
            if queue == "urgent":
                self._waiting.move_to_end(call, last=False)
            if self._thread is None:
                # Not before it is needed: a process may be forked until then.
                self._thread = Thread(target=self._run, name="wakeups", daemon=True)
                self._thread.start()
                atexit.register(self.flush, _END_SECONDS)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                (task, queue, args), _ = self._waiting.popitem(last=False)
                self._begun = time.monotonic()
            try:
                self._app.send_task(task, args=args, queue=queue, retry=False)
                self._reason = ""
            except Exception as error:  # noqa: BLE001 (each transport has its own, and the thread must not end)
                self._reason, self._failed = str(error) or type(error).__name__, time.monotonic()
            with self._changed:
                self._begun = None
                lost = 1 + len(self._waiting) if self._reason else 0
                if lost:
                    self._waiting.clear()
                self._changed.notify_all()
            if lost:
                log.warning("wakeup_lost", reason=self._reason, calls=lost, next_step="the next sweep does it")
                time.sleep(_AGAIN_SECONDS)
