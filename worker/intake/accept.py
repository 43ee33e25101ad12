"""The way in: events are checked, distinguished from those that were sent before, and kept.

An event is committed to the record first, then it is appended to its stream in Redis. Either of the two alone will do:
once `accept` has answered, the event is theirs to keep, and everything after that can be done again by any worker.

What may happen in between:

- The process dies after the commit: the record has an event of which it does not know that Redis has it. The feeder
  (event_feeder.py) appends it. If Redis had it already, it knows so by the number of the event, for seven days.
- Redis alone had accepted the event, and it is sent again when the record is back: the record takes it for new, and
  Redis answers that it is a duplicate. It is carried out once; the record learns where Redis has it.
- Two processes accept the same event at once: the record's key lets one row in, and both append it under its number,
  which Redis does once.
- A kill is sent again. That it is a duplicate must be the word of both: the record may not know yet that the article
  was reinstated meanwhile, if Redis alone accepted that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from feeds import event as events
from feeds.errors import FieldError, InvalidEvent
from worker import clock
from worker.record.availability import RecordAway
from worker.record.events import AcceptedEvent, SentEvent
from worker.store import redis_errors
from worker.store.events import IncomingEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from worker.record.group_commit import GroupCommit
    from worker.store import Store
    from worker.store.events import Acceptance, Accepted
    from worker.wakeups import Wakeups

log = structlog.get_logger()

_AGAIN_SECONDS = 1.0
"""How long a Redis that was away is not asked again, while the record takes the events."""

WakeUp = Callable[[], None]
"""Wakes a worker: there are events to read."""
KeptBy = Literal["both", "record", "redis"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one event that was sent. A duplicate was accepted before, which is just as good.

    `kept_by`: by whom; when by one of the two alone, the other one gets it when it is back.
    """

    status: Literal["accepted", "duplicate", "invalid"]
    event_id: str | None
    errors: tuple[FieldError, ...] = ()
    kept_by: KeptBy = "both"


