"""What pushes to an endpoint have in common, whether it gets each article by itself or a feed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING

from worker import clock
from worker.outbound.errors import Fault
from worker.outbound.oauth2_tokens import TokenFailed, TokenPending
from worker.outbound.transfer import Answer
from worker.receivers import policy
from worker.store.attempts import Attempt, AttemptRecord
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from worker.destinations.http import Endpoint
    from worker.destinations.interface import Message
    from worker.outbound.transfer import Transfer
    from worker.receivers.ledger import LedgerEntry
    from worker.store.receivers import Claim

_TOKEN_MS = 250
"""How long a push waits before it looks again whether its token has come."""


class EndpointPushes(ABC):
    """What both modes share: making a signed request.

    `hand_in(key, answer)` is set before the first request: it takes each answer, with the key of what was sent.
    """

    hand_in: Callable[[object, Answer], None]
    attempts: list[AttemptRecord]
    """What was tried since somebody emptied the list."""
    accepted = 0
    in_flight = 0
    after = 0

    def __init__(self, endpoint: Endpoint, claim: Claim, timeout: float, deadline: float) -> None:
        self.claim = claim
        self.attempts = []
        self._endpoint = endpoint
        self._timeout = timeout
        self._deadline = deadline

    def _tried(
        self,
        message: Message,
        said: LedgerEntry,
        article: str,
        answer: Answer,
        word: str,
        ledger: dict[str, str],
        *,
        dispute: str = "",
        told: str = "",
    ) -> None:
        """Note an attempt, what the ledger is to hold because of it, and the rest as `Tried` has it."""
        attempt = Attempt(
            time=clock.ms(clock.agreed()),
            article=article,
            version=said.version,
            action=said.status,
            outcome=word,
            status=answer.status,
            milliseconds=round(answer.seconds * 1000),
            bytes=message.size,
            sha256=message.digest,
            message_id=message.id,
            error=answer.message or ("" if word == "delivered" else f"answered {policy.said(answer.status)}"),
            answer=answer.body[:2048].decode("utf-8", "replace"),
        )
        self.attempts.append(AttemptRecord(attempt, ledger, dispute, told))

    def _postpone(self, settlement: Settlement, due: int, reason: str) -> None:
        """Have the endpoint come again at `due` (ms), which is no failure."""
        settlement.verb, settlement.due, settlement.reason = "retry", due, reason
        settlement.failing = self.claim.failing

    @abstractmethod
    def break_off(self, settlement: Settlement) -> None:
        """Send nothing more; `settlement` is what is said of the claim."""

    def _send(self, key: object, message: Message, texts: Collection[str], replay: str = "") -> Transfer | None:
        """Return the request that pushes a message, in flight from now on; None when there is no token for it.

        `texts`: the articles whose text is in it.

        If one is on its way, the conversation has been broken off, to go on in a moment without a failure. If none can
        be had, that is handed in like an answer: so it is judged, noted and logged like one.
        """
        try:
            request = self._endpoint.push(
                message,
                partial(self.hand_in, key),
                replay=replay,
                timeout=self._timeout,
                deadline=self._deadline,
            )
            request.article_ids = texts
        except TokenPending:
            due = clock.ms(clock.agreed()) + _TOKEN_MS
            self.break_off(
                Settlement(self.claim, "retry", self.claim.cursor, due, self.claim.failing, "waiting for a token")
            )
            return None
        except TokenFailed as error:
            self.hand_in(key, Answer(0, {}, b"", Fault.INVALID, str(error), 0.0, started=False))
            request = None
        self.in_flight += 1
        return request
