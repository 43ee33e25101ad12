"""What an answer means and what is done next: the outcome table, backoff, suspension.

    2xx                                     Delivered
    410                                     Gone
    408, 425, 429, 5xx, 3xx, no answer      Retry, later each time; Retry-After can only delay it further
    other 4xx                               Refused for an endpoint: this article is set aside; Retry for a subscription
    given back, ended by our own stop,
    refused for a token that is replaced    GiveBack: the receiver is not to blame
    too many slow ones wait                 GiveBack, a second later
    Retry, 5 days without one success       Suspend for an endpoint; a subscription ends with its lease

Everything here is a function of its arguments: time and chance are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from worker.delivery.errors import Fault
from worker.delivery.transfer import Answer

BACKOFF = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=6),
)
"""The wait after the first failure in a row, after the second, ...; the last one is for all that follow."""
JITTER = 0.2
"""What chance may add to a wait, as a share of it, so that those who failed together do not come back together."""
RETRY_AFTER_MOST = timedelta(hours=6)
"""Nobody can make us wait longer by Retry-After (RFC 9110, section 10.2.3)."""
SUSPEND_AFTER = timedelta(days=5)
"""An endpoint that has failed for so long is left alone until a person resumes it."""
CROWDED_PAUSE = timedelta(seconds=1)
"""How long a slow receiver waits outside while too many of its kind wait for a place."""

_TEMPORARY = frozenset({408, 425, 429})
_NO_FAILURE = frozenset({Fault.CROWDED, Fault.NOT_STARTED, Fault.OUTDATED, Fault.STOPPED, Fault.UNAUTHORIZED})


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at `due`."""

    due: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The endpoint will not have this article, however often it is sent."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver is not there any more (RFC 9110, section 15.5.11)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Suspend:
    """The endpoint has failed for too long."""

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
    failures: int,
    failing_since: datetime | None,
    now: datetime,
    chance: float,
) -> Outcome:
    """Return what `answer` means for its receiver at `now`.

    `failures` are those in a row before this one, `failing_since` the first of them; `chance` is in [0, 1).
    """
    if answer.fault in _NO_FAILURE:
        return GiveBack(now + CROWDED_PAUSE if answer.fault is Fault.CROWDED else None)
    if answer.fault is None:
        if 200 <= answer.status < 300:
            return Delivered()
        reason = f"answered {said(answer.status)}"
        if answer.status == HTTPStatus.GONE:
            return Gone(reason)
        if endpoint and 400 <= answer.status < 500 and answer.status not in _TEMPORARY:
            return Refused(answer.status, reason)
    else:
        reason = answer.message
    if endpoint and failing_since is not None and now - failing_since >= SUSPEND_AFTER:
        return Suspend(f"no success for {(now - failing_since).days} days; at last {reason}")
    wait = BACKOFF[min(failures, len(BACKOFF) - 1)] * (1 + JITTER * chance)
    asked = min(timedelta(seconds=answer.retry_after), RETRY_AFTER_MOST)
    return Retry(now + max(wait, asked), reason)


def brought_forward(due: datetime, failing_since: datetime, last_attempt: datetime, now: datetime) -> datetime:
    """Return when a receiver in backoff is tried because there is something new for it; never later than `due`.

    One that has failed for less than an hour: at once, if its last attempt is a second ago. For less than a day: at
    once, if that is a minute ago. For longer: as planned.
    """
    failing = now - failing_since
    if failing >= timedelta(days=1):
        return due
    pause = timedelta(seconds=1) if failing < timedelta(hours=1) else timedelta(minutes=1)
    return min(due, max(now, last_attempt + pause))


def said(status: int) -> str:
    """Return a status with its phrase, as people know it: "404 Not Found"."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
