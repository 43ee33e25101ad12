"""Attempts: every try to bring a receiver up to date, for as long as attempts are kept. One is never changed."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select, tuple_

from worker.record.column_types import keepable_rows
from worker.record.tables import attempts
from worker.record.upserts import upsert_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


class NotedAttempt(NamedTuple):
    """A try, as the record has it. `receiver`: `endpoint:NAME`; `time` in ms; `article_id`: empty for a whole feed.

    `message_id`: empty when our own gate kept it back; `status`: of HTTP, 0: no answer; `answer`: its beginning.
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

    @property
    def key(self) -> tuple[str, int, str, str]:
        """By which the record tells it from all others; also the order in which attempts are read."""
        return self.receiver, self.time, self.article_id, self.message_id


def note(connection: Connection, tries: Sequence[NotedAttempt]) -> None:
    """Note attempts, in the caller's transaction. Those that are noted already stay as they are."""
    upsert_many(connection, attempts, NotedAttempt._fields, keepable_rows(sorted(tries, key=_key)))


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
    return [NotedAttempt(*row) for row in rows]
