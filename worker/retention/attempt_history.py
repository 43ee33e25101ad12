"""The attempts at an endpoint, for people: those in the record, and those that are on the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.record import attempts
from worker.retention.outbox_entries import attempt_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.record import Record
    from worker.record.attempts import NotedAttempt
    from worker.store import Store

_ON_THE_WAY = 10_000
"""How many entries of the outbox are looked through: more wait only while the record is away for long."""


def last_attempts(store: Store, record: Record, feed: str, endpoint: str, most: int) -> list[NotedAttempt]:
    """Return the last attempts at an endpoint of a feed, the newest first, at most so many.

    Raises redis.RedisError and errors of the record.
    """
    # In this order: what is noted in between is there twice, and not missing.
    waiting = list(_on_the_way(store, feed, endpoint))
    with record.read() as connection:
        noted = attempts.newest(connection, f"endpoint:{endpoint}", most)
    tries = {attempt.key: attempt for attempt in (*waiting, *noted)}
    return [tries[key] for key in sorted(tries, reverse=True)][:most]


def _on_the_way(store: Store, feed: str, endpoint: str) -> Iterator[NotedAttempt]:
    for entry in store.outboxes.last(feed, _ON_THE_WAY):
        if entry.kind == "attempt" and entry.values[0] == endpoint:
            try:
                yield attempt_of(feed, entry)
            except (ValueError, TypeError, LookupError) as error:
                store.outboxes.report_damage(feed, entry.id, str(error))
