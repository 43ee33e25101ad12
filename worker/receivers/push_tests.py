"""Test pushes: a test article to one endpoint, through its guard, its credentials and its signature, and its kill.

An endpoint that gets feeds gets a feed of this article alone. The article says in its words, and the request in its
header Dateline-Test, that it is a test. Whoever has taken it is sent its kill at once, so that none stays anywhere.
Nothing of this is in a ledger.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from worker.destinations.interface import Delivery
from worker.management.changes import Conflict
from worker.management.scopes import ENDPOINTS_OPERATE
from worker.outbound.auth import shown_headers
from worker.outbound.errors import Fault, RequestImpossible, RequestPending
from worker.outbound.oauth2_tokens import Tokens
from worker.outbound.transfer import Answer, unsent
from worker.outbound.webhook_consents import Consents
from worker.receivers.attempt_views import phases_row
from worker.receivers.push_test_documents import push_test_documents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.destinations.endpoint import Endpoint
    from worker.destinations.interface import Destination, Message
    from worker.management.audit_trail import AuditTrail
    from worker.management.callers import Caller
    from worker.newsroom.publication import Publication
    from worker.outbound.engine import Engine
    from worker.outbound.transfer import Phases

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class PushTestAnswer:
    """What an endpoint answered to a test. `status`: 0 when no answer came; `error`: why; `body`: its beginning.

    `phases`, `sent`: as of an `Answer`.
    """

    status: int
    seconds: float
    error: str
    body: str
    phases: Phases | None = None
    sent: Sequence[str] = field(default=(), repr=False)

    @property
    def accepted(self) -> bool:
        """Whether it was taken."""
        return not self.error and 200 <= self.status < 300

    def as_json(self) -> dict[str, Any]:
        """Return it as it is shown."""
        return {
            "accepted": self.accepted,
            "status": self.status or None,
            "seconds": round(self.seconds, 4),
            "error": self.error or None,
            "body": self.body,
            "phases": phases_row(self.phases) if self.phases else None,
            "request_headers": shown_headers(self.sent).splitlines(),
        }


@dataclass(frozen=True, slots=True)
class PushTest:
    """A test push: the id of its article, what was sent, the answer, and the answer to its kill (None: none was sent).

    `document`: the body, before any compression.
    """

    article_id: str
    document: str
    answer: PushTestAnswer
    kill: PushTestAnswer | None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is shown."""
        return {
            "article": self.article_id,
            "document": self.document,
            "answer": self.answer.as_json(),
            "kill": self.kill.as_json() if self.kill else None,
        }


class PushTests:
    """Sends tests. The engine is made and started for the first of them. `timeout` in seconds."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        configured: Callable[[str, Tokens, Consents, Engine], Endpoint | None],
        publication: Publication,
        audit: AuditTrail,
        timeout: float,
    ) -> None:
        self._make_engine = engine
        self._configured = configured
        self._publication = publication
        self._audit = audit
        self._timeout = timeout
        self._lock = Lock()
        self._engine: Engine | None = None
        self._asking: tuple[Tokens, Consents] | None = None

    def stop(self) -> None:
        """Send no more."""
        with self._lock:
            if self._engine is not None:
                self._engine.stop(0)
            if self._asking is not None:
                for part in self._asking:
                    part.stop()

    def push(self, caller: Caller, name: str, partner: str | None = None) -> PushTest:
        """Send a test to an endpoint. Raises Forbidden, Conflict when it can't be sent tests."""
        engine, tokens, consents = self._running()
        endpoint = self._configured(name, tokens, consents, engine)
        if endpoint is None:
            raise Conflict(f"{name} can't be used just now; the log says why")
        caller.require(ENDPOINTS_OPERATE, feed=endpoint.feed, partner=partner)
        if endpoint.destination is None:
            raise Conflict(f"{name} is read by its partner: nothing can be sent to it")
        article_id, message, kill_message = push_test_documents(endpoint, self._publication)
        answer, remote = self._sent(engine, endpoint.destination, message)
        kill = self._sent(engine, endpoint.destination, kill_message, remote)[0] if answer.accepted else None
        self._audit.note(caller, "endpoint.tested", name, new={"status": answer.status, "error": answer.error})
        return PushTest(article_id, message.text.decode("utf-8"), answer, kill)

    def _running(self) -> tuple[Engine, Tokens, Consents]:
        with self._lock:
            if self._engine is None or self._asking is None:
                self._engine = self._make_engine()
                self._engine.start()
                self._asking = Tokens(self._engine, self._timeout), Consents(self._engine, self._timeout)
                self._asking[0].start()
            return self._engine, *self._asking

    def _sent(
        self, engine: Engine, destination: Destination, message: Message, remote: str = ""
    ) -> tuple[PushTestAnswer, str]:
        """Send one message, and wait for its answer; and for what the destination has to remember."""
        answers: list[Answer] = []
        answered = Event()

        def on_answer(answer: Answer) -> None:
            answers.append(answer)
            answered.set()

        deadline = time.monotonic() + 2 * self._timeout
        while True:
            try:
                delivery = Delivery(self._timeout, deadline + self._timeout, remote=remote, test=True)
                request = destination.push(message, delivery, on_answer)
            except RequestPending as error:
                if time.monotonic() > deadline:
                    return PushTestAnswer(0, 0.0, str(error), ""), ""
                time.sleep(_LOOK_SECONDS)
            except RequestImpossible as error:
                return PushTestAnswer(0, 0.0, str(error), ""), ""
            else:
                break
        engine.submit([request])
        answered.wait(3 * self._timeout)
        answer = answers[0] if answers else unsent(Fault.TIMEOUT, "no answer came in time")
        body = answer.body.decode("utf-8", "replace")
        shown = PushTestAnswer(answer.status, answer.seconds, answer.message, body, answer.phases, answer.sent)
        return shown, answer.remote
