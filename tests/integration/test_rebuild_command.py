"""`dateline rebuild --dry-run` says what a rebuild would change."""

from __future__ import annotations

from news_desk import Desk
from noted import epoch_of, note_all
from sqlalchemy import insert
from test_rebuild import FEEDS, busy

from worker.record import Record, tables
from worker.retention.differences import Differences
from worker.store import Store, keys


def counts(store: Store, record: Record) -> dict[str, tuple[int, list[str]]]:
    differences = Differences(store, record, lambda _: 50)
    assert [3, 3] == list(list(differences.compare())[-1])
    assert differences.any == any(row.count for row in differences.by_kind.values())
    return {kind: (row.count, row.names) for kind, row in differences.by_kind.items() if row.count}


def test_what_differs(store: Store, record: Record, desk: Desk) -> None:
    busy(desk)
    note_all(store, record, FEEDS)
    store.agreement.join(epoch_of(record), 1)
    assert {} == counts(store, record)
    event = {"event_id": "lost", "digest": "d", "kind": "", "body": "{}", "accepted": 1, "way": "post"}
    with record.write() as connection:
        connection.execute(insert(tables.events).values(**event, stream_entry="1-1"))
    rev = store.client.hget(keys.article("b"), "rev")
    store.client.hset(keys.article("b"), "rev", f"1-{rev.partition('-')[2]}")
    store.client.delete(keys.article("a"))
    store.client.zadd(keys.feed("world").settled, {"endpoint:up": 1})
    store.receivers.remove("all", "reader", "test")
    store.client.hset(keys.feed("picks").meta, "head", 0)
    assert {
        "missing": (1, ["a"]),
        "older": (1, ["b"]),
        "cursors": (1, ["endpoint:up of world"]),
        "receivers": (1, ["reader of all"]),
        "heads": (1, ["picks"]),
        "events": (1, ["lost"]),
    } == counts(store, record)
