"""What destinations that are brokers of messages have in common.

A message has arrived when the broker says so, and nobody can look into a queue without taking out what is in it.

`RequestBroker` is one that takes a message by a request, which libcurl sends. `BrokerDestination` is one whose client
waits: one connection, one message at a time. A connection is kept for the next message, and dropped with whatever may
still be under way on it as soon as anything goes wrong: nothing that has failed arrives later, on top of what came
after it, unless the broker had it already.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from worker.destinations.steps import begin
from worker.outbound.errors import Fault
from worker.outbound.jobs import Job
from worker.outbound.transfer import Answer, unsent

if TYPE_CHECKING:
    from worker.destinations.interface import Delivery, Message, OnAnswer
    from worker.destinations.steps import Step, Steps
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Transfer

_IDLE_SECONDS = 30.0
"""A connection that was idle for so long is made anew: brokers and what lies between end those that say nothing."""

Connection = TypeVar("Connection")


def properties(message: Message, delivery: Delivery, media_type: str) -> dict[str, str]:
    """Return what stands beside the text of a message about an article."""
    assert message.article is not None
    values = {
        "article-id": message.article.id,
        "article-version": str(message.article.version),
        "status": message.status,
        "message-id": message.id,
        "content-type": media_type,
        "dateline-replay": delivery.replay_id,
        "dateline-test": "true" if delivery.test else "",
    }
    return {name: value for name, value in values.items() if value}


class RequestBroker(ABC):
    """A queue or a topic that takes each message by one request. `of_all`: what all requests have, such as `tls`."""

    gzip: ClassVar[bool] = False
    look: ClassVar[None] = None

    def __init__(self, engine: Engine, **of_all: Any) -> None:
        self._engine = engine
        self._of_all = of_all

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Transfer:
        """Return the request that brings a message."""
        return begin(self._steps(message, delivery), delivery, self._engine, on_answer, **self._of_all)

    def _steps(self, message: Message, delivery: Delivery) -> Steps:
        judged = self.judged((yield self.step(message, delivery)))
        # It may repeat what we have signed with.
        judged.body = b""
        return judged

    @abstractmethod
    def step(self, message: Message, delivery: Delivery) -> Step:
        """Return the request."""

    @abstractmethod
    def judged(self, answer: Answer) -> Answer:
        """Return an answer of the broker in the words of all destinations."""


class Unreachable(Exception):
    """There is no connection; nothing was sent."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class BrokerDestination(ABC, Generic[Connection]):
    """An exchange or a topic of a broker at `host` (with its port)."""

    gzip: ClassVar[bool] = False
    look: ClassVar[None] = None

    def __init__(self, host: str) -> None:
        self._host = host
        self._lock = Lock()
        self._connection: Connection | None = None
        self._used = 0.0

    def __del__(self) -> None:
        # Settings that are read again make another destination of the same endpoint, and drop this one: anywhere.
        if self._connection is not None and not sys.is_finalizing():
            Thread(target=self.disconnect, args=(self._connection,), daemon=True).start()

    def push(self, message: Message, delivery: Delivery, on_answer: OnAnswer) -> Job:
        """Return the job that publishes a message."""
        job = Job(self._host, partial(unsent, Fault.INTERNAL, ""), delivery.timeout, delivery.deadline, on_answer)
        job.run = partial(self._publish, job, message, delivery)
        return job

    @abstractmethod
    def connect(self, seconds: float) -> Connection:
        """Return a connection. Raises Unreachable."""

    @abstractmethod
    def publish(self, connection: Connection, message: Message, delivery: Delivery, seconds: float) -> Answer:
        """Publish a message and wait for the broker's word."""

    @staticmethod
    @abstractmethod
    def disconnect(connection: Connection) -> None:
        """End a connection, whatever state it is in."""

    def _publish(self, job: Job, message: Message, delivery: Delivery) -> Answer:
        end = time.monotonic() + delivery.timeout
        if not self._lock.acquire(timeout=delivery.timeout):
            return unsent(Fault.TIMEOUT, "the messages before it have not been confirmed")
        try:
            if time.monotonic() - self._used > _IDLE_SECONDS:
                self._drop()
            left = end - time.monotonic()
            if left <= 0:
                return unsent(Fault.TIMEOUT, "the messages before it have not been confirmed")
            if self._connection is None:
                try:
                    self._connection = self.connect(left)
                except Unreachable as error:
                    return unsent(error.fault, str(error))
            # It may have waited for those before it, and for the connection.
            if job.is_current is not None and not job.is_current():
                return unsent(Fault.OUTDATED, "not sent: it is out of date")
            answer = self.publish(self._connection, message, delivery, max(0.001, end - time.monotonic()))
            self._used = time.monotonic()
            if answer.status != 200:
                self._drop()
            return answer
        finally:
            self._lock.release()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self.disconnect(connection)


def describe(answer: Answer, code: str, reason: str) -> None:
    """Keep of an answer what the broker gives as its reason, on one line, and nothing else of its body."""
    shown = "".join(filter(str.isprintable, " ".join(reason.split())))[:200]
    answer.body = b""
    answer.message = f"answered {answer.status} {code}".rstrip() + (f": {shown}" if shown else "")


def answered(status: int, message: str = "") -> Answer:
    """Return what the broker has answered."""
    return Answer(status, {}, b"", None, message, 0.0, started=True)


def failed(fault: Fault, message: str) -> Answer:
    """Return that nobody knows whether it has the message."""
    return Answer(0, {}, b"", fault, message, 0.0, started=True)
