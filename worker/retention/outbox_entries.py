"""What entries of the outboxes mean to the record: each becomes rows of its tables."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from worker.record import attempts, deliveries, endpoint_standings, page_checks, subscriptions
from worker.record.attempts import NotedAttempt
from worker.record.deliveries import Delivery
from worker.record.endpoint_standings import EndpointStanding, ParkedArticle, Unparked
from worker.record.page_checks import ForgottenPage, NotedPageCheck
from worker.record.subscriptions import Ending, Renewal, Subscription
from worker.store.quick_json import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from worker.record.deliveries import State
    from worker.store.outboxes import OutboxEntry

_STATES: dict[str, State] = {"taken": "taken", "unknown": "trying", "refused": "refused"}
"""By the outcome of an entry in Redis' ledger."""


class UnreadableEntry(Exception):
    """An entry is not what our scripts append; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows for the tables of the record, in the order of the entries."""

    attempts: list[NotedAttempt] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    subscriptions: list[subscriptions.Change] = field(default_factory=list)
    standings: list[EndpointStanding] = field(default_factory=list)
    parked: list[ParkedArticle | Unparked] = field(default_factory=list)
    pages: list[NotedPageCheck | ForgottenPage] = field(default_factory=list)

    def add(self, feed: str, entry: OutboxEntry) -> None:
        """Take in what an entry of a feed's outbox says. Raises UnreadableEntry, and then takes in nothing of it."""
        try:
            _READERS[entry.kind](self, feed, entry)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise UnreadableEntry(f"{type(error).__name__}: {error}") from error

    def note(self, connection: Connection) -> None:
        """Write them, in the caller's transaction. Doing it again changes nothing."""
        attempts.note(connection, self.attempts)
        deliveries.note(connection, self.deliveries)
        subscriptions.note(connection, self.subscriptions)
        endpoint_standings.note(connection, self.standings)
        endpoint_standings.note_parked(connection, self.parked)
        page_checks.note(connection, self.pages)


def attempt_of(feed: str, entry: OutboxEntry) -> NotedAttempt:
    """Return the attempt that an entry of that kind is about. Raises what reading nonsense raises."""
    endpoint, values, _ = entry.values
    time, article, version, action, outcome, status, milliseconds, size, sha256, message_id, error, answer = values[:12]
    # Entries of an earlier release end there.
    phases, request = values[12:] or ("", "")
    return NotedAttempt(
        receiver=f"endpoint:{endpoint}",
        time=int(time),
        article_id=str(article),
        message_id=str(message_id),
        feed=feed,
        version=int(version),
        action=str(action),
        outcome=str(outcome),
        status=int(status),
        milliseconds=int(milliseconds),
        bytes=int(size),
        sha256=str(sha256),
        error=str(error),
        answer=str(answer),
        phases=str(phases),
        request=str(request),
    )


def delivery_of(feed: str, endpoint: str, article: str, ledger_json: str) -> Delivery:
    """Return the row for an entry of a ledger as Redis keeps it. Raises what reading nonsense raises."""
    fields = read_json(ledger_json)
    sent, outcome = int(fields["at"]), fields.get("outcome", "taken")
    return Delivery(
        endpoint=str(endpoint),
        feed=feed,
        article_id=article,
        version=int(fields["version"]),
        action=str(fields["status"]),
        state=_STATES[outcome],
        sha256=b64decode(fields["sha256"]).hex(),
        first_taken=sent if outcome == "taken" else None,
        sent=sent,
        remote=str(fields.get("remote", "")),
    )


def page_of(feed: str, member: str, sighting_json: str | None, due: float | None) -> NotedPageCheck | ForgottenPage:
    """Return a page as Redis has it; a sighting of None: it is forgotten. Raises what reading nonsense raises."""
    endpoint, _, article = member.partition(":")
    if sighting_json is None:
        return ForgottenPage(feed, endpoint, article)
    sighting = json.loads(sighting_json)
    return NotedPageCheck(
        feed=feed,
        endpoint=endpoint,
        article_id=article,
        version=int(sighting["version"]),
        since=int(sighting["killed"]),
        looks=int(sighting["checks"]),
        last=int(sighting["checked"]),
        verdict=str(sighting["verdict"]),
        why=str(sighting["reason"]),
        url=str(sighting["url"]),
        alarmed=bool(sighting["alerted"]),
        due=None if due is None else int(due),
    )


def _attempt(changes: Changes, feed: str, entry: OutboxEntry) -> None:
    endpoint, _, ledger = entry.values
    attempt = attempt_of(feed, entry)
    rows = [delivery_of(feed, endpoint, article, text) for article, text in ledger.items()]
    changes.attempts.append(attempt)
    changes.deliveries.extend(rows)


def _parked(changes: Changes, feed: str, entry: OutboxEntry) -> None:
    endpoint, article, attempt = entry.values
    if attempt is None:
        changes.parked.append(Unparked(feed, str(endpoint), str(article)))
    else:
        since = int(json.loads(attempt)["time"])
        changes.parked.append(ParkedArticle(feed, str(endpoint), str(article), since, str(attempt)))


def _endpoint(changes: Changes, feed: str, entry: OutboxEntry) -> None:
    endpoint, cursor, paused, reason, since = entry.values
    times = (None if number is None else int(number) for number in (paused, since))
    changes.standings.append(EndpointStanding(feed, str(endpoint), int(cursor), next(times), str(reason), next(times)))


def _subscription(changes: Changes, feed: str, entry: OutboxEntry) -> None:
    receiver, details, lease_ends, is_new = entry.values
    kind: Any = Subscription if is_new else Renewal
    changes.subscriptions.append(kind(feed, str(receiver), str(details), entry.time, int(lease_ends)))


def _ended(changes: Changes, feed: str, entry: OutboxEntry) -> None:
    receiver, reason = entry.values
    changes.subscriptions.append(Ending(feed, str(receiver), entry.time, str(reason)))


def _page(changes: Changes, feed: str, entry: OutboxEntry) -> None:
    member, sighting, due = entry.values
    changes.pages.append(page_of(feed, member, sighting, due))


_READERS: Mapping[str, Callable[[Changes, str, OutboxEntry], None]] = {
    "attempt": _attempt,
    "parked": _parked,
    "endpoint": _endpoint,
    "subscription": _subscription,
    "ended": _ended,
    "page": _page,
}
