"""What an answer means and what is done next: the outcome table, backoff, parking, suspension.

    2xx                                     Delivered
    410                                     Gone
    408, 425, 429, 3xx, 5xx, no answer;     Retry: about the receiver, whatever was sent
    any failure with Retry-After
    other 4xx; and 5xx or no answer when    Refused for an endpoint: about the article or about the endpoint, as other
    it has failed for half a minute         articles show; Retry for a subscription
    given back, ended by our own stop,
    refused for a token that is replaced    GiveBack: the receiver is not to blame
    too many slow receivers wait            GiveBack, a second later
    Retry, 5 days without one success       Suspend for an endpoint; a subscription ends with its lease
    what we show does not let us in, or     Suspend: only a person can mend it
    it is not the server that we know

What becomes of a refusal:

    the endpoint refuses others too         about the endpoint: nothing is set aside, all waits, like Retry
    it takes another article, and refuses   about the article: the others go on, and it is tried by itself until it is
    this one again                          taken or, at last, parked:
        400, 409, 413, 415, 422, 451            at this second refusal
        other 4xx                               after five refusals over a minute
        5xx, no answer                          after ten over an hour
        of a kill or a withdrawal               never
    one of the six, and there is nothing    parked after ten seconds, if its last answer to another article was yes;
    else to be sent                         called back if it refuses the next one too
    a kill, and there is nothing else       the same, but it is not parked: it is tried by itself

The next try is put off by a fifth of the time for which the receiver has been failing, so an outage is never made more
than a fifth longer. News for it, and there may be much, brings that forward to a twentieth of that time. What
Retry-After asks for is respected, except for a kill.

Everything here is a function of its arguments, also of time and chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from worker.outbound.errors import RECEIVER_NOT_AT_FAULT, TRY_AGAIN_STATUSES, Fault
from worker.outbound.transfer import Answer
from worker.receivers.status_phrases import status_phrase

LEAST_WAIT = timedelta(seconds=5)
"""The wait after a first failure."""
MOST_WAIT = timedelta(hours=6)
"""The longest wait, and the longest that Retry-After may ask for (RFC 9110, section 10.2.3)."""
WAIT_SHARE = 5
"""The wait is this part of the time for which the receiver has been failing: a fifth."""
NEWS_SHARE = 20
"""And if there is something new for it: a twentieth, and at least `NEWS_LEAST`."""
NEWS_LEAST = timedelta(seconds=1)
JITTER = 0.2
"""What chance may add to a wait, as a share of it, so that those who failed together do not come back together."""
SUSPEND_AFTER = timedelta(days=5)
"""An endpoint that has failed for so long is left alone until a person resumes it."""
DOUBT_AFTER = timedelta(seconds=30)
"""An endpoint that has failed for so long may do so because of one article: other articles are tried to find out."""
ALONE_AFTER = timedelta(seconds=10)
"""How long an article is tried that is refused while there is no other to compare it with."""
CROWDED_PAUSE = timedelta(seconds=1)
"""How long a slow receiver is given back while too many slow ones wait for a place."""

_ARTICLE_STATUSES = frozenset({400, 409, 413, 415, 422, 451})
"""Client errors that speak of what was sent, not of who sends it or where to."""
# A server may fail at a text in one of these ways.
_ARTICLE_FAULTS = frozenset({Fault.TIMEOUT, Fault.RESET, Fault.PROTOCOL, Fault.TOO_LARGE})


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `due`; news may bring that forward, but not before `until`."""

    due: datetime
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suspend:
    """The endpoint has failed for too long."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The endpoint does not take this. `otherwise`: what it means if it takes nothing else either."""

    status: int
    reason: str
    otherwise: Retry | Suspend


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver no longer exists (RFC 9110, section 15.5.11)."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Nothing was tried, we broke it off ourselves, or our token was old: no failure is counted."""

    due: datetime | None = None
    """When it is tried again; None: at once."""


Outcome = Delivered | Retry | Refused | Gone | Suspend | GiveBack


def outcome(
    answer: Answer,
    *,
    endpoint: bool,
    failing_since: datetime | None,
    now: datetime,
    chance: float,
    suspect: bool = False,
) -> Outcome:
    """Return what `answer` means for its receiver at `now`.

    `failing_since` is the first failure since it took anything; `chance` is in [0, 1); `suspect`: it has failed at
    the very same before, and taken something else since.
    """
    if answer.fault in RECEIVER_NOT_AT_FAULT:
        return GiveBack(now + CROWDED_PAUSE if answer.fault is Fault.CROWDED else None)
    if succeeded(answer):
        return Delivered()
    reason = answer.message
    if answer.fault is None:
        reason = answer.message or f"answered {status_phrase(answer.status)}"
        if answer.status == HTTPStatus.GONE:
            return Gone(reason)
    if endpoint and answer.fault is Fault.DENIED:
        return Suspend(reason)
    failing = now - failing_since if failing_since else timedelta(0)
    otherwise: Retry | Suspend
    if endpoint and failing >= SUSPEND_AFTER:
        otherwise = Suspend(f"no success for {failing.days} days; at last {reason}")
    else:
        retry_after = min(timedelta(seconds=answer.retry_after), MOST_WAIT)
        due = now + max(wait(failing, chance), retry_after)
        otherwise = Retry(due, reason, now + retry_after if retry_after else None)
    if endpoint and not answer.retry_after and _may_be_about_article(answer, suspect or failing >= DOUBT_AFTER):
        return Refused(answer.status if answer.fault is None else 0, reason, otherwise)
    return otherwise


def succeeded(answer: Answer) -> bool:
    """Return whether the receiver has taken what was sent."""
    return answer.fault is None and 200 <= answer.status < 300


def _may_be_about_article(answer: Answer, in_doubt: bool) -> bool:
    """Return whether an answer that is not a success may be about what was sent."""
    if answer.fault is None and 400 <= answer.status < 500:
        return answer.status not in TRY_AGAIN_STATUSES
    if not in_doubt:
        return False
    return answer.status >= 500 if answer.fault is None else answer.started and answer.fault in _ARTICLE_FAULTS


def wait(failing: timedelta, chance: float = 0.0) -> timedelta:
    """Return how long to wait for the next try of what has been failing for so long."""
    return min(max(failing / WAIT_SHARE, LEAST_WAIT), MOST_WAIT) * (1 + JITTER * chance)


def given_up(status: int, tries: int, failing: timedelta) -> bool:
    """Return whether an article is parked that an endpoint has refused so often over so long, while it took others.

    `status`: its last answer, 0: none. Kills and withdrawals are never given up.
    """
    if about_article(status):
        return tries >= 2
    if 400 <= status < 500:
        return tries >= 5 and failing >= timedelta(minutes=1)
    return tries >= 10 and failing >= timedelta(hours=1)


def about_article(status: int) -> bool:
    """Return whether a status speaks of what was sent, not of the endpoint."""
    return status in _ARTICLE_STATUSES


def brought_forward(
    due: datetime, failing_since: datetime, last_attempt: datetime, until: datetime, now: datetime
) -> datetime:
    """Return when a receiver in backoff is tried because there is something new for it; never later than `due`.

    `until`: it has asked to be left alone until then.
    """
    pause = max((now - failing_since) / NEWS_SHARE, NEWS_LEAST)
    return min(due, max(now, last_attempt + pause, until))
