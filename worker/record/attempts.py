"""Attempts: every try to bring a receiver up to date, for as long as attempts are kept. One is never changed."""

from __future__ import annotations

import base64
import json
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, func, select, tuple_

from worker.record.column_types import keepable_rows
from worker.record.request_headers import PatternsOfHeaders, unpacked
from worker.record.tables import attempts
from worker.record.upserts import upsert_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


class NotedAttempt(NamedTuple):
    """A try, as the record has it. `receiver`: `endpoint:NAME`; `time` in ms; `article_id`: empty for a whole feed.

    `message_id`: empty when our own gate kept it back; `status`: of HTTP, 0: no answer; `answer`: its beginning.
    `phases`, `request`: as of an `Attempt` of the store.
    """

    receiver: str
    time: int
    article_id: str
    message_id: str
    feed: str
    version: int
    action: str
    outcome: str
    status: int
    milliseconds: int
    bytes: int
    sha256: str
    error: str
    answer: str
    phases: str = ""
    request: str = ""

    @property
    def key(self) -> tuple[str, int, str, str]:
        """By which the record tells it from all others; also the order in which attempts are read."""
        return self.receiver, self.time, self.article_id, self.message_id

    @property
    def id(self) -> str:
        """What stands for it among the attempts at its receiver, in addresses."""
        key = json.dumps((self.time, self.article_id, self.message_id), separators=(",", ":"))
        return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


class Outcomes(NamedTuple):
    """How many attempts of a span, which began at `start` (ms), delivered, and how many failed."""

    start: int
    delivered: int
    failed: int


def note(connection: Connection, tries: Sequence[NotedAttempt]) -> None:
    """Note attempts, in the caller's transaction. Those that are noted already stay as they are."""
    patterns = PatternsOfHeaders()
    rows = [
        attempt._replace(request=patterns.packed(attempt.request, attempt.message_id)) if attempt.request else attempt
        for attempt in sorted(tries, key=_key)
    ]
    patterns.note(connection)
    upsert_many(connection, attempts, NotedAttempt._fields, keepable_rows(rows))


_SENT_TO_NOBODY = ("given_back", "parked", "handed_out")
_key = attrgetter("receiver", "time", "article_id", "message_id")


def newest(
    connection: Connection, receiver: str, most: int, *, before: NotedAttempt | None = None
) -> list[NotedAttempt]:
    """Return the attempts at a receiver, the newest first, at most so many.

    `before`: go on after this one, the last of the page before.
    """
    key = (attempts.c.time, attempts.c.article_id, attempts.c.message_id)
    statement = select(*(attempts.c[name] for name in NotedAttempt._fields)).where(attempts.c.receiver == receiver)
    if before is not None:
        statement = statement.where(tuple_(*key) < tuple_(before.time, before.article_id, before.message_id))
    rows = connection.execute(statement.order_by(*(column.desc() for column in key)).limit(most))
    return _with_headers(connection, [NotedAttempt(*row) for row in rows])


def of_id(connection: Connection, receiver: str, identity: str) -> NotedAttempt | None:
    """Return the attempt at a receiver with this `id`; None: there is none."""
    try:
        time, article_id, message_id = json.loads(base64.urlsafe_b64decode(identity + "=" * (-len(identity) % 4)))
        time, article_id, message_id = int(time), str(article_id), str(message_id)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    if not 0 <= time < 1 << 63:
        return None
    statement = select(*(attempts.c[name] for name in NotedAttempt._fields)).where(
        attempts.c.receiver == receiver,
        attempts.c.time == time,
        attempts.c.article_id == article_id,
        attempts.c.message_id == message_id,
    )
    rows = connection.execute(statement)
    return next(iter(_with_headers(connection, [NotedAttempt(*row) for row in rows])), None)


def _with_headers(connection: Connection, rows: Sequence[NotedAttempt]) -> list[NotedAttempt]:
    """The attempts with their header lines as they were sent."""
    whole = unpacked(connection, [(row.request, row.message_id) for row in rows])
    return [row._replace(request=lines) for row, lines in zip(rows, whole, strict=True)]


def outcomes(connection: Connection, receiver: str, since: int, step: int, most: int) -> tuple[list[Outcomes], int]:
    """Return what came of the attempts at a receiver since a time (ms), for each `step` in which there were any.

    Of more than `most` the newest are counted; since when (ms) all are counted is returned, too. What was given back,
    or set aside by us, was sent to nobody and is not counted.
    """
    newest_ones = (
        select(attempts.c.time, attempts.c.outcome)
        .where(attempts.c.receiver == receiver, attempts.c.time >= since)
        .order_by(attempts.c.time.desc())
        .limit(most)
        .subquery()
    )
    span = newest_ones.c.time // step
    delivered = func.sum(case((newest_ones.c.outcome == "delivered", 1), else_=0))
    failed = func.sum(case((newest_ones.c.outcome.in_(("delivered", *_SENT_TO_NOBODY)), 0), else_=1))
    statement = (
        select(span, delivered, failed, func.count(), func.min(newest_ones.c.time)).group_by(span).order_by(span)
    )
    rows = connection.execute(statement).all()
    is_whole = sum(row[3] for row in rows) < most
    return [Outcomes(int(row[0]) * step, row[1], row[2]) for row in rows], since if is_whole else int(rows[0][4])
