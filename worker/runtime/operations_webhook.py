"""The operations webhook: sends operational events (worker/store/alerts.py) to the people who run Dateline."""

from __future__ import annotations

import json
import time
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import requests
import structlog
from redis.exceptions import RedisError

from config.alarm_settings import OPERATIONS
from worker import clock
from worker.outbound.requests_adapter import transfer_of
from worker.outbound.signing import WebhookAuth
from worker.receivers import policy
from worker.store import redis_errors
from worker.store.alarms import ChannelState

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer
    from worker.store import Store

log = structlog.get_logger()

_AT_ONCE = 20
_PAUSE_MOST_SECONDS = 300.0
"""The longest pause between two calls of a webhook that takes nothing."""


class OperationsWebhook:
    """Sends the events that wait to a webhook, if there is a `url`. `timeout` in seconds."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        executor: Executor,
        url: str | None,
        secrets: tuple[str, ...],
        timeout: float,
    ) -> None:
        self._store = store
        self._engine = engine
        self._executor = executor
        self._url = url
        self._secrets = secrets
        self._timeout = timeout
        self._lock = Lock()
        self._pause = 0.0
        self._again = 0.0
        self._trouble = ""

    def send(self) -> None:
        """Send what waits, unless another worker is doing so. What is not taken is sent again by a later call."""
        if not self._url or time.monotonic() < self._again:
            return
        token, waiting = self._store.operations.claim(_AT_ONCE, int((self._timeout + 5) * 1000))
        if not waiting:
            if token:
                self._store.operations.finish(token, [])
            return
        # Requests are under way together, and of the same thing what came later waits until that is taken.
        first: dict[str, tuple[str, dict[str, Any]]] = {}
        for entry, event in waiting:
            first.setdefault(_subject(event), (entry, event))
        left = {entry for entry, _ in first.values()}
        sent: list[str] = []
        transfers = []
        for entry, event in first.values():
            request = requests.Request("POST", self._url, headers={"Content-Type": "application/json"}).prepare()
            request.prepare_body(json.dumps(event), None)
            if self._secrets:
                WebhookAuth(self._secrets, event["id"], int(time.time()))(request)
            on_answer = partial(self._answered, token, entry, left, sent)
            deadline = time.monotonic() + self._timeout + 5
            transfers.append(transfer_of(request, timeout=self._timeout, deadline=deadline, on_answer=on_answer))
        self._engine.submit(transfers)

    def _answered(self, token: str, entry: str, left: set[str], sent: list[str], answer: Answer) -> None:
        """In the engine's thread: count, and let the executor speak to Redis when all have answered."""
        with self._lock:
            left.discard(entry)
            delivered = answer.fault is None and 200 <= answer.status < 300
            # What is refused for what it is, not because of who asks or where.
            refused = answer.fault is None and policy.about_article(answer.status)
            if delivered or refused:
                sent.append(entry)
            self._trouble = "" if delivered else answer.message or f"it answers {answer.status}"
            if not delivered:
                next_step = "it is in the log only" if refused else "it is sent again"
                log.warning(
                    "operations_webhook_failed", status=answer.status, reason=answer.message, next_step=next_step
                )
            if not left:
                # A webhook that takes nothing is asked less and less often.
                self._pause = 0.0 if sent else min(max(1.0, 2 * self._pause), _PAUSE_MOST_SECONDS)
                self._again = time.monotonic() + self._pause
                self._executor.submit(self._finish, token, sent)

    def _finish(self, token: str, sent: list[str]) -> None:
        """Note what was sent, and send what waits behind it. Nobody asks what became of this call."""
        try:
            self._note(token, sent)
            if sent:
                self.send()
        except RedisError as error:
            redis_errors.report(log, error, "what was sent may be sent again, under the same id", what="operations")

    def _note(self, token: str, sent: list[str]) -> None:
        self._store.operations.finish(token, sent)
        # It is a channel of alarms as well, and one that takes nothing is to be seen.
        state, now = self._store.alarms.channel(OPERATIONS), clock.ms(clock.agreed())
        if self._trouble:
            state = state._replace(failing=state.failing or now, error=self._trouble, tries=state.tries + 1)
        else:
            state = ChannelState(success=now)
        self._store.alarms.note_channel(OPERATIONS, state)


def _subject(event: dict[str, Any]) -> str:
    """Return the thing that an event is about."""
    for field in ("endpoint", "feed", "rule"):
        if subject := event["data"].get(field):
            return f"{field} {subject}"
    return str(event["id"])
