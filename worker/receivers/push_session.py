"""A claim while it is served: the interface of push sessions, and what their answers come to.

An endpoint that was claimed is served by a `PushSession`: it makes one request after another and ends in a settlement.
A subscriber is served by a single push (`subscribers.SubscriberPush`).
It decides what to send. The engine sends it, `policy` judges the answers, the store keeps the settlement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from worker import clock
from worker.receivers import policy
from worker.store.endpoints import SUSPENDED
from worker.store.receiver_states import Failing
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from worker.outbound.jobs import Job
    from worker.outbound.transfer import Answer, Transfer
    from worker.store.articles import StoredArticle
    from worker.store.attempts import AttemptRecord
    from worker.store.receivers import Claim

    Articles = Mapping[str, StoredArticle | None]
    """Articles as they are now, by id; None for one that does not exist."""


class PushSession(Protocol):
    """One claim being served.

    The distributor repeats three steps. It reads the articles that `needed_articles` names. It takes requests from
    `next_request` until that returns None. It passes each answer to `take_answer`. When the session needs no articles
    and nothing is `in_flight`, `settle` returns what the claim came to.
    """

    claim: Claim
    withdrawals_seen: int
    """The last withdrawal from the feed that this process had heard of before it read what the next request says."""
    on_answer: Callable[[Any, object, Answer], None]
    """Gets the session and each answer with the key of its request, in the engine's thread. Set before the first
    request. It must not refer to the session: a session that has ended is gone at once, and all that it read with it,
    not when it is looked for garbage."""
    attempts: list[AttemptRecord]
    """Attempts since the list was last emptied."""

    @property
    def in_flight(self) -> int:
        """How many requests have no answer yet."""

    @property
    def accepted_ms(self) -> int:
        """When the oldest event in what was answered last was accepted; 0: unknown."""

    def needed_articles(self) -> Iterable[str]:
        """Return the ids of the articles that `next_request` has to be given."""

    def next_request(self, articles: Articles) -> Transfer | Job | None:
        """Return the next request, made of the articles as they are now; None: none may be sent now."""

    def take_answer(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Judge an answer; return its outcome: delivered, retry, refused, gone, suspended or given_back."""

    def break_off(self, settlement: Settlement) -> None:
        """Send nothing more. The claim ends with `settlement`, but keeps the cursor that the session has reached."""

    def settle(self) -> Settlement:
        """Return what the claim came to. Called once, when nothing is in flight."""


def outcome_of(
    claim: Claim, answer: Answer, now: datetime, chance: float, *, endpoint: bool, suspect: bool = False
) -> policy.Outcome:
    """Return what an answer means for the claim's receiver; `suspect` as in `policy.outcome`."""
    return policy.outcome(
        answer,
        endpoint=endpoint,
        suspect=suspect,
        failing_since=clock.moment(claim.failing.since) if claim.failing.since else None,
        now=now,
        chance=chance,
    )


def early_settlement(claim: Claim, outcome: policy.Outcome, cursor: int, now: datetime) -> tuple[Settlement, str]:
    """Return the settlement for an outcome that ends the session early, and the outcome's name.

    `cursor` is how far the receiver has come nevertheless. A refusal counts as one of everything.
    """
    if isinstance(outcome, policy.Refused):
        outcome = outcome.otherwise
    now_ms = clock.ms(now)
    failing = Failing(claim.failing.since or now_ms, now_ms)
    match outcome:
        case policy.Retry(due, reason, until):
            failing = failing._replace(until=clock.ms(until) if until else 0)
            return Settlement(claim, "retry", cursor, clock.ms(due), failing, brief(reason)), "retry"
        case policy.Gone(reason) if "endpoint" in claim.details:
            # A contracted partner is not forgotten because of one answer; a person decides.
            return Settlement(claim, "pause", cursor, 0, failing, f"{SUSPENDED}: {brief(reason)}"), "suspended"
        case policy.Gone(reason):
            return Settlement(claim, "end", cursor, reason=brief(reason)), "gone"
        case policy.Suspend(reason):
            return Settlement(claim, "pause", cursor, 0, failing, f"{SUSPENDED}: {brief(reason)}"), "suspended"
        case policy.GiveBack(due) if due is not None:
            return Settlement(claim, "retry", cursor, clock.ms(due), claim.failing, "slow"), "given_back"
        case _:
            # It was not sent, so the receiver is not to blame: whether it was failing stays as it was.
            return Settlement(claim, "back", cursor, 0, claim.failing), "given_back"


def brief(reason: str) -> str:
    """Return a reason in the length in which it is stored: short, on one line."""
    return " ".join(reason.split())[:120]
