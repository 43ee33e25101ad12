"""What is cold leaves Redis whole, and comes back whole when somebody needs it; on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest import mock

import empty_record
import pytest
from cold_parts import DAY, OLD, Parts, save, some
from recording import held, note
from sqlalchemy import insert, select

from worker import clock
from worker.record import Record, tables
from worker.record.availability import RecordAway
from worker.retention.outdated import OutdatedRows
from worker.retention.recorded import RecordedArticles
from worker.store import Store, keys
from worker.store.articles import NEW, Remains


def test_nothing_of_a_cold_article_stays_and_all_of_it_comes_back(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    before = {name: held(store, name) for name in names}
    parts.trim(*names)
    out = [name for name in names if not held(store, name)]
    # Two are in the window, ten are the spare ones below it.
    assert out == names[:3]
    assert store.changes.size("f") == 15
    assert parts.articles.get_many(out).keys() == set(out)
    assert {name: held(store, name) for name in names} == before
    assert store.changes.size("f") == 15
    assert store.client.hget(keys.feed("f").meta, "cold") == "0"


def test_an_article_that_came_back_can_go_again(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    before = held(store, names[0])
    for _ in range(3):
        parts.trim(*names)
        assert not held(store, names[0])
        parts.articles.warm([names[0]])
        assert held(store, names[0]) == before
        store.client.hset(keys.article(names[0]), "warmed", 0)


def test_a_window_that_others_leave_is_filled_again(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record, 20)
    parts.trim(*names)
    assert store.changes.members("f") == names[:7:-1]
    for name in names[:15:-1]:
        store.changes.record(name, 2, OLD + 1, {"f": ("killed", 0)})
    parts.trimmer.fill_windows()
    assert store.changes.members("f") == names[15:3:-1]
    assert store.changes.size("f") == 16


def test_a_round_goes_through_all_of_them(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record, 20)
    with mock.patch("worker.retention.trim._BATCH", 3):
        for _ in range(3):
            parts.trimmer.trim()
    assert [name for name in names if not held(store, name)] == names[:8]
    assert store.client.zcard(keys.ARTICLES) == 12


def test_an_id_that_is_new_costs_the_record_no_question(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    parts.trim(*names)
    assert parts.recorded.epoch()
    with mock.patch.object(RecordedArticles, "ask", side_effect=AssertionError):
        assert parts.articles.look_up("new", certain=True).rev == NEW
        with pytest.raises(AssertionError):
            parts.articles.look_up(names[0], certain=True)


def test_the_filter_is_built_anew_from_the_record_in_steps(parts: Parts, store: Store, record: Record) -> None:
    names = some(store, record)
    parts.trim(*names)
    store.client.delete(keys.KNOWN_IDS, keys.KNOWN_IDS_META)
    # Until it is complete, the record is asked.
    assert isinstance(parts.articles.look_up("new", certain=True), Remains)
    with mock.patch("worker.retention.known_id_filter._AT_ONCE", 4):
        assert not parts.ids.complete(lambda: False)
        steps = iter([True, False])
        assert not Parts(store, record).ids.complete(lambda: next(steps))
        assert Parts(store, record).ids.complete(lambda: True)
    epoch, _, answers = store.known_ids.ask([*names, "new"])
    assert (epoch, answers) == (parts.recorded.epoch(), [True] * 15 + [False])


def test_fewer_than_one_in_a_hundred_ids_are_taken_for_known(store: Store) -> None:
    for start in range(0, 20_000, 500):
        store.known_ids.add(f"id-{number}" for number in range(start, start + 500))
    _, _, answers = store.known_ids.ask([f"id-{number}" for number in range(0, 20_000, 7)])
    assert all(answers)
    wrong = sum(sum(store.known_ids.ask([f"other-{n}" for n in range(at, at + 500)])[2]) for at in range(0, 5000, 500))
    assert wrong < 50


def test_while_the_record_is_away_a_cold_article_can_t_be_had(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    empty_record.put(file)
    record = Record.connect(f"sqlite:///{file}", wait_seconds=0.2)
    parts = Parts(store, record)
    parts.terms.limits = {}
    assert parts.ids.complete(lambda: True)
    save(store, "a00")
    note(store, record, "a00")
    parts.trim("a00")
    assert not held(store, "a00")
    record.close()
    away = file.rename(tmp_path / "away.db")
    for certain in (False, True):
        with pytest.raises(RecordAway):
            parts.articles.look_up("a00", certain=certain)
    with pytest.raises(RecordAway):
        parts.articles.get("a00")
    assert parts.articles.look_up("new", certain=True).rev == NEW
    assert parts.trimmer.trim() is None
    away.rename(file)
    assert parts.articles.get("a00")
    record.close()


def test_what_is_too_old_goes_from_the_record(record: Record) -> None:
    recorded = RecordedArticles(record)
    now = clock.ms(clock.now())
    event = {"digest": "0" * 64, "reinstatement": "", "kind": "", "way": "post"}
    rows = [("old", now - 20 * DAY, now - 20 * DAY), ("late", now - 20 * DAY, now), ("open", now - 20 * DAY, None)]
    attempt = {"article_id": "a", "feed": "f", "version": 1, "action": "published", "outcome": "delivered"}
    attempt |= {"status": 200, "milliseconds": 1, "bytes": 1, "sha256": "", "error": "", "answer": ""}
    with record.write() as connection:
        for name, accepted, done in rows:
            connection.execute(insert(tables.events).values(**event, event_id=name, accepted=accepted, done=done))
        attempts = [
            attempt | {"receiver": "e", "message_id": f"m{n}", "time": now - 20 * DAY + n // 3} for n in range(50)
        ]
        attempts.append(attempt | {"receiver": "e", "message_id": "new", "time": now})
        connection.execute(insert(tables.attempts), attempts)
    outdated = OutdatedRows(recorded, attempts=timedelta(days=10), events=timedelta(days=10))
    with mock.patch("worker.retention.outdated._AT_ONCE", 7):
        assert outdated.delete(lambda: True) == 51
    with record.read() as connection:
        assert set(connection.scalars(select(tables.events.c.event_id))) == {"late", "open"}
        assert list(connection.scalars(select(tables.attempts.c.message_id))) == ["new"]
    assert outdated.delete(lambda: True) == 0
