"""Submits to an engine and waits for the answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from contract.misbehaving import PATIENCE
from waiting import until

from worker.outbound.engine import Engine
from worker.outbound.transfer import Answer, Transfer


class Caller:
    """Submits to an engine and waits for the answers."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.answers: list[Answer] = []
        self._arrived = threading.Condition()

    def on_answer(self, answer: Answer) -> None:
        with self._arrived:
            self.answers.append(answer)
            self._arrived.notify()

    def transfer(self, url: str, *, body: bytes = b"news", timeout: float = PATIENCE, **more: Any) -> Transfer:
        deadline = more.pop("deadline", time.monotonic() + 2 * PATIENCE)
        headers = more.pop("headers", ["Content-Type: text/plain"])
        return Transfer(url, body, headers, timeout, deadline, more.pop("on_answer", self.on_answer), **more)

    def submit(self, transfers: Sequence[Transfer]) -> None:
        self.engine.submit(transfers)

    def wait(self, count: int) -> list[Answer]:
        """Wait until there are `count` answers; return all there are."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.answers) >= count, PATIENCE)
            assert arrived, f"{len(self.answers)} answers instead of {count}: {self.answers[:3]}"
            return list(self.answers)

    def call(self, url: str, **more: Any) -> Answer:
        """Send one request and wait for its answer."""
        count = len(self.answers)
        self.submit([self.transfer(url, **more)])
        return self.wait(count + 1)[-1]


def arrived(answers: list[Answer]) -> Answer:
    """Wait for the answer of a push that has begun."""
    return until(lambda: answers, "an answer", PATIENCE, pause=0.005)[0]
