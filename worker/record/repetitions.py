"""Which events the record has already: an event is the same as another one when it has its id and its content.

What is sent again is a duplicate, with two exceptions, which are new events: a kill whose article was reinstated
meanwhile, and what comes again after another content under the same id. The column `reinstatement` tells these from
their first time.

A kill with the id of another event has nothing to do with it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar

from sqlalchemy import func, select

from worker.record.column_types import keepable
from worker.record.tables import events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

Status = Literal["new", "reused", "duplicate"]
"""How an event was accepted: as new; as new, although its id was another event's; not, being a duplicate."""
Kind = Literal["kill", "reinstatement", ""]


class Repeatable(Protocol):
    """What is known of an event: its id, its JSON, and of a kill or a reinstatement the article."""

    @property
    def event_id(self) -> str:
        """Its id."""

    @property
    def body(self) -> str:
        """Its JSON."""

    @property
    def kind(self) -> Kind:
        """Whether it is a kill or a reinstatement."""

    @property
    def article_id(self) -> str | None:
        """Its article."""


class Key(NamedTuple):
    """What an event is known by in the record."""

    event_id: str
    digest: str
    reinstatement: str


class Judgement(NamedTuple):
    """What an event is to the record: its key, and the row that it repeats if it is a duplicate."""

    key: Key
    status: Status
    row: Any


E = TypeVar("E", bound=Repeatable)

_AT_ONCE = 1000
"""Ids in one question: every database takes so many parameters."""


def rounds(sent: Iterable[E]) -> Iterator[list[E]]:
    """Yield events in their order, in lots of which none depends on another of the same lot."""
    lot: list[E] = []
    names: set[str] = set()
    for event in sent:
        own = {f"event {event.event_id}"} | ({f"article {event.article_id}"} if event.kind else set())
        if len(lot) == _AT_ONCE or not names.isdisjoint(own):
            yield lot
            lot, names = [], set()
        lot.append(event)
        names |= own
    if lot:
        yield lot


def judge(connection: Connection, sent: Sequence[Repeatable]) -> list[Judgement]:
    """Return what each event of one of the `rounds` is to the record."""
    ids = [keepable(event.event_id) for event in sent]
    digests = [digest_of(event.body) for event in sent]
    newest = _newest(connection, set(ids))
    reinstatements = _reinstatements(
        connection, {event.article_id for event in sent if event.kind == "kill" and event.article_id}
    )
    repeated = [
        (event_id, digest)
        for event, event_id, digest in zip(sent, ids, digests, strict=True)
        if (event_id, event.kind == "kill") in newest
    ]
    rows = _rows(connection, repeated) if repeated else {}
    judgements = []
    for event, event_id, digest in zip(sent, ids, digests, strict=True):
        kill = event.kind == "kill"
        reinstatement = reinstatements.get(event.article_id or "", "") if kill else ""
        last = newest.get((event_id, kill))
        row = next(
            (
                row
                for row in rows.get((event_id, digest), ())
                if (row.kind == "kill") == kill and _since(row.reinstatement) == reinstatement
            ),
            None,
        )
        if row is not None and row.number != last:
            # After another content under its id. Which time it is, shows the event that it follows.
            reinstatement, row = f"{reinstatement} after {last}", None
        status: Status = "duplicate" if row is not None else "new" if last is None else "reused"
        judgements.append(Judgement(Key(event_id, digest, reinstatement), status, row))
    return judgements


def digest_of(body: str) -> str:
    """Return the digest by which the content of an event is known."""
    return sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _since(reinstatement: str) -> str:
    """The id of the reinstatement alone; no id has a space."""
    return reinstatement.partition(" ")[0]


def _newest(connection: Connection, event_ids: set[str]) -> dict[tuple[str, bool], int]:
    """The number of the last event under each id, of kills and of others."""
    kill = (events.c.kind == "kill").label("kill")
    query = (
        select(events.c.event_id, kill, func.max(events.c.number))
        .where(events.c.event_id.in_(event_ids))
        .group_by(events.c.event_id, kill)
    )
    return {(event_id, bool(is_kill)): number for event_id, is_kill, number in connection.execute(query)}


def _rows(connection: Connection, repeated: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Any]]:
    """The rows of events by (id, digest), the newest first."""
    query = (
        select(
            events.c.number,
            events.c.event_id,
            events.c.digest,
            events.c.reinstatement,
            events.c.kind,
            events.c.stream_entry,
            events.c.done,
            events.c.result,
        )
        .where(
            events.c.event_id.in_({event_id for event_id, _ in repeated}),
            events.c.digest.in_({digest for _, digest in repeated}),
        )
        .order_by(events.c.number.desc())
    )
    rows: dict[tuple[str, str], list[Any]] = {}
    for row in connection.execute(query):
        rows.setdefault((row.event_id, row.digest), []).append(row)
    return rows


def _reinstatements(connection: Connection, articles: set[str]) -> dict[str, str]:
    """The id of the event that reinstated each article last."""
    if not articles:
        return {}
    query = (
        select(events.c.article_id, events.c.event_id)
        .where(events.c.article_id.in_(articles), events.c.kind == "reinstatement")
        .order_by(events.c.number)
    )
    return {row.article_id: row.event_id for row in connection.execute(query)}
