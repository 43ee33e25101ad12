"""What endpoints hold of articles: the newest message about each, as the ledger of an endpoint has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

_AT_ONCE = 500
"""Most ids in one question."""


class LedgerRow(NamedTuple):
    """The newest message about an article that an endpoint was sent; `sent` in ms.

    `action`: published, corrected, killed or withdrawn; `state`: trying, taken or refused; `sha256` of the body.
    """

    endpoint: str
    feed: str
    article_id: str
    version: int
    action: str
    state: str
    sha256: str
    sent: int


def read_ledgers(connection: Connection, article_ids: Collection[str]) -> dict[str, dict[tuple[str, str], LedgerRow]]:
    """Return who holds what of articles: article -> (feed, endpoint) -> the newest message."""
    columns = [tables.deliveries.c[name] for name in LedgerRow._fields]
    ledgers: dict[str, dict[tuple[str, str], LedgerRow]] = {}
    ordered = sorted(article_ids)
    for start in range(0, len(ordered), _AT_ONCE):
        rows = select(*columns).where(tables.deliveries.c.article_id.in_(ordered[start : start + _AT_ONCE]))
        for row in map(LedgerRow._make, connection.execute(rows)):
            of_article = ledgers.setdefault(row.article_id, {})
            before = of_article.get((row.feed, row.endpoint))
            if before is None or _order(before) < _order(row):
                of_article[row.feed, row.endpoint] = row
    return ledgers


def _order(row: LedgerRow) -> tuple[int, int, bool]:
    # As in lua/attempts/record.lua: what was sent of an older version changes nothing.
    return row.version, row.sent, row.state != "trying"
