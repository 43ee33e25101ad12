"""How the partners' endpoints stand: paused or not, up to which change, and which articles are set aside for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, bindparam, delete, func, select

from worker.record.tables import endpoints, parked
from worker.record.upserts import always, insert, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


class EndpointStanding(NamedTuple):
    """An endpoint of a feed. `paused` (ms): since when, None: it is not; `reason`: why it is.

    `cursor`: the sequence number up to which it was up to date then; `cursors.Standing.cursor` knows better. `since`:
    the change after which it came, None: this says nothing of it.
    """

    feed: str
    endpoint: str
    cursor: int
    paused: int | None = None
    reason: str = ""
    since: int | None = None


class ParkedArticle(NamedTuple):
    """An article that is set aside for an endpoint since a time (ms); `attempt`: the one that was refused, as JSON."""

    feed: str
    endpoint: str
    article_id: str
    since: int
    attempt: str


class Unparked(NamedTuple):
    """An article that is no longer set aside for an endpoint."""

    feed: str
    endpoint: str
    article_id: str


def note(connection: Connection, standings: Sequence[EndpointStanding]) -> None:
    """Note how endpoints stand, in the caller's transaction; of one of them the last holds.

    Only of when it came the first holds: an endpoint that Redis has lost does not come anew.
    """
    new = insert(connection, endpoints)
    values = {name: new.excluded[name] for name in ("cursor", "paused", "reason")}
    values["since"] = func.coalesce(endpoints.c.since, new.excluded.since)
    statement = new.on_conflict_do_update(index_elements=list(endpoints.primary_key), set_=values)
    ordered = sorted(standings, key=lambda standing: (standing.feed, standing.endpoint))
    if ordered:
        connection.execute(statement, [standing._asdict() for standing in ordered])


def note_new(connection: Connection, standings: Sequence[EndpointStanding]) -> None:
    """Note endpoints that have just come, in the caller's transaction, except those that are noted."""
    if standings:
        statement = insert(connection, endpoints).on_conflict_do_nothing()
        connection.execute(statement, [standing._asdict() for standing in sorted(standings)])


def note_parked(connection: Connection, changes: Sequence[ParkedArticle | Unparked]) -> None:
    """Note what is set aside and what no longer, in the caller's transaction; of one article the last holds."""
    lasting = {change[:3]: change for change in changes}
    set_aside = [change for change in lasting.values() if isinstance(change, ParkedArticle)]
    upsert(connection, parked, (article._asdict() for article in set_aside), always)
    if taken_back := [change for change in lasting.values() if isinstance(change, Unparked)]:
        this = and_(*(column == bindparam(f"of_{column.name}") for column in parked.primary_key))
        names = [f"of_{name}" for name in Unparked._fields]
        connection.execute(delete(parked).where(this), [dict(zip(names, change, strict=True)) for change in taken_back])


def of_feed(connection: Connection, feed: str) -> list[EndpointStanding]:
    """Return how the endpoints of a feed stand, by name."""
    columns = (endpoints.c[name] for name in EndpointStanding._fields)
    rows = connection.execute(select(*columns).where(endpoints.c.feed == feed).order_by(endpoints.c.endpoint))
    return [EndpointStanding(*row) for row in rows]


def parked_of_feed(connection: Connection, feed: str) -> list[ParkedArticle]:
    """Return what is set aside for the endpoints of a feed, by endpoint and article."""
    columns = (parked.c[name] for name in ParkedArticle._fields)
    statement = select(*columns).where(parked.c.feed == feed).order_by(parked.c.endpoint, parked.c.article_id)
    return [ParkedArticle(*row) for row in connection.execute(statement)]
