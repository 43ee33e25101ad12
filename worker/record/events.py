"""Accepted events: each is there once, in the order of their numbers, with what became of it.

All functions work within the transaction of whoever calls them; those that write need one of `Record.write`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, text, update

from worker.record.column_types import compressed, keepable, keepable_row
from worker.record.connections import sqlite_transaction
from worker.record.repetitions import Key, Kind, Status, digest_of, judge, rounds
from worker.record.tables import events
from worker.record.upserts import dialect_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

SET_ASIDE = "set-aside"
"""The result of an event that was given up, although it could have been carried out: sent again, it is accepted."""
_TRIES = 10
"""How often an event is looked for that others accept at the same time."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event that was sent: `body` is its JSON; `accepted` is in ms; `way` and `sender` say by which way and by whom.

    `article_id`: of a kill or a reinstatement.
    """

    event_id: str
    body: str
    kind: Kind
    article_id: str | None
    accepted: int
    way: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """How the record has accepted an event. `appended`: it was noted that Redis has it.

    `reinstatement`: what tells a kill from the same kill before, for whoever appends it.
    """

    status: Status
    number: int
    appended: bool
    reinstatement: str


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event; with all that the record keeps of it, should it not have the event yet.

    `number`: as its entry in Redis says; None when it was accepted without the record. `stream_entry`: the id of that
    entry. `accepted`, `done`: ms. `result`: published, corrected, killed, held, duplicate, stale, conflict, rejected,
    SET_ASIDE, ... `article_id`, `version`: the article, also when the event named an update of it, and the revision
    that the event made. `event_id` is empty for what is no event.
    """

    number: int | None
    event_id: str
    body: str
    kind: Kind
    article_id: str | None
    accepted: int
    way: str
    stream_entry: str
    done: int
    result: str
    reason: str | None = None
    version: int | None = None
    sender: str = ""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event that has still to be appended or carried out."""

    number: int
    event_id: str
    body: str
    kind: Kind
    article_id: str
    reinstatement: str
    accepted: int


@dataclass(frozen=True, slots=True)
class EventReceipt:
    """What became of an event, for people; times in ms. `appended`: Redis has, or had it."""

    number: int
    event_id: str
    kind: str
    article_id: str | None
    accepted: int
    way: str
    sender: str
    appended: bool
    done: int | None
    result: str | None
    reason: str | None
    version: int | None


def accept(connection: Connection, sent: Sequence[SentEvent]) -> list[AcceptedEvent]:
    """Keep events, except those that the record has already; return how each was accepted, in order."""
    return [accepted for lot in rounds(sent) for accepted in _accept(connection, lot)]


def _accept(connection: Connection, lot: Sequence[SentEvent]) -> list[AcceptedEvent]:
    numbers: dict[Key, int] = {}
    accepted: dict[int, AcceptedEvent] = {}
    left = dict(enumerate(lot))
    for _ in range(_TRIES):
        judgements = dict(zip(left, judge(connection, list(left.values())), strict=True))
        for place, judgement in judgements.items():
            if judgement.row is not None:
                accepted[place] = _repeated(connection, left.pop(place), judgement.row)
        numbers = _insert(connection, [_row(event, judgements[place].key) for place, event in left.items()])
        for place in [place for place in left if judgements[place].key in numbers]:
            key = judgements[place].key
            accepted[place] = AcceptedEvent(judgements[place].status, numbers[key], False, key.reinstatement)
            del left[place]
        if not left:
            return [accepted[place] for place in range(len(lot))]
        # Others have accepted them at the same time, and have committed by now.
    raise RuntimeError(f"can't accept the event {next(iter(left.values())).event_id}: others accept it all the time")


def may_be_new(sent: Sequence[SentEvent]) -> bool:
    """Whether `accept_new` can accept events: none of them depends on another, and none is a kill."""
    return len({event.event_id for event in sent}) == len(sent) and all(event.kind != "kill" for event in sent)


def accept_new(connection: Connection, sent: Sequence[SentEvent]) -> list[AcceptedEvent | None]:
    """Keep the events whose ids were never there, in a transaction that is begun here; None for each other one.

    It is what `accept` does with nearly every event: on PostgreSQL with one question to the server instead of four, on
    SQLite with a tenth of the work.
    """
    rows = [
        (
            keepable(event.event_id),
            digest_of(event.body),
            event.kind,
            event.article_id and keepable(event.article_id),
            compressed(event.body),
            event.accepted,
            keepable(event.way),
            keepable(event.sender),
        )
        for event in sent
    ]
    if connection.dialect.name == "postgresql":
        columns = dict(zip(_NEW_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        with connection.begin():
            numbers = {row.event_id: row.number for row in connection.execute(_ACCEPT_NEW, columns)}
        new_numbers = [numbers.get(row[0]) for row in rows]
    else:
        with sqlite_transaction(connection) as driver:
            answers = [driver.execute(_ACCEPT_NEW_ONE, (*row, row[0])).fetchall() for row in rows]
        new_numbers = [answer[0][0] if answer else None for answer in answers]
    return [None if number is None else AcceptedEvent("new", number, False, "") for number in new_numbers]


def _repeated(connection: Connection, event: SentEvent, row: Any) -> AcceptedEvent:
    """How an event is accepted that the record has: as a duplicate, unless it was given up."""
    if row.result != SET_ASIDE:
        return AcceptedEvent("duplicate", row.number, row.stream_entry is not None, row.reinstatement)
    again = {"accepted": event.accepted, "way": event.way, "who": event.sender, "body": event.body}
    nothing = dict.fromkeys(("stream_entry", "done", "result", "reason", "version"))
    connection.execute(update(events).where(events.c.number == row.number).values(**again, **nothing))
    return AcceptedEvent("new", row.number, False, row.reinstatement)


def note_appended(connection: Connection, entries: Mapping[int, str]) -> None:
    """Note where Redis has events, by their numbers."""
    statement = (
        update(events)
        .where(events.c.number == bindparam("of"), events.c.stream_entry.is_(None))
        .values(stream_entry=bindparam("entry"))
    )
    if entries:
        connection.execute(statement, [{"of": number, "entry": entry} for number, entry in sorted(entries.items())])


def newest_to_append(connection: Connection) -> int:
    """Return the greatest number of an event that Redis has still to get; 0 when there is none."""
    return connection.scalar(select(func.max(events.c.number)).where(events.c.stream_entry.is_(None))) or 0


def to_append(connection: Connection, up_to: int, count: int) -> list[KeptEvent]:
    """Return up to `count` events that Redis has still to get, with numbers up to `up_to`: kills, then in order."""
    query = _unfinished.where(events.c.stream_entry.is_(None), events.c.number <= up_to, events.c.done.is_(None))
    kills = query.where(events.c.kind == "kill").order_by(events.c.number).limit(count)
    ordinary = query.where(events.c.kind != "kill").order_by(events.c.number)
    first = [_kept_event(row) for row in connection.execute(kills)]
    return first + [_kept_event(row) for row in connection.execute(ordinary.limit(count - len(first)))]


def to_carry_out(connection: Connection, after: int, count: int) -> list[KeptEvent]:
    """Return up to `count` events with numbers beyond `after` that were not carried out, in order."""
    query = _unfinished.where(events.c.done.is_(None), events.c.number > after).order_by(events.c.number).limit(count)
    return [_kept_event(row) for row in connection.execute(query)]


def note_results(connection: Connection, results: Sequence[EventResult]) -> None:
    """Note what became of events; those that the record has not got are added.

    The first result of an event is the one that stays: a repetition of it, after a crash, finds it done.
    """
    numbered = {result.number: result for result in results if result.number is not None}
    missing = numbered.keys() - _note_numbered(connection, numbered)
    for lot in rounds([result for result in results if result.number is None or result.number in missing]):
        judgements = judge(connection, lot)
        new = []
        for result, judgement in zip(lot, judgements, strict=True):
            if judgement.row is None:
                new.append(_row(result, judgement.key) | _outcome(result) | {"stream_entry": result.stream_entry})
            else:
                _note_one(connection, judgement.row.number, result)
        # What others add at the same time is the same entry, carried out twice.
        _insert(connection, new)


def _note_numbered(connection: Connection, results: Mapping[int, EventResult]) -> set[int]:
    """Note results by the numbers of their events; return those numbers that are these events' in this record."""
    if not results:
        return set()
    # Locked in order: then two that note the same events never wait for each other. SQLite has one writer at a time.
    query = select(events.c.number, events.c.event_id, events.c.digest).where(events.c.number.in_(results))
    query = query.order_by(events.c.number).with_for_update()
    # An entry may come from another record: from before a backup was restored.
    own = {
        row.number
        for row in connection.execute(query)
        if (row.event_id, row.digest) == (keepable(results[row.number].event_id), digest_of(results[row.number].body))
    }
    if own:
        rows = [_result_row(number, results[number]) for number in sorted(own)]
        if connection.dialect.name == "postgresql":
            recordset = [dict(zip(_RESULT_COLUMNS, row, strict=True)) for row in rows]
            connection.execute(_NOTE_RECORDSET, {"rows": json.dumps(recordset)})
        else:
            connection.exec_driver_sql(_NOTE_VALUES, rows)
    return own


