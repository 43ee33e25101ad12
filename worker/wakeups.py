"""Wake-up calls through Celery: never the truth, so one that is lost costs at most a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from kombu.exceptions import OperationalError

if TYPE_CHECKING:
    from celery import Celery

log = structlog.get_logger()


class Wakeups:
    """Sends wake-up calls to whichever worker is free."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def consume(self, *, urgent: bool) -> None:
        """There are events to be read."""
        self._send("dateline.consume", "urgent" if urgent else "intake")

    def distribute(self, feed: str, *, urgent: bool = False) -> None:
        """Receivers of the feed are behind."""
        self._send("dateline.distribute", "urgent" if urgent else "distribute", feed)

    def verify(self, feed: str) -> None:
        """Requests to the hub wait for verification."""
        self._send("dateline.verify", "verify", feed)

    def read_back(self, feed: str) -> None:
        """Pages of killed articles are to be looked at."""
        self._send("dateline.read_back", "verify", feed)

    def _send(self, task: str, queue: str, *args: str) -> None:
        try:
            self._app.send_task(task, args=args, queue=queue, retry=False)
        except OperationalError as error:
            log.warning("wakeup_lost", task=task, reason=str(error), next_step="the next sweep does it")
