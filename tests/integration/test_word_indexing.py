"""The duty that indexes words and cleans up: one worker at a time, never in the way of events."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import empty_record
from records import no_record
from sqlalchemy import insert
from test_forgetting import SECRET, kill, publish, where
from test_search import article, found, row

from worker.record import Record, tables
from worker.record.search import index_text
from worker.retention.word_indexing import WordIndexing
from worker.store import Store, keys


def note(record: Record, *names: str) -> None:
    with record.write() as connection:
        connection.execute(insert(tables.articles), [row(article(name)) for name in names])
        index_text(connection, names)


def index_all(store: Store, record: Record) -> None:
    """Work slice by slice: how much fits in one depends on the machine."""
    indexing = WordIndexing(store, record)
    while indexing.work() is not None:
        pass


def test_what_waits_is_indexed(store: Store, record: Record) -> None:
    note(record, *(f"a{number}" for number in range(250)))
    index_all(store, record)
    assert len(found(record, "harbour")) == 250


def test_one_worker_at_a_time(store: Store, record: Record) -> None:
    note(record, "a")
    store.client.set(keys.WORDS, "another", px=60_000)
    assert WordIndexing(store, record).work() is None
    assert found(record, "harbour") == []
    store.client.delete(keys.WORDS)
    index_all(store, record)
    assert found(record, "harbour") == ["a"]


def test_what_is_forgotten_is_cleaned_up(store: Store, tmp_path: Path) -> None:
    empty_record.put(tmp_path / "record.db")
    with closing(Record.embedded(tmp_path)) as record:
        publish(record, "a", SECRET)
        kill(record, "a")
        index_all(store, record)
        assert where(tmp_path, SECRET) == []


def test_a_record_that_is_away(store: Store) -> None:
    with closing(no_record()) as record:
        assert WordIndexing(store, record).work() is None


def test_while_something_is_pushed_a_little_is_indexed_at_a_time(store: Store, record: Record) -> None:
    note(record, *(f"a{number}" for number in range(250)))
    pushing = [True]
    indexing = WordIndexing(store, record, is_pushing=lambda: pushing[0])
    pause = indexing.work()
    assert pause is not None
    assert pause > 0
    assert 0 < len(found(record, "harbour")) < 100
    pushing[0] = False
    while indexing.work() is not None:
        pass
    assert len(found(record, "harbour")) == 250
