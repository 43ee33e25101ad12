"""Documents, archives, backfills and events of a newsroom in which much is cold."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import empty_record
import pytest
from cold_parts import Parts
from news_desk import Desk, article, kill
from recording import held

from feeds.archive import period_named
from feeds.definition import FeedDefinition
from feeds.formats import READERS
from worker.documents.archive_pages import ArchivePages
from worker.documents.feed_documents import FeedDocuments
from worker.newsroom.endpoint_backfills import EndpointBackfills
from worker.newsroom.publication import Publication
from worker.record import Record
from worker.record.availability import RecordAway
from worker.store import Store, keys

SMALL = FeedDefinition(name="all", title="All", limit=2, archive="month")
MONTHS = [f"20{year:02}-{month:02}" for year in (24, 25) for month in range(1, 13)]
NAMES = [f"of-{month}" for month in MONTHS]


class Room(Desk):
    """A newsroom of one feed with a window of two, and an article for each of 24 months."""

    def __init__(self, store: Store, record: Record) -> None:
        super().__init__(store, record)
        self.site = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", (SMALL,))
        self.parts = Parts(store, record, hot=timedelta(milliseconds=1))
        self.parts.terms.limits = {"all": 2}
        assert self.parts.ids.complete(lambda: True)
        for name, month in zip(NAMES, MONTHS, strict=True):
            self.accept(article(name, published=f"{month}-15T08:00:00Z"))
        while self.consumer().consume():
            pass

    def trim(self) -> list[str]:
        """Take out what is cold; return what has gone."""
        time.sleep(0.02)
        self.parts.trim(*NAMES)
        return [name for name in NAMES if not held(self.store, name)]

    def archives(self) -> dict[str, bytes]:
        """All archives of the feed, and its document, in all formats that have them."""
        documents = FeedDocuments(self.store, self.site, self.renderer(), ArchivePages(self.store, self.parts.recorded))
        bodies = {}
        for feed_format in READERS:
            bodies[feed_format.name] = documents.current(SMALL, feed_format).body
            for month in ("2023-12", *MONTHS, "2026-01"):
                period = period_named("month", month)
                assert period
                document = documents.archive(SMALL, feed_format, period)
                bodies[f"{feed_format.name} {month}"] = document.body if document else b""
        return bodies


def test_archives_of_what_is_cold_are_the_same(store: Store, record: Record) -> None:
    room = Room(store, record)
    before = room.archives()
    assert all(before[f"atom {month}"] for month in MONTHS)
    gone = room.trim()
    assert gone == NAMES[:12]
    assert room.archives() == before
    # Nothing has come back for it.
    assert [name for name in NAMES if not held(store, name)] == gone
    room.accept(kill(NAMES[3]))
    assert room.consumer().consume()
    after = room.archives()
    assert after["atom 2024-04"] == b""
    assert b"2024-03" in after["atom 2024-05"]
    assert b"2024-04" not in after["atom 2024-05"]
    assert room.killed == [("all", 2)]
    assert store.changes.size("all") == 23


@pytest.mark.parametrize("backfill", ["5 articles", "20 articles", "100 articles", "700d", "3000d"])
def test_a_backfill_has_what_is_cold(store: Store, record: Record, backfill: str) -> None:
    room = Room(store, record)
    wakeups: Any = room.wakeups
    backfills = EndpointBackfills(store, room.parts.recorded, wakeups)
    enrolled = int(time.time() * 1000)
    before = backfills._past("all", backfill, enrolled, 1000)
    assert before
    room.trim()
    assert backfills._past("all", backfill, enrolled, 1000) == before


def test_a_kill_of_a_cold_article_waits_for_the_record_and_others_do_not(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "record.db"
    empty_record.put(file)
    record = Record.connect(f"sqlite:///{file}", wait_seconds=0.2)
    room = Room(store, record)
    assert room.trim()
    record.close()
    away = file.rename(tmp_path / "away.db")
    consumer = room.consumer()
    room.accept(kill(NAMES[0]), article("new"), kill(NAMES[-1]), article(NAMES[1], 2), article("other"))
    consumer.consume_kills()
    while consumer.consume():
        pass
    assert store.articles.get("new")
    assert store.articles.get("other")
    assert room.killed == [("all", 2)]
    assert store.events.waiting()
    with pytest.raises(RecordAway):
        room.parts.articles.get(NAMES[0])
    away.rename(file)
    with mock.patch("worker.newsroom.event_consumer._AGAIN_MS", 0):
        deadline = time.monotonic() + 60
        while store.events.waiting() and time.monotonic() < deadline:
            consumer.take_over(from_dead_workers=False)
            time.sleep(0.05)
    # It may be carried out once more.
    assert set(room.killed) == {("all", 2)}
    killed, corrected = room.parts.articles.get_many(NAMES[:2]).values()
    assert killed.article.pubstatus == "canceled"
    assert corrected.article.version == 2
    assert not store.client.xlen(keys.REJECTED)
    record.close()