class Intake:
    """Takes events in. Threads may share it. Without `commits` there is no record, and Redis alone keeps them."""

    def __init__(self, store: Store, wakeups: Wakeups, commits: GroupCommit | None = None) -> None:
        self._store = store
        self._wakeups = wakeups
        self._commits = commits
        self._outage = redis_errors.Outage(log, part="intake")
        self._redis_due = 0.0

    def accept(
        self,
        values: Sequence[Any],
        now: datetime,
        *,
        way: str = "api",
        sender: str = "",
        after_answer: Callable[[WakeUp], None] | None = None,
    ) -> list[Receipt]:
        """Accept events (decoded JSON); return a receipt for each, in order.

        `way` and `sender` say by which way they came, and from whom. Good events are accepted whatever stands beside
        them. An event that comes alone is heard by a worker as it is appended. For others, and for kills, workers are
        woken here, or by the call that `after_answer` gets: to make a message for the broker costs the thread that
        answers the sender a millisecond. Raises redis.RedisError when nothing could be kept.
        """
        receipts: list[Receipt | None] = []
        valid: list[IncomingEvent] = []
        for value in values:
            try:
                event = events.read(value, now)
            except InvalidEvent as error:
                receipts.append(Receipt("invalid", error.event_id, error.errors))
            else:
                # Escaped, so that a lone surrogate somewhere in it reaches the reader of the stream as it came; and in
                # one order, by which a repetition is recognized.
                body = json.dumps(value, sort_keys=True)
                valid.append(_incoming(event, body))
                receipts.append(None)
        unheard: list[IncomingEvent] = []
        try:
            outcomes = iter(self._keep(valid, way, sender, unheard) if valid else ())
        finally:
            if unheard:
                wake_up = partial(self._wakeups.consume, urgent=any(event.kind == "kill" for event in unheard))
                (after_answer or _now)(wake_up)
        return [receipt or next(outcomes) for receipt in receipts]

    def _keep(
        self, incoming: list[IncomingEvent], way: str, sender: str, unheard: list[IncomingEvent]
    ) -> list[Receipt]:
        """Keep events; those of which no worker may have heard as they were appended go to `unheard`."""
        recorded = self._record(incoming, way, sender)
        if recorded is None:
            acceptances = self._store.events.accept(incoming)
            unheard += _unheard(incoming, acceptances)
            return [
                Receipt(_status(event, acceptance.status), event.id, kept_by="redis")
                for event, acceptance in zip(incoming, acceptances, strict=True)
            ]
        to_append = {
            place: event._replace(number=accepted.number, reinstatement=accepted.reinstatement)
            for place, (event, accepted) in enumerate(zip(incoming, recorded, strict=True))
            if not accepted.appended
        }
        by_place = self._append(to_append, unheard)
        # Of these Redis is asked whether they are new, without their numbers.
        kills = {
            place: event
            for place, (event, accepted) in enumerate(zip(incoming, recorded, strict=True))
            if event.kind == "kill" and accepted.status == "duplicate" and not _is_appended_now(by_place.get(place))
        }
        again = self._append(kills, unheard)
        receipts = []
        entries: dict[int, str] = {}
        for place, (event, accepted) in enumerate(zip(incoming, recorded, strict=True)):
            acceptance = by_place.get(place)
            if acceptance is not None and not accepted.appended:
                entries[accepted.number] = acceptance.entry
            kept_by: KeptBy = "record" if acceptance is None and not accepted.appended else "both"
            another = _is_appended_now(again.get(place))
            receipts.append(
                Receipt(_agreed_status(event, accepted, acceptance, another=another), event.id, kept_by=kept_by)
            )
        if entries and self._commits is not None:
            self._commits.note_appended(entries)
        return receipts

    def _record(self, incoming: list[IncomingEvent], way: str, sender: str) -> list[AcceptedEvent] | None:
        """Commit events to the record; None when it is away."""
        if self._commits is None:
            return None
        accepted = clock.ms(clock.agreed())
        sent = [
            SentEvent(event.id, event.body, event.kind, event.article or None, accepted, way, sender)
            for event in incoming
        ]
        try:
            return self._commits.accept(sent)
        except RecordAway:
            # `worker.record.availability` logs it, once.
            return None
        except (SQLAlchemyError, OverflowError, ValueError, RuntimeError):
            log.exception("event_not_recorded", next_step="Redis alone keeps it", event_id=incoming[0].id)
            return None

    def _append(self, incoming: dict[int, IncomingEvent], unheard: list[IncomingEvent]) -> dict[int, Acceptance]:
        """Append events that the record has, by their places; nothing when Redis is away. `unheard`: as in `_keep`."""
        begun = time.monotonic()
        if not incoming or begun < self._redis_due:
            return {}
        if self._redis_due:
            # One of us asks whether it is back.
            self._redis_due = begun + _AGAIN_SECONDS
        try:
            acceptances = self._store.hasty_events.accept(list(incoming.values()))
        except RedisError as error:
            self._redis_due = time.monotonic() + _AGAIN_SECONDS
            self._outage.met(error, "the record keeps the events, and a worker appends them when Redis is back")
            return {}
        self._redis_due = 0.0
        self._outage.over()
        unheard += _unheard(incoming.values(), acceptances)
        return dict(zip(incoming, acceptances, strict=True))


def _incoming(event: events.Event, body: str) -> IncomingEvent:
    """The event as the store takes it."""
    if isinstance(event, events.ListEvent):
        return IncomingEvent(event.id, body)
    if events.kills(event):
        return IncomingEvent(event.id, body, "kill", event.article.id)
    return IncomingEvent(
        event.id, body, "reinstatement" if event.type == events.ARTICLE_REINSTATED else "", event.article.id
    )


def _now(wake_up: WakeUp) -> None:
    wake_up()


def _unheard(incoming: Iterable[IncomingEvent], acceptances: Iterable[Acceptance]) -> list[IncomingEvent]:
    """Those of the events that were appended just now behind others, with which all that listen may be busy; and kills.

    An event that is alone in its stream wakes whoever listens.
    """
    return [
        event
        for event, acceptance in zip(incoming, acceptances, strict=True)
        if _is_appended_now(acceptance) and (acceptance.before or event.kind == "kill")
    ]


def _is_appended_now(acceptance: Acceptance | None) -> bool:
    return acceptance is not None and acceptance.status in {"new", "reused"}


def _agreed_status(
    event: IncomingEvent, accepted: AcceptedEvent, acceptance: Acceptance | None, *, another: bool
) -> Literal["accepted", "duplicate"]:
    """What the record and Redis together say; `acceptance` is None when Redis was not asked, or is away.

    `another`: it is a kill that Redis does not know as a duplicate, because its article came back.
    """
    if accepted.status == "duplicate":
        return "accepted" if another else "duplicate"
    if acceptance is not None and acceptance.status == "duplicate":
        return "duplicate"
    return _status(event, accepted.status)


def _status(event: IncomingEvent, accepted: Accepted) -> Literal["accepted", "duplicate"]:
    if accepted == "reused":
        log.warning("event_id_reused", event_id=event.id, next_step="have the CMS give each event an id of its own")
    return "duplicate" if accepted == "duplicate" else "accepted"
