"""Celery's consumer, as it is in our workers: a message that can't be used ends no worker and is not lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer as CeleryConsumer

from worker.runtime.unusable_messages import set_aside
from worker.watchdog import watched

if TYPE_CHECKING:
    from kombu import Message

logger = get_logger(__name__)

_STILL_SECONDS = 120.0
"""How long Celery's loop may take to come around before it is taken to stand still."""


class Consumer(CeleryConsumer):
    """Sets aside what Celery would only log or drop. Its thread is watched like all others."""

    def start(self) -> None:
        """Consume until the worker stops."""
        # Only the loop of brokers that can be polled can show that it moves.
        seconds = _STILL_SECONDS if self.hub is not None else math.inf  # type: ignore[attr-defined]  # as above
        with watched("consumer", seconds) as self._beat:
            super().start()

    def connect(self) -> Any:
        """Connect to the broker, however long it is away."""
        with self._beat.resting():
            return super().connect()

    def loop_args(self) -> tuple[Any, ...]:
        """Have the loop that now begins show that it moves."""
        hub = self.hub  # type: ignore[attr-defined]  # missing in its stubs
        if hub is not None:
            hub.call_repeatedly(1.0, self._beat)
        arguments: tuple[Any, ...] = super().loop_args()
        return arguments

    def on_unknown_message(self, body: Any, message: Message) -> None:
        """What is no task."""
        del body
        self._set_aside(message, "is no message of Celery")

    def on_unknown_task(self, body: Any, message: Message, exc: Exception) -> None:
        """A task that there is not."""
        del body, exc
        self._set_aside(message, f"there is no task {str(message.headers.get('task'))[:100]!r}")

    def on_invalid_task(self, body: Any, message: Message, exc: Exception) -> None:
        """A task that can't be read, or that is not JSON."""
        del body
        self._set_aside(message, f"can't be read: {exc}")

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """A body that is not what it says."""
        self._set_aside(message, f"can't be read: {exc}")

    def _set_aside(self, message: Message, reason: str) -> None:
        body = message.body
        set_aside(body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body), reason)
        message.ack_log_error(logger, self.connection_errors)  # type: ignore[attr-defined]  # missing in its stubs
