"""A session with an endpoint that gets one request with all changes, as a feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker import clock
from worker.destinations.interface import Message, message_id
from worker.receivers import policy
from worker.receivers.endpoint_pushes import EndpointPushes
from worker.receivers.ledger import LedgerEntry
from worker.receivers.push_session import early_settlement, outcome_of
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from datetime import datetime

    from worker.destinations.endpoint import Endpoint
    from worker.documents.feed_payloads import FeedPayload
    from worker.outbound.jobs import Job
    from worker.outbound.transfer import Answer, Transfer
    from worker.receivers.push_plan import Postponement
    from worker.receivers.push_session import Articles
    from worker.store.receivers import Claim
    from worker.store.replays import Replay


class FeedPush(EndpointPushes):
    """One push with all changes; None: there is nothing to push, and the cursor moves to `head`.

    `postponed`: what has to wait. `replay`: what waits to be sent again; the push contains the first of it.
    `allowance`: how many requests its rate allows; at 0 the push contains nothing but notices, which are free.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        claim: Claim,
        payload: FeedPayload | None,
        head: int,
        postponed: Postponement | None,
        replay: Replay | None,
        timeout: float,
        deadline: float,
        allowance: int | None = None,
    ) -> None:
        super().__init__(endpoint, claim, timeout, deadline)
        self._unspent = allowance or 0
        self._settlement = Settlement(claim, "done", payload.cursor if payload else head)
        if postponed is not None:
            # What is sent beyond the first change that has to wait is sent again with it.
            self._settlement.cursor = min(self._settlement.cursor, postponed.seq - 1)
            self._postpone(self._settlement, postponed.due, "delayed")
        if replay is not None:
            self._settlement.replayed = list(replay.articles)
            if replay.more:
                # It stays a change behind the head, so that it is found.
                self._settlement.cursor = min(self._settlement.cursor, head - 1)
                self._postpone(self._settlement, clock.ms(clock.agreed()) + 1000, "replaying")
        self._payload = payload
        self._message: Message | None = None
        self._unsent = payload is not None
        if payload:
            push_id = message_id(payload.body, endpoint.name, claim.cursor)
            kills = any(status == "killed" for _, status in payload.statuses.values())
            self._message = Message.of(
                push_id, payload.body, compressed=endpoint.gzip, addresses=payload.addresses, kills=kills
            )
            self.accepted_ms = payload.accepted

    def needed_articles(self) -> tuple[str, ...]:
        """Return nothing: the push has been made."""
        return ()

    def next_request(self, articles: Articles) -> Transfer | Job | None:
        """Return the push, once."""
        del articles
        if not self._unsent or self._payload is None or self._message is None:
            return None
        self._unsent = False
        doubtful = self.claim.failing.since > 0 or self.claim.cursor < self.claim.details.get("cut", 0)
        return self._request(None, self._message, self._payload.text_ids, doubtful=doubtful)

    def break_off(self, settlement: Settlement) -> None:
        """Send nothing."""
        self._unsent = False
        self._settlement = settlement

    def take_answer(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Judge the answer. A push that is refused is made again, later, of what the feed contains then."""
        del key
        assert self._payload is not None
        assert self._message is not None
        self.in_flight = 0
        if answer.started:
            # The rate is charged for what was sent.
            self._unspent = 0
        outcome = outcome_of(self.claim, answer, now, chance, endpoint=True)
        now_ms, digest = clock.ms(now), self._message.digest
        ledger: dict[str, str] = {}
        alert = ""
        match outcome:
            case policy.Delivered():
                name = "delivered"
                for article_id, (version, status) in self._payload.statuses.items():
                    ledger[article_id] = str(LedgerEntry(version, status, now_ms, digest))
            case _:
                if isinstance(outcome, policy.Refused) and outcome.status and not self.claim.failing.since:
                    alert = "push.refused"
                self._settlement, name = early_settlement(self.claim, outcome, self.claim.cursor, now)
        entry = LedgerEntry(0, "feed", now_ms, digest)
        self._note_attempt(self._message, entry, "", answer, name, ledger, now, alert=alert)
        return name

    def settle(self) -> Settlement:
        """Return what the claim came to."""
        self._settlement.unspent = self._unspent
        return self._settlement