def _result_row(number: int, result: EventResult) -> tuple[Any, ...]:
    texts = keepable_row((result.stream_entry, result.article_id, result.result, result.reason))
    return (*texts, result.done, result.version, number)


def _note_one(connection: Connection, number: int, result: EventResult) -> None:
    connection.execute(_note_result, _noted(number, result))


def _noted(number: int, result: EventResult) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in _outcome(result).items()} | {
        "of": number,
        "entry": result.stream_entry,
    }


def _outcome(result: EventResult) -> dict[str, Any]:
    return {
        "article_id": result.article_id,
        "done": result.done,
        "result": result.result,
        "reason": result.reason,
        "version": result.version,
    }


def receipts(connection: Connection, event_id: str) -> list[EventReceipt]:
    """Return what became of each event that came under an id, in order."""
    query = select(*_RECEIPT).where(events.c.event_id == event_id).order_by(events.c.number)
    return [
        EventReceipt(
            row.number,
            row.event_id,
            row.kind,
            row.article_id,
            row.accepted,
            row.way,
            row.who,
            row.stream_entry is not None,
            row.done,
            row.result,
            row.reason,
            row.version,
        )
        for row in connection.execute(query)
    ]


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> dict[Key, int]:
    """Add rows, in order, except those that are there; return the numbers of the new ones."""
    if not rows:
        return {}
    statement = _insert_statement(connection.dialect.name)
    return {Key(row.event_id, row.digest, row.reinstatement): row.number for row in connection.execute(statement, rows)}


