"""Whose trouble a refusal is: the endpoint's, or that of the article alone. Functions of their arguments.

An article that is refused is in doubt: is it about the article, or would the endpoint refuse any other? So another one
is sent. If that is refused too, it is the endpoint's trouble, and all wait. If it is taken, the article in doubt is
sent again. Refused once more, it is parked, or goes on in dispute: it is tried by itself, beside the others, in its own
time. `policy` says how long a dispute lasts. A dispute about a kill or a withdrawal never ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker import clock
from worker.receivers import policy
from worker.receivers.push_session import brief
from worker.store.attempts import Dispute

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class RefusedPush:
    """One refusal, and what is known of the article and its endpoint at that moment. Times in ms, 0: never.

    `dispute`: the one that was going on about the article. `refused`: when the endpoint refused this very message
    before; `failed`: refused it or gave no good answer. `last_success`: when the endpoint last took anything. `alone`:
    for long enough there was no other article to compare it with.
    """

    outcome: policy.Refused
    notice: bool
    replayed: bool
    dispute: Dispute | None
    refused: int
    failed: int
    last_success: int
    alone: bool


@dataclass(frozen=True, slots=True)
class Park:
    """The article is set aside. `alone`: although there was no other to compare it with."""

    alone: bool = False


@dataclass(frozen=True, slots=True)
class Contest:
    """The article is tried by itself from now on, while the others go on."""

    dispute: Dispute


@dataclass(frozen=True, slots=True)
class Doubt:
    """Nobody can say yet: another article has to be tried."""


Verdict = Park | Contest | Doubt


def judge(refusal: RefusedPush, now: datetime, chance: float) -> Verdict:
    """Return whose trouble a refusal is at `now`; `chance` in [0, 1) spreads the next tries."""
    outcome, dispute = refusal.outcome, refusal.dispute
    if dispute is not None:
        before = dispute.last
    elif 400 <= outcome.status < 500:
        before = refusal.refused
    else:
        before = max(refusal.refused, refusal.failed)
    about_article = before > 0 and (refusal.last_success >= before or refusal.replayed)
    if about_article or dispute is not None:
        tries, since = (dispute.tries, dispute.since) if dispute is not None else (1, clock.ms(now))
        # A refusal while the endpoint takes nothing else proves nothing, and does not count.
        tries += about_article
        lasting = now - clock.moment(since)
        if about_article and not refusal.notice and policy.given_up(outcome.status, tries, lasting):
            return Park()
        return Contest(_dispute(outcome, now, clock.ms(now + policy.wait(lasting, chance)), tries, since))
    if refusal.alone and (refusal.notice or policy.about_article(outcome.status)):
        if not refusal.notice:
            return Park(alone=True)
        # Otherwise nothing but a kill would get the endpoint suspended in the end.
        due = clock.ms(now + policy.wait(policy.ALONE_AFTER, chance))
        return Contest(_dispute(outcome, now, due, 1, clock.ms(now)))
    return Doubt()


def _dispute(outcome: policy.Refused, now: datetime, due: int, tries: int, since: int) -> Dispute:
    return Dispute(due, tries, since, clock.ms(now), outcome.status, brief(outcome.reason))
