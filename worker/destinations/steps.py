"""A push in several steps, written down as a generator: it yields each request, and is given what came of it.

    def steps() -> Steps:
        answer = yield Step("HEAD", url)
        if answer.status == 404:
            answer = yield Step("PUT", url, body, headers)
        return answer

What it returns is the answer to the push, or what it raises as `Ended`, from however deep inside. Each step begins in
the engine's thread, as soon as the one before has its answer.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from worker.destinations.interface import followed_by
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer, Transfer

if TYPE_CHECKING:
    from worker.destinations.interface import Delivery, OnAnswer
    from worker.outbound.engine import Engine

log = structlog.get_logger()

_READING = frozenset({"GET", "HEAD"})


class Step(NamedTuple):
    """One request. `keep_bytes`: how much of the answer's body is wanted; `once`: as of a Transfer."""

    method: str
    url: str
    body: bytes = b""
    headers: tuple[str, ...] = ()
    keep_bytes: int = 2048
    once: bool = False


Steps = Generator[Step, Answer, Answer]


class Ended(Exception):
    """Ends a push with an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


def refused(answer: Answer, *, denied: bool) -> Answer:
    """Return an answer that takes nothing in the words of all destinations: `denied` if it is one for a person."""
    if denied:
        answer.fault = Fault.DENIED
    elif answer.status < 400:
        answer.fault = Fault.PROTOCOL
    return answer


class _Run:
    """A push under way."""

    def __init__(self, steps: Steps, engine: Engine, on_answer: OnAnswer) -> None:
        self._steps = steps
        self._engine = engine
        self._on_answer = on_answer
        self._seconds = 0.0
        self._wrote = False
        self.step = next(steps)
        self.first: Transfer

    def take(self, answer: Answer) -> None:
        """Go on after the answer to a step."""
        self._seconds += answer.seconds
        self._wrote |= answer.started and self.step.method not in _READING
        try:
            step = self.step = self._steps.send(answer)
        except StopIteration as end:
            outcome: Answer = end.value
        except Ended as end:
            outcome = end.answer
        except Exception as error:
            log.exception("push_step_failed", method=self.step.method)
            outcome = Answer(0, {}, b"", Fault.INTERNAL, f"it failed: {type(error).__name__}", 0.0, started=True)
        else:
            changes: dict[str, Any] = step._asdict() | {"headers": list(step.headers)}
            self._engine.submit([followed_by(self.first, **changes)])
            return
        outcome.seconds, outcome.started = self._seconds, self._wrote
        outcome.phases, outcome.sent = answer.phases, answer.sent
        self._on_answer(outcome)


def begin(steps: Steps, delivery: Delivery, engine: Engine, on_answer: OnAnswer, **of_all: Any) -> Transfer:
    """Return the first step of a push. `of_all`: fields that all its transfers have, such as `tls`."""
    run = _Run(steps, engine, on_answer)
    step = run.step
    run.first = Transfer(
        step.url,
        step.body,
        list(step.headers),
        delivery.timeout,
        delivery.deadline,
        run.take,
        method=step.method,
        keep_bytes=step.keep_bytes,
        once=step.once,
        keep_headers=True,
        **of_all,
    )
    return run.first
