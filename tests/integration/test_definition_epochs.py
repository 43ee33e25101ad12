"""The order of the sets of feed definitions is in the record, and outlives Redis."""

from __future__ import annotations

from contextlib import closing
from unittest import mock

from records import no_record
from sqlalchemy.exc import IntegrityError

from feeds.definition import FeedDefinition
from worker.newsroom.event_permit import EventPermit
from worker.newsroom.publication import Publication
from worker.record import Record, definitions
from worker.record.definitions import Epochs
from worker.record.overview import overview
from worker.store import Store, keys

ALL = FeedDefinition(name="all", title="All")
WORLD = FeedDefinition(name="world", title="World")
OLD, NEW = (ALL,), (ALL, WORLD)


def permit(store: Store, record: Record, feeds: tuple[FeedDefinition, ...], worker: str) -> EventPermit:
    """A worker's permit, as it is when the worker has started."""
    site = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", feeds)
    begun = EventPermit(store, record, site, worker)
    begun.begin()
    begun.note_epoch()
    return begun


def test_each_set_is_an_epoch(record: Record) -> None:
    with record.write() as connection:
        assert Epochs(1, 1) == definitions.note(connection, "a" * 64, 1, 1000, {"all": "{}"})
        assert Epochs(5, 5) == definitions.note(connection, "b" * 64, 5, 2000, {})
        assert Epochs(1, 5) == definitions.note(connection, "a" * 64, 7, 3000, {"all": "{}"}), "it was there"
        assert Epochs(6, 6) == definitions.note(connection, "c" * 64, 5, 4000, {"x": "1", "y": "2"}), "5 is another's"
    with record.read() as connection:
        assert Epochs(0, 6) == definitions.epochs(connection, "d" * 64)
        assert {"x": "1", "y": "2"} == definitions.of_epoch(connection, 6)


def test_of_two_that_note_at_a_time_one_tries_again(store: Store, record: Record) -> None:
    site = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", OLD)
    worker = EventPermit(store, record, site, "w")
    worker.begin()
    with mock.patch.object(definitions, "note", side_effect=IntegrityError("", {}, Exception())):
        worker.note_epoch()
    assert overview(record).rows["definition_epochs"] == 0
    worker.note_epoch()
    assert overview(record).rows["definition_epochs"] == 1


def test_an_emptied_redis_does_not_bring_old_definitions_back(store: Store, record: Record) -> None:
    permit(store, record, OLD, "old")
    newer = permit(store, record, NEW, "new")
    assert newer.charge == "2 2"
    store.client.flushall()
    # Workers with the old settings come first.
    older = permit(store, record, OLD, "old again")
    assert older.charge == "1 1"
    newer = permit(store, record, NEW, "new again")
    assert newer.charge == "2 2"
    assert older.renew() is None
    # Of a set that the record does not know the number is greater than all there.
    store.client.flushall()
    assert permit(store, record, (WORLD,), "newest").charge == "3 1"
    assert overview(record).rows["definition_epochs"] == 3


def test_what_redis_numbered_while_the_record_was_away_is_put_right(store: Store, record: Record) -> None:
    permit(store, record, OLD, "a").leave()
    permit(store, record, NEW, "b").leave()
    store.client.flushall()
    with closing(no_record()) as away:
        newer = permit(store, away, NEW, "new")
    assert newer.charge == "1 1", "Redis' own number is enough"
    older = permit(store, record, OLD, "old")
    # It has the number that the record knows; the others get theirs as soon as they can read it.
    newer = permit(store, record, NEW, "new again")
    assert newer.charge == "2 2"
    assert older.renew() is None
    assert {"1", "2"} == set(store.client.hvals(keys.NUMBERS))


def test_a_worker_that_gets_another_number_counts_once(store: Store, new_record_url: str) -> None:
    with closing(Record.connect(new_record_url)) as record:
        worker = permit(store, record, OLD, "w")
        assert worker.charge == "1 1"
        record.upgrade()
        with record.write() as connection:
            definitions.note(connection, "f" * 64, 1, 1, {})
        worker.note_epoch()
        assert worker.renew() == "2 2"
        assert ["2 w"] == store.client.zrange(keys.LIVING, 0, -1)
        worker.note_epoch()
        assert worker.renew() == "2 2"


def test_the_set_in_charge_is_announced(store: Store) -> None:
    with closing(no_record()) as record, closing(store.definitions.listen()) as announcements:
        permit(store, record, OLD, "old")
        announcements.wait(60)
        current = store.definitions.current()
        assert current is not None
        assert [ALL] == [FeedDefinition.model_validate_json(text) for text in current.definitions]
        newer = permit(store, record, NEW, "new")
        current = store.definitions.current()
        assert current is not None
        assert [ALL, WORLD] == [FeedDefinition.model_validate_json(text) for text in current.definitions]
        # A title is part of what is announced, and fills no feed.
        store.definitions.note_filled(newer.charge or "")
        retitled = permit(store, record, (ALL, WORLD.model_copy(update={"title": "The World"})), "retitled")
        assert (retitled.charge, {}) == ("3 3", store.definitions.progress().feeds)
        assert not store.definitions.announce("2 2", []), "others are in charge"
        store.client.hset(keys.CURRENT_DEFINITIONS, "definitions", "broken")
        assert store.definitions.current() is None
