"""What feed readers tell, from requests into the record, on both databases; and the command that shows it."""

from __future__ import annotations

import json

import pytest
from command_line import dateline
from news_desk import site
from sqlalchemy import func, select

from feeds.feed_readers import KNOWN_READERS
from web.feed_readers import FeedReaders, reader_note
from worker import clock
from worker.record import Record, tables
from worker.record.availability import Absence
from worker.record.feed_readers import (
    DAYS,
    STRANGERS_MOST,
    ReaderCount,
    days_as_json,
    forget_readers,
    note_readers,
    readers_of,
)
from worker.retention.recorded import RecordedArticles


def noted(record: Record, feed: str = "world", since: int = 0) -> list[tuple[int, str, str, int]]:
    with record.read() as connection:
        return [(row.day, row.format, row.reader, row.subscribers) for row in readers_of(connection, feed, since)]


def note(record: Record, *counts: ReaderCount) -> None:
    with record.write() as connection:
        note_readers(connection, counts, KNOWN_READERS)


def test_of_a_day_the_most_stays(record: Record) -> None:
    note(record, ReaderCount("world", 5, "rss", "Feedly", 7), ReaderCount("world", 5, "atom", "Feedly", 2))
    note(record, ReaderCount("world", 5, "rss", "Feedly", 4), ReaderCount("world", 6, "rss", "Feedly", 4))
    note(record, ReaderCount("world", 5, "rss", "Feedly", 9), ReaderCount("sport", 5, "rss", "Feedly", 3))
    assert noted(record) == [(5, "rss", "Feedly", 9), (5, "atom", "Feedly", 2), (6, "rss", "Feedly", 4)]
    assert noted(record, since=6) == [(6, "rss", "Feedly", 4)]
    with record.read() as connection:
        assert days_as_json(readers_of(connection, "world", 6)) == [
            {
                "day": "1970-01-07",
                "subscribers": 4,
                "readers": [{"reader": "Feedly", "format": "rss", "subscribers": 4}],
            }
        ]


def test_of_strangers_only_so_many_are_kept(record: Record) -> None:
    """Today as well, when they come one by one; those that are known have room."""
    many = [ReaderCount("world", 5, "rss", f"stranger-{number:03}", 1) for number in range(STRANGERS_MOST + 20)]
    note(record, *many[:30])
    note(record, *many[30:], ReaderCount("world", 5, "rss", "Feedly", 7), ReaderCount("world", 6, "rss", "stranger", 1))
    note(record, many[0]._replace(subscribers=8), many[-1], many[0]._replace(format="atom"))
    rows = noted(record)
    assert len([row for row in rows if row[:2] == (5, "rss") and row[2] not in KNOWN_READERS]) == STRANGERS_MOST
    assert {(5, "rss", "Feedly", 7), (5, "rss", many[0].reader, 8), (6, "rss", "stranger", 1)} < set(rows)
    assert (5, "atom", many[0].reader, 1) in rows


def test_what_is_old_goes(record: Record) -> None:
    note(record, *(ReaderCount("world", day, "rss", "Feedly", 1) for day in (5, 6)))
    with record.write() as connection:
        forget_readers(connection, 6 + DAYS)
    assert [row[0] for row in noted(record)] == [6]


def request(readers: FeedReaders, path: str, user_agent: bytes) -> None:
    headers = [(b"host", b"herald.example"), (b"user-agent", user_agent), (b"accept", b"*/*")]
    readers.note(reader_note(path, headers))


def test_while_the_record_is_away_it_waits(record: Record) -> None:
    readers, recorded = FeedReaders(), RecordedArticles(record)
    request(readers, "/feeds/world.rss", b"Feedly/1.0 (3 subscribers)")
    record.availability.absence = Absence(0, "for a test")
    readers.keep(site(), recorded)
    request(readers, "/feeds/world.rss", b"Feedly/1.0 (4 subscribers)")
    record.availability.absence = None
    readers.keep(site(), recorded)
    readers.keep(site(), recorded)
    today = clock.ms(clock.agreed()) // 86_400_000
    assert [row[1:] for row in noted(record, since=today - 1)] == [("rss", "Feedly", 4)]


@pytest.mark.parametrize(
    "path", ["/feeds/world", "/feeds/nowhere.rss", "/feeds/world.exe", "/feeds", "/", "/feeds/.rss", "/logo"]
)
def test_nothing_is_noted_of_what_is_no_document(record: Record, path: str) -> None:
    readers = FeedReaders()
    request(readers, path, b"Feedly/1.0 (3 subscribers)")
    readers.keep(site(), RecordedArticles(record))
    with record.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.feed_readers)) == 0


def test_a_flood_of_names_takes_no_more_than_its_room(record: Record) -> None:
    readers = FeedReaders()
    for number in range(30_000):
        request(readers, "/feeds/world.rss", b"Quay%d/1.0 (3 subscribers; %s)" % (number, b"x" * 5000))
    assert len(readers._waiting) == 10_000
    assert max(len(user_agent) for _, user_agent in readers._waiting) == 400
    readers.keep(site(), RecordedArticles(record))
    assert len(noted(record)) == STRANGERS_MOST


def test_the_command_shows_it(record: Record) -> None:
    today = clock.ms(clock.agreed()) // 86_400_000
    note(record, ReaderCount("all", today, "rss", "Feedly", 7), ReaderCount("all", today, "atom", "NewsBlur", 2))
    variables = {"DATELINE_RECORD_URL": record.url.render_as_string(hide_password=False)}
    variables |= {"DATELINE_REDIS_URL": "redis://127.0.0.1:1"}
    shown = dateline("readers", "all", variables=variables)
    lines = [" ".join(line.split()[1:]) for line in shown.stdout.splitlines()[2:]]
    assert lines == ["Feedly rss 7", "NewsBlur atom 2", "(all) 9"], shown
    [day] = json.loads(dateline("readers", "all", "--json", variables=variables).stdout)["days"]
    assert day["subscribers"] == 9
    nowhere = dateline("readers", "nowhere", variables=variables)
    assert (nowhere.returncode, nowhere.stderr.partition(";")[0]) == (2, "dateline: there is no feed nowhere")