@lru_cache
def _insert_statement(database: str) -> Any:
    return dialect_of(database).insert(events).on_conflict_do_nothing().returning(*_RETURNED)


def _row(event: SentEvent | EventResult, key: Key) -> dict[str, Any]:
    return {
        **key._asdict(),
        "kind": event.kind,
        "article_id": event.article_id,
        "body": event.body,
        "accepted": event.accepted,
        "way": event.way,
        "who": event.sender,
    }


def _kept_event(row: Any) -> KeptEvent:
    return KeptEvent(
        row.number, row.event_id, row.body, row.kind, row.article_id or "", row.reinstatement, row.accepted
    )


_ACCEPT_NEW = text("""
    INSERT INTO events (event_id, digest, reinstatement, kind, article_id, body, accepted, way, who)
    SELECT event_id, digest, '', kind, article_id, body, accepted, way, sender
    FROM unnest(
        CAST(:event_ids AS text[]), CAST(:digests AS text[]), CAST(:kinds AS text[]), CAST(:article_ids AS text[]),
        CAST(:bodies AS bytea[]), CAST(:accepted AS bigint[]), CAST(:ways AS text[]), CAST(:senders AS text[])
    ) WITH ORDINALITY AS sent (event_id, digest, kind, article_id, body, accepted, way, sender, place)
    WHERE NOT EXISTS (SELECT 1 FROM events WHERE event_id = sent.event_id AND kind <> 'kill')
    ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING event_id, number
""")
_NEW_COLUMNS = ("event_ids", "digests", "kinds", "article_ids", "bodies", "accepted", "ways", "senders")
_ACCEPT_NEW_ONE = """
    INSERT INTO events (event_id, digest, reinstatement, kind, article_id, body, accepted, way, who)
    SELECT ?, ?, '', ?, ?, ?, ?, ?, ?
    WHERE NOT EXISTS (SELECT 1 FROM events WHERE event_id = ? AND kind <> 'kill')
    ON CONFLICT DO NOTHING
    RETURNING number
"""
_RESULT_COLUMNS = ("entry", "article", "result", "reason", "done", "version", "number")
# Many results in one statement each: by `_note_result`, SQLAlchemy takes longer for them than the database does.
_NOTE_VALUES = """
    UPDATE events SET stream_entry = coalesce(stream_entry, ?), article_id = coalesce(?, article_id), result = ?,
    reason = ?, done = ?, version = ? WHERE number = ? AND done IS NULL
"""
_NOTE_RECORDSET = text("""
    UPDATE events SET stream_entry = coalesce(events.stream_entry, noted.entry),
    article_id = coalesce(noted.article, events.article_id), result = noted.result, reason = noted.reason,
    done = noted.done, version = noted.version
    FROM json_to_recordset(CAST(:rows AS json))
    AS noted (entry text, article text, result text, reason text, done bigint, version bigint, number bigint)
    WHERE events.number = noted.number AND events.done IS NULL
""")
_RETURNED = (events.c.event_id, events.c.digest, events.c.reinstatement, events.c.number)

_RECEIPT = (
    events.c.number,
    events.c.event_id,
    events.c.kind,
    events.c.article_id,
    events.c.accepted,
    events.c.way,
    events.c.who,
    events.c.stream_entry,
    events.c.done,
    events.c.result,
    events.c.reason,
    events.c.version,
)
_unfinished = select(
    events.c.number,
    events.c.event_id,
    events.c.body,
    events.c.kind,
    events.c.article_id,
    events.c.reinstatement,
    events.c.accepted,
).where(events.c.body.is_not(None))
_note_result = (
    update(events)
    .where(events.c.number == bindparam("of"), events.c.done.is_(None))
    .values(
        stream_entry=func.coalesce(events.c.stream_entry, bindparam("entry", type_=events.c.stream_entry.type)),
        article_id=func.coalesce(bindparam("new_article_id", type_=events.c.article_id.type), events.c.article_id),
        done=bindparam("new_done"),
        result=bindparam("new_result"),
        reason=bindparam("new_reason"),
        version=bindparam("new_version"),
    )
)
