"""Requests to the callbacks of subscribers: the question whether they asked, and that a subscription has ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from worker.outbound.cloud_notification import NOTIFICATION_TYPE, notification
from worker.outbound.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Answer


class CallbackRequests:
    """Makes and sends them. `timeout` and `claim_seconds` in seconds: no request outlasts the claim on its subject."""

    def __init__(self, engine: Engine, *, timeout: float, claim_seconds: float) -> None:
        self._engine = engine
        self._timeout = timeout
        self._claim_seconds = claim_seconds

    @property
    def claim_ms(self) -> int:
        """How long the claim on a subscription request lasts, in milliseconds."""
        return int(self._claim_seconds * 1000)

    def send(self, transfers: Sequence[Transfer]) -> None:
        """Hand requests to the engine, and return."""
        self._engine.submit(transfers)

    def question(
        self, callback: str, query: Mapping[str, str], on_answer: Callable[[Answer], None], keep_bytes: int
    ) -> Transfer:
        """Make a request with these parameters; `on_answer` gets the first `keep_bytes` of the answer's body."""
        return Transfer(
            _with_query(callback, query),
            b"",
            [],
            self._timeout,
            time.monotonic() + self._claim_seconds,
            on_answer,
            method="GET",
            keep_bytes=keep_bytes,
            receiver=callback,
            question=True,
        )

    def first_notification(self, callback: str, topic: str, on_answer: Callable[[Answer], None]) -> Transfer:
        """Make the notification by which rssCloud asks whoever has named no domain: any 2xx is a yes."""
        return Transfer(
            callback,
            notification(topic),
            [NOTIFICATION_TYPE],
            self._timeout,
            time.monotonic() + self._claim_seconds,
            on_answer,
            receiver=callback,
            question=True,
        )

    def denial(self, topic: str, callback: str, reason: str) -> Transfer:
        """Make the request that informs a subscriber that it has no subscription (section 5.2). It need not answer."""
        query = {"hub.mode": "denied", "hub.topic": topic, "hub.reason": reason}
        return self.question(callback, query, lambda _: None, 0)


def _with_query(callback: str, query: Mapping[str, str]) -> str:
    """The callback with our parameters. Appended as text: its own query stays verbatim (section 5.1.1)."""
    return f"{callback}{'&' if '?' in callback else '?'}{urlencode(query)}"
