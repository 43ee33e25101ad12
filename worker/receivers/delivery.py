"""Where pushes go: one file per kind of destination.

A destination turns a claim into a `Delivery`: a short conversation that asks for one request after another and ends in
a settlement. It decides what to say; the engine says it, `policy` judges the answers, the store keeps the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from worker import clock
from worker.receivers import policy
from worker.store.endpoints import SUSPENDED
from worker.store.receivers import Failing, Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from worker.outbound.transfer import Answer, Transfer
    from worker.store.articles import StoredArticle
    from worker.store.attempts import AttemptRecord
    from worker.store.receivers import Claim

    Articles = Mapping[str, StoredArticle | None]
    """Articles as they are now, by id; None for one that is not there."""


class Delivery(Protocol):
    """One claim being served.

    `hand_in(key, answer)` is set before the first request and takes the answer to each. `wants` names the articles that
    must be looked at before more may be sent; `next` is given them as they are at that moment, and gives the next
    request, or None when none may be sent now. `answered` is told each answer, with the key that came with it. When
    nothing is wanted and nothing `in_flight`, `settlement` says what came of the claim. `after`: the last withdrawal
    from the feed that was heard of before anything was read that the next request says.
    """

    claim: Claim
    after: int
    hand_in: Callable[[object, Answer], None]
    attempts: list[AttemptRecord]
    """What was tried at an endpoint since somebody emptied the list; of subscriptions nothing is noted."""

    @property
    def settlement(self) -> Settlement:
        """What came of the claim."""

    @property
    def in_flight(self) -> int:
        """How many requests have no answer yet."""

    @property
    def accepted(self) -> int:
        """When the oldest event in what was answered last was accepted (ms), 0 if unknown."""

    def wants(self) -> Iterable[str]:
        """Return the ids of articles that `next` needs."""

    def next(self, articles: Articles) -> Transfer | None:
        """Return the next request."""

    def answered(self, key: object, answer: Answer, now: datetime, chance: float) -> str:
        """Take the answer in; return its word: delivered, retry, refused, gone, suspended or given_back."""

    def break_off(self, settlement: Settlement) -> None:
        """Send nothing more; `settlement`, but for how far the receiver has come, is what is said of the claim."""


def judged(
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


def unfinished(claim: Claim, outcome: policy.Outcome, cursor: int, now: datetime) -> tuple[Settlement, str]:
    """Return the settlement for an outcome that ends the conversation early, and its word.

    `cursor` is how far the receiver has come nevertheless. Of what was refused, it says that all would be.
    """
    if isinstance(outcome, policy.Refused):
        outcome = outcome.otherwise
    at = clock.ms(now)
    failing = Failing(claim.failing.since or at, at)
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
            # Not sent at all: the receiver is not to blame, it is failing as before or not.
            return Settlement(claim, "back", cursor, 0, claim.failing), "given_back"


def brief(reason: str) -> str:
    """Return a reason as it is kept: short, on one line."""
    return " ".join(reason.split())[:120]
