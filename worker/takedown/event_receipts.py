"""The receipt of an event: what became of it, and how far each receiver of its article is. Reads only.

What was accepted and carried out is in the record; how receivers stand is in Redis. While Redis is away a receipt has
the receivers of which the record knows that they took the article, and does not say whether all is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from redis.exceptions import RedisError

from feeds.moments import iso
from worker.record import deliveries, events
from worker.store import redis_errors
from worker.takedown.coverage_report import SUBSCRIPTIONS, coverage_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.newsroom.article_reader import ArticleReader
    from worker.newsroom.publication import Publication
    from worker.record import Record
    from worker.record.deliveries import Delivery
    from worker.record.events import EventReceipt
    from worker.store import Store
    from worker.takedown.coverage_report import CoverageReport, ReceiverCoverage

ReceiverStanding = Literal["delivered", "waiting", "failing", "refused", "parked", "paused", "nothing to do"]
"""waiting: it is sent soon. failing: it was tried, and is tried again. refused: the endpoint refuses this article, and
is tried again. parked: set aside until a person replays it. paused: a person must resume the endpoint. nothing to do:
it never had what is withdrawn, or is not to have it."""
_OPEN = frozenset({"waiting", "failing", "refused"})


@dataclass(frozen=True, slots=True)
class ReceiverReceipt:
    """How far one endpoint, or all subscriptions of a feed together, are with what an event made.

    `version`: what it holds; `since` in ms, 0: never. `page`: what was seen on its page after a kill.
    """

    feed: str
    receiver: str
    standing: ReceiverStanding
    version: int
    since: int
    reason: str
    page: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something is still being done for it."""
        return self.standing in _OPEN


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """The receipt of one event. `feeds`: in which its article is or was.

    `held_until`: the end of its embargo (ISO 8601). `done`: the event is carried out and nobody is open; None: that
    is not known while Redis is away. `proven`: of a kill, whether every receiver has confirmed it, on its page too.
    """

    event: EventReceipt
    feeds: tuple[str, ...]
    held_until: str | None
    receivers: tuple[ReceiverReceipt, ...]
    done: bool | None
    proven: bool | None

    def as_json(self, sees: Callable[[str], bool] = lambda _: True) -> dict[str, Any]:
        """Return it as it is shown; of the receivers those of feeds that `sees` allows."""
        event = self.event
        return {
            "event": event.event_id,
            "kind": event.kind or None,
            "accepted": iso(event.accepted),
            "way": event.way,
            "sender": event.sender or None,
            "in_redis": event.appended,
            "carried_out": iso(event.done),
            "result": event.result,
            "reason": event.reason,
            "article": event.article_id,
            "version": event.version,
            "held_until": self.held_until,
            "receivers": [
                {
                    "feed": receiver.feed,
                    "receiver": receiver.receiver,
                    "standing": receiver.standing,
                    "version": receiver.version or None,
                    "since": iso(receiver.since),
                    "reason": receiver.reason or None,
                    "page": receiver.page or None,
                }
                for receiver in self.receivers
                if sees(receiver.feed)
            ],
            "done": self.done,
            "proven": self.proven,
        }


class EventReceipts:
    """Makes receipts."""

    def __init__(self, store: Store, record: Record, articles: ArticleReader, publication: Publication) -> None:
        self._store = store
        self._record = record
        self._articles = articles
        self._publication = publication

    def of(self, event_id: str) -> list[DeliveryReceipt]:
        """Return the receipts of all events that came under an id, the first first. Raises RecordAway."""
        receipts, ledgers = _recorded(self._record, event_id)
        reports: dict[str, CoverageReport | None] = {}
        away = False
        try:
            for article_id in ledgers:
                reports[article_id] = coverage_report(self._store, self._articles, self._publication, article_id)
        except RedisError as error:
            if redis_errors.kind(error) == "bug":
                raise
            away = True
        return _receipts(receipts, ledgers, reports, away=away)

    def without_receivers(self, event_id: str) -> list[DeliveryReceipt]:
        """Return the same with no receivers, which says of no event whether all is done.

        Raises RecordAway, redis.RedisError.
        """
        with self._record.availability.read() as connection:
            receipts = events.receipts(connection, event_id)
        stored = self._articles.get_many([receipt.article_id for receipt in receipts if receipt.article_id])
        return [
            DeliveryReceipt(receipt, tuple(sorted(stored[name].feeds)) if name in stored else (), None, (), None, None)
            for receipt in receipts
            for name in (receipt.article_id or "",)
        ]


