"""The ledger: who was sent which version of what, and what they hold. It is kept for good.

A row belongs to an endpoint, an article, a version of it and what the message meant. It changes while that message is
sent again. Of an article an endpoint holds what the newest row says, by version, then by when it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlalchemy import and_, case, func, literal_column, or_, select

from worker.record.column_types import keepable_rows
from worker.record.tables import deliveries
from worker.record.upserts import upsert_many

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

State = Literal["trying", "taken", "refused"]
"""trying: it was sent and may have arrived."""
_AT_ONCE = 500
"""Ids in one question: every database takes so many parameters."""


class Delivery(NamedTuple):
    """What an endpoint was sent of an article: when it took it first (ms), and when it was `sent` last (ms).

    `action`: published, corrected, killed or withdrawn; `sha256`: of the body that was sent last. `remote`: what the
    destination has to remember of the article.
    """

    endpoint: str
    feed: str
    article_id: str
    version: int
    action: str
    state: State
    sha256: str
    first_taken: int | None
    sent: int
    remote: str = ""


COLUMNS = ("endpoint", "feed", "article_id", "version", "action", "state", "sha256", "taken", "sent", "remote")


def note(connection: Connection, entries: Sequence[Delivery]) -> None:
    """Note entries of the ledger in their order, in the caller's transaction.

    An entry that was sent before the one that is there changes nothing but when it was taken first. So doing it again,
    or late, changes nothing.
    """
    lasting: dict[tuple[Any, ...], Delivery] = {}
    for entry in map(Delivery._make, keepable_rows(entries)):
        key = entry[:5]
        before = lasting.get(key)
        lasting[key] = entry if before is None else _both(before, entry)
    upsert_many(connection, deliveries, COLUMNS, [lasting[key] for key in sorted(lasting)], _changes)


def _both(before: Delivery, entry: Delivery) -> Delivery:
    """What two entries of one row, one after the other, come to: as `_changes` has it."""
    moments = [moment for moment in (before.first_taken, entry.first_taken) if moment is not None]
    # Of the same moment an outcome is worth more than that there is none yet.
    newer = entry.sent > before.sent or (entry.sent == before.sent and before.state == "trying")
    return (entry if newer else before)._replace(first_taken=min(moments, default=None))


def _changes(there: Any, new: Any) -> dict[str, ColumnElement[Any]]:
    newer = or_(new.sent > there.sent, and_(new.sent == there.sent, there.state == literal_column("'trying'")))
    first = case((there.taken.is_(None), new.taken), (new.taken < there.taken, new.taken), else_=there.taken)
    lasting = {name: case((newer, new[name]), else_=there[name]) for name in ("state", "sha256", "sent", "remote")}
    return lasting | {"taken": first}


def of_article(connection: Connection, article_id: str) -> list[Delivery]:
    """Return the ledger of an article: by endpoint and feed, in the order in which it was sent."""
    statement = _rows().where(deliveries.c.article_id == article_id)
    rows = connection.execute(
        statement.order_by(deliveries.c.endpoint, deliveries.c.feed, deliveries.c.sent, deliveries.c.version)
    )
    return [Delivery(*row) for row in rows]


def taken_at(connection: Connection, endpoint: str, feed: str, time: int, sha256: str) -> list[str]:
    """Return the articles that an endpoint took first at a time (ms), by a push with this digest."""
    mine = deliveries.c.endpoint == endpoint, deliveries.c.taken == time
    statement = select(deliveries.c.article_id).where(*mine, deliveries.c.feed == feed, deliveries.c.sha256 == sha256)
    return list(connection.scalars(statement))


def holders(entries: Sequence[Delivery], version: int | None) -> list[Delivery]:
    """Return, of the ledger of an article, what each endpoint took last of a version or of something newer."""
    if version is None:
        return []
    newest = {
        (entry.feed, entry.endpoint): entry
        for entry in sorted(entries, key=lambda entry: entry.version)
        if entry.version >= version and entry.state == "taken"
    }
    return [newest[key] for key in sorted(newest)]


def of_endpoint(connection: Connection, feed: str, endpoint: str, most: int, *, after: str = "") -> list[Delivery]:
    """Return the ledger of an endpoint: by article, all rows of each, of at most so many articles.

    `after`: go on after this article id, the last of the page before.
    """
    mine = and_(deliveries.c.endpoint == endpoint, deliveries.c.feed == feed)
    articles = (
        select(deliveries.c.article_id).where(mine, deliveries.c.article_id > after).distinct()
        .order_by(deliveries.c.article_id).limit(most).subquery()
    )  # fmt: skip
    last = select(func.max(articles.c.article_id)).scalar_subquery()
    statement = _rows().where(mine, deliveries.c.article_id > after, deliveries.c.article_id <= last)
    rows = connection.execute(statement.order_by(deliveries.c.article_id, deliveries.c.version, deliveries.c.sent))
    return [Delivery(*row) for row in rows]


def holdings(connection: Connection, article_ids: Collection[str]) -> dict[str, dict[tuple[str, str], Delivery]]:
    """Return what endpoints hold of articles, as Redis' ledgers have it: article -> (feed, endpoint) -> newest row."""
    by_article: dict[str, dict[tuple[str, str], Delivery]] = {}
    ordered = sorted(article_ids)
    for start in range(0, len(ordered), _AT_ONCE):
        statement = _rows().where(deliveries.c.article_id.in_(ordered[start : start + _AT_ONCE]))
        for entry in sorted((Delivery(*row) for row in connection.execute(statement)), key=_order):
            by_article.setdefault(entry.article_id, {})[entry.feed, entry.endpoint] = entry
    return by_article


def receivers_of(connection: Connection, article_id: str) -> set[tuple[str, str]]:
    """Return who was ever sent an article: (feed, endpoint)."""
    statement = select(deliveries.c.feed, deliveries.c.endpoint).where(deliveries.c.article_id == article_id)
    return {(feed, endpoint) for feed, endpoint in connection.execute(statement.distinct()).all()}


def _order(entry: Delivery) -> tuple[int, int, bool]:
    # As in lua/attempts/record.lua: what was sent of an older version changes nothing.
    return entry.version, entry.sent, entry.state != "trying"


def _rows() -> Select[Any]:
    return select(*(deliveries.c[name] for name in COLUMNS))
