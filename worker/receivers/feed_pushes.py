"""A partner endpoint that gets one request with all changes, as a feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker import clock
from worker.destinations.http import Endpoint
from worker.destinations.interface import Message, message_id
from worker.receivers import policy
from worker.receivers.delivery import judged, unfinished
from worker.receivers.endpoint_pushes import EndpointPushes
from worker.receivers.ledger import LedgerEntry
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from datetime import datetime

    from worker.documents.feed_payloads import FeedPayload
    from worker.outbound.transfer import Answer, Transfer
    from worker.receivers.delivery import Articles
    from worker.store.receivers import Claim
    from worker.store.replays import Replay


class FeedPush(EndpointPushes):
    """One push with all changes. `later`: the first change that has to wait, and until when (ms).

    `replay`: what waits to be sent again; the push has the first of it. `limit`: how many requests its rate allows; at
    0 the push has nothing but notices of what it holds, which are free.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        claim: Claim,
        payload: FeedPayload | None,
        head: int,
        later: tuple[int, int] | None,
        replay: Replay | None,
        timeout: float,
        deadline: float,
        limit: int | None = None,
    ) -> None:
        super().__init__(endpoint, claim, timeout, deadline)
        self._unspent = limit or 0
        self._settlement = Settlement(claim, "done", payload.cursor if payload else head)
        if later is not None:
            # What is told beyond the first that has to wait is told again with it.
            first, due = later
            self._settlement.cursor = min(self._settlement.cursor, first - 1)
            self._postpone(self._settlement, due, "delayed")
        if replay is not None:
            self._settlement.replayed = list(replay.articles)
            if replay.more:
                # It stays a change behind the head, so that it is found.
                self._settlement.cursor = min(self._settlement.cursor, head - 1)
                self._postpone(self._settlement, clock.ms(clock.agreed()) + 1000, "replaying")
        self._payload = payload
        self._body: Message | None = None
        self._waiting = payload is not None
        if payload:
            message = message_id(payload.body, endpoint.name, claim.cursor)
            self._body = Message.of(message, payload.body, compressed=endpoint.gzip)
            self.accepted = payload.accepted

    @property
    def settlement(self) -> Settlement:
        """What came of the claim."""
        self._settlement.unspent = self._unspent
        return self._settlement

    def wants(self) -> tuple[str, ...]:
        """Return nothing: the push has been made."""
        return ()

    def next(self, articles: Articles) -> Transfer | None:
        """Return the push, once."""
        del articles
        if not self._waiting or self._payload is None or self._body is None:
            return None
        self._waiting = False
        return self._send(None, self._body, self._payload.text_ids)

    def break_off(self, settlement: Settlement) -> None:
        """Send nothing."""
        self._waiting = False
        self._settlement = settlement

    def answered(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Take the answer in. A push that is refused is made again, later, of what is there then."""
        del key
        assert self._payload is not None
        assert self._body is not None
        self.in_flight = 0
        if answer.started:
            # It is charged for what was sent.
            self._unspent = 0
        outcome = judged(self.claim, answer, now, chance, endpoint=True)
        digest = self._body.digest
        told = ""
        match outcome:
            case policy.Delivered():
                word = "delivered"
            case _:
                if isinstance(outcome, policy.Refused) and outcome.status and not self.claim.failing.since:
                    told = "push.refused"
                self._settlement, word = unfinished(self.claim, outcome, self.claim.cursor, now)
        at = clock.ms(now)
        ledger = {}
        if word == "delivered":
            for article_id, (version, status) in self._payload.statuses.items():
                ledger[article_id] = str(LedgerEntry(version, status, at, digest))
        said = LedgerEntry(0, "feed", at, digest)
        self._tried(self._body, said, "", answer, word, ledger, told=told)
        return word
