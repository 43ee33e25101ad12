"""What sessions with an endpoint share, whether it gets each article by itself or a feed: signed requests, attempts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

from worker import clock
from worker.destinations.interface import Delivery
from worker.outbound.auth import shown_headers
from worker.outbound.errors import Fault, RequestImpossible, RequestPending
from worker.outbound.transfer import Answer
from worker.receivers.status_phrases import status_phrase
from worker.store.attempts import Attempt, AttemptRecord
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from worker.destinations.endpoint import Endpoint
    from worker.destinations.interface import Message
    from worker.outbound.jobs import Job
    from worker.outbound.transfer import Transfer
    from worker.receivers.ledger import LedgerEntry
    from worker.store.receivers import Claim


class EndpointPushes(ABC):
    """The part of a push session (`PushSession`) that makes requests to an endpoint and notes its attempts."""

    on_answer: Callable[[Any, object, Answer], None]
    attempts: list[AttemptRecord]
    accepted_ms = 0
    in_flight = 0
    withdrawals_seen = 0

    def __init__(self, endpoint: Endpoint, claim: Claim, timeout: float, deadline: float) -> None:
        assert endpoint.destination is not None
        self.claim = claim
        self.attempts = []
        self._endpoint = endpoint
        self._destination = endpoint.destination
        self._timeout = timeout
        self._deadline = deadline

    @abstractmethod
    def break_off(self, settlement: Settlement) -> None:
        """Send nothing more; `settlement` is what the claim comes to."""

    def _note_attempt(
        self,
        message: Message,
        entry: LedgerEntry,
        article_id: str,
        answer: Answer,
        outcome: str,
        ledger: dict[str, str],
        now: datetime,
        *,
        dispute: str = "",
        alert: str = "",
    ) -> None:
        """Note an attempt to push `entry`, and what the ledger has to store of it; the rest as in `AttemptRecord`."""
        error = answer.message or ("" if outcome == "delivered" else f"answered {status_phrase(answer.status)}")
        attempt = Attempt(
            clock.ms(now),
            article_id,
            entry.version,
            entry.status,
            outcome,
            answer.status,
            round(answer.seconds * 1000),
            message.size,
            message.digest,
            message.id,
            error,
            answer.body[:2048].decode("utf-8", "replace"),
            " ".join(map(str, answer.phases)) if answer.phases else "",
            shown_headers(answer.sent),
        )
        self.attempts.append(AttemptRecord(attempt, ledger, dispute, alert))

    def _postpone(self, settlement: Settlement, due: int, reason: str) -> None:
        """Have the endpoint claimed again at `due` (ms), which is no failure."""
        settlement.verb, settlement.due, settlement.reason = "retry", due, reason
        settlement.failing = self.claim.failing

    def _request(
        self,
        key: object,
        message: Message,
        text_ids: Collection[str],
        replay_id: str = "",
        remote: str = "",
        *,
        doubtful: bool = False,
    ) -> Transfer | Job | None:
        """Return the request that pushes a message, in flight from now on; None when a token or consent is missing.

        `text_ids`: the articles whose text is in it; the rest as in `Delivery`. While one is being fetched, the session
        is broken off and goes on in a moment, without a failure. If none can be had, that counts as an answer: so it is
        judged, noted and logged like one.
        """
        delivery = Delivery(self._timeout, self._deadline, replay_id, remote, doubtful)
        request: Transfer | Job | None
        try:
            request = self._destination.push(message, delivery, partial(self.on_answer, self, key))
            request.article_ids = text_ids
        except RequestPending as pending:
            self._wait(pending)
            return None
        except FileNotFoundError:
            # Whoever tidies the pictures that are kept has removed it since the message was made.
            self._wait(RequestPending("a picture is fetched anew"))
            return None
        except RequestImpossible as error:
            self.on_answer(self, key, Answer(0, {}, b"", Fault.INVALID, str(error), 0.0, started=False))
            request = None
        self.in_flight += 1
        return request

    def _wait(self, pending: RequestPending) -> None:
        due = clock.ms(clock.agreed()) + int(pending.seconds * 1000)
        self.break_off(Settlement(self.claim, "retry", self.claim.cursor, due, self.claim.failing, str(pending)))
