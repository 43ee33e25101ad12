"""Where pushes go: one file per kind of destination.

A destination turns a claim into a `Delivery`: a short conversation that asks for one request after another and ends in
a settlement. It decides what to say; the engine says it, `policy` judges the answers, the store keeps the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from worker import clock
from worker.delivery import policy
from worker.store.receivers import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from worker.delivery.transfer import Answer, Transfer
    from worker.store.articles import Held
    from worker.store.attempts import Tried
    from worker.store.receivers import Claim

    Articles = Mapping[str, Held | None]
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
    attempts: list[Tried]
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


def judged(claim: Claim, answer: Answer, now: datetime, chance: float, *, endpoint: bool) -> policy.Outcome:
    """Return what an answer means for the claim's receiver."""
    return policy.outcome(
        answer,
        endpoint=endpoint,
        failures=claim.failures,
        failing_since=clock.moment(claim.since) if claim.since else None,
        now=now,
        chance=chance,
    )


def unfinished(claim: Claim, outcome: policy.Outcome, cursor: int, now: datetime) -> tuple[Settlement, str]:
    """Return the settlement for an outcome that ends the conversation early, and its word.

    `cursor` is how far the receiver has come nevertheless.
    """
    at = clock.ms(now)
    since = claim.since or at
    match outcome:
        case policy.Retry(due, reason):
            failures = claim.failures + 1
            return Settlement(claim, "retry", cursor, clock.ms(due), failures, since, at, _brief(reason)), "retry"
        case policy.Gone(_) if "endpoint" in claim.details:
            # A contracted partner is not forgotten because of one answer; a person decides.
            return Settlement(claim, "pause", cursor, 0, claim.failures + 1, since, at, "suspended"), "suspended"
        case policy.Gone(reason):
            return Settlement(claim, "end", cursor, reason=_brief(reason)), "gone"
        case policy.Suspend(_):
            return Settlement(claim, "pause", cursor, 0, claim.failures + 1, since, at, "suspended"), "suspended"
        case policy.GiveBack(due) if due is not None:
            held = (claim.failures, claim.since, claim.last)
            return Settlement(claim, "retry", cursor, clock.ms(due), *held, reason="slow"), "given_back"
        case _:
            # Not sent at all: the receiver is not to blame, its failures stay as they were.
            back = Settlement(claim, "back", cursor, 0, claim.failures, claim.since, claim.last)
            return back, "given_back"


def _brief(reason: str) -> str:
    """A reason as the hold keeps it: short, on one line."""
    return " ".join(reason.split())[:120]