def recorded_receipts(record: Record, event_id: str) -> list[DeliveryReceipt]:
    """Return the receipts of an id as the record alone has them, while there is no Redis. Raises RecordAway."""
    return _receipts(*_recorded(record, event_id), {}, away=True)


def answer(
    event_id: str, receipts: list[DeliveryReceipt], sees: Callable[[str], bool] = lambda _: True
) -> dict[str, Any]:
    """Return the receipts of an id as they are shown."""
    return {
        "id": event_id,
        "done": done(receipts),
        "events": [receipt.as_json(sees) for receipt in receipts],
    }


def done(receipts: list[DeliveryReceipt]) -> bool | None:
    """Return whether all is done; None: that is not known while Redis is away."""
    if any(receipt.done is None for receipt in receipts):
        return None
    return bool(receipts) and all(receipt.done for receipt in receipts)


def _recorded(record: Record, event_id: str) -> tuple[list[EventReceipt], dict[str, list[Delivery]]]:
    """What the record has of an id: what became of its events, and by article who took what."""
    with record.availability.read() as connection:
        receipts = events.receipts(connection, event_id)
        ledgers = {
            receipt.article_id: deliveries.of_article(connection, receipt.article_id)
            for receipt in receipts
            if receipt.article_id
        }
    return receipts, ledgers


def _receipts(
    receipts: list[EventReceipt],
    ledgers: dict[str, list[Delivery]],
    reports: dict[str, CoverageReport | None],
    *,
    away: bool,
) -> list[DeliveryReceipt]:
    names = [receipt.article_id or "" for receipt in receipts]
    return [
        _receipt(receipt, ledgers.get(name, []), reports.get(name), away=away)
        for name, receipt in zip(names, receipts, strict=True)
    ]


def _receipt(
    event: EventReceipt, ledger: list[Delivery], report: CoverageReport | None, *, away: bool
) -> DeliveryReceipt:
    feeds = tuple(sorted({row.feed for row in ledger} | {row.feed for row in (report.rows if report else ())}))
    if event.done is None or event.version is None:
        return DeliveryReceipt(event, feeds, None, (), None if away else event.done is not None, None)
    if away or report is None:
        acceptances = tuple(
            ReceiverReceipt(row.feed, row.endpoint, "delivered", row.version, row.first_taken or row.sent, "")
            for row in deliveries.holders(ledger, event.version)
        )
        return DeliveryReceipt(event, feeds, None, acceptances, None, None)
    receivers = tuple(_receiver(row, event.version) for row in report.rows)
    proven = not report.unconfirmed if report.article.pubstatus == "canceled" else None
    embargo = report.embargo.isoformat() if report.embargo else None
    return DeliveryReceipt(
        event, feeds, embargo, receivers, not any(receiver.is_open for receiver in receivers), proven
    )


def _receiver(row: ReceiverCoverage, version: int) -> ReceiverReceipt:
    page = (row.sighting.verdict or "not looked at yet") if row.sighting else ""
    standing = _standing(row, version)
    reason = "" if standing in {"delivered", "nothing to do"} and row.receiver != SUBSCRIPTIONS else row.reason
    return ReceiverReceipt(row.feed, row.receiver, standing, row.version, row.since, reason, page)


def _standing(row: ReceiverCoverage, version: int) -> ReceiverStanding:
    if row.receiver == SUBSCRIPTIONS:
        return "waiting" if row.standing == "behind" else "delivered"
    if row.version >= version and "-" not in row.status and row.status:
        return "delivered"
    match row.standing:
        case "parked" | "refused" | "paused":
            return row.standing
        case "behind":
            return "failing" if row.reason else "waiting"
    return "nothing to do"
