"""The ledger of an endpoint as Redis has it, and as the record has it, in one shape."""

from __future__ import annotations

from typing import Any

from worker.receivers.ledger import LedgerEntry
from worker.record import Record, deliveries
from worker.store import Store, keys


def ledger_of(store: Store, feed: str, endpoint: str) -> dict[str, tuple[Any, ...]]:
    """What Redis has of an endpoint's ledger, as the record would have it."""
    states = {"taken": "taken", "unknown": "trying", "refused": "refused"}
    entries = {
        article: LedgerEntry.parse(text)
        for article, text in store.client.hgetall(keys.feed(feed).ledger(endpoint)).items()
    }
    return {
        article: (entry.version, entry.status, states[entry.outcome], entry.digest, entry.sent)
        for article, entry in entries.items()
    }


def noted_ledger(record: Record, feed: str, endpoint: str) -> dict[str, tuple[Any, ...]]:
    """Return the same of the record: of each article the newest row."""
    with record.read() as connection:
        holdings = deliveries.holdings(
            connection, {row.article_id for row in deliveries.of_endpoint(connection, feed, endpoint, 10_000)}
        )
    rows = {article: holdings[article][feed, endpoint] for article in holdings if (feed, endpoint) in holdings[article]}
    return {name: (row.version, row.action, row.state, row.sha256, row.sent) for name, row in rows.items()}
