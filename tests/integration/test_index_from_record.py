"""Feeds that are new or defined anew find their articles in the record too, where most of them are."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from records import no_record
from sqlalchemy import select

from feeds.article import Article
from feeds.definition import FeedDefinition, Selector
from worker import clock
from worker.newsroom import recorded_index
from worker.newsroom.newsroom import Newsroom
from worker.newsroom.publication import Publication
from worker.record import Record, tables
from worker.record.articles import Membership, RecordedArticle, note_articles, note_memberships
from worker.record.availability import RecordAway
from worker.retention.noting import Noting
from worker.retention.recorded import RecordedArticles
from worker.retention.warm import HotArticles
from worker.store import Store
from worker.store.alerts import Alerts
from worker.store.articles import NEW

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
ALL = FeedDefinition(name="all", title="All")
WORLD = FeedDefinition(name="world", title="World", select=(Selector(section=("World",)),), limit=5)


class Endpoints:
    """No endpoint has any right of its own."""

    def in_article_mode(self, _feed: str) -> list[str]:
        return []

    def feeds_with_early_access(self) -> set[str]:
        return set()

    def any_page_checks(self) -> bool:
        return False


def article(number: int, section: str = "World", **more: Any) -> Article:
    moment = FIRST + timedelta(hours=number)
    fields = {"id": f"a{number:05}", "version": 1, "headline": f"A {number}", "section": section, "edition": "en"}
    fields |= {"url": f"https://herald.example/{number}", "published": moment, "updated": moment}
    return Article.model_validate(fields | more)


def recorded(each: Article) -> RecordedArticle:
    document = each.model_dump_json()
    digest = hashlib.sha256(document.encode()).hexdigest()
    published = clock.ms(each.published)
    text = (each.pubstatus, each.edition, each.headline, each.url, document, "", published, published, None)
    return RecordedArticle(each.id, each.version, "1-a", digest, *text)


class Paper:
    """A newsroom with a record, whose steps are made one by one."""

    def __init__(self, store: Store, record: Record) -> None:
        self.store, self.record = store, record
        self.workers = 0
        self.former: Newsroom | None = None
        store.events.create_group()

    def worker(self, *feeds: FeedDefinition, record: Record | None = None) -> Newsroom:
        site = Publication("https://herald.example", "The Herald", "herald.example,2026", "en", feeds)
        self.workers += 1
        wakeups: Any = mock.Mock()
        newsroom = Newsroom(
            self.store,
            record or self.record,
            HotArticles(self.store, RecordedArticles(record or self.record)),
            site,
            wakeups,
            f"w{self.workers}",
            Endpoints(),
            Alerts(self.store.operations, webhook=False),
            Noting(self.store, record or self.record),
            try_locally=lambda _: False,
            on_killed=lambda *_: None,
        )
        if self.former:
            self.former.permit.leave()
        assert newsroom.permit.begin()
        self.former = newsroom
        return newsroom

    def put_into_redis(self, *articles: Article, feeds: Collection[str] = ()) -> None:
        for each in articles:
            assert self.store.articles.save(each, NEW, feeds, clock.ms(each.published))

    def put_into_record(self, *articles: Article) -> None:
        with self.record.write() as connection:
            note_articles(connection, map(recorded, articles))

    def warm(self, article_ids: Collection[str]) -> Collection[str]:
        """Bring articles back, as whoever needs them does."""
        return HotArticles(self.store, RecordedArticles(self.record)).warm(article_ids)

    def memberships(self, feed: str) -> dict[str, Membership]:
        with self.record.read() as connection:
            query = select(*(tables.memberships.c[name] for name in Membership._fields))
            rows = connection.execute(query.where(tables.memberships.c.feed == feed))
            return {row.article_id: Membership(*row) for row in rows}


def fill(newsroom: Newsroom) -> None:
    newsroom.permit.renew()
    while newsroom.indexer.fill() is not None:
        pass


@pytest.fixture
def paper(store: Store, record: Record) -> Paper:
    return Paper(store, record)


@contextmanager
def small_steps() -> Iterator[None]:
    with mock.patch.object(recorded_index, "_BATCH", 7):
        yield


def numbers(names: Collection[str]) -> list[int]:
    return sorted(int(name.removeprefix("a")) for name in names)


def test_the_window_comes_from_the_record_and_what_is_below_stays_there(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_record(*(article(n, "World" if n % 2 else "Sport") for n in range(40)))
    # In Redis: one that belongs, one that does not, and one that the record does not have yet.
    paper.put_into_redis(article(39), article(38, "Sport"), article(41))
    with small_steps():
        fill(paper.worker(ALL, WORLD))
    assert [41, 39, 37, 35, 33] == [int(name[1:]) for name in paper.store.changes.members("world")]
    assert paper.store.changes.since("world", 0, 100) == [], "no receiver is told"
    members = paper.memberships("world")
    assert list(range(1, 33, 2)) == numbers(members)
    assert {("in", 0)} == {(row.state, row.sequence) for row in members.values()}
    assert members["a00031"].place == clock.ms(article(31).published)
    head = paper.store.changes.head("world")
    assert head.placed == head.seq > 0
    assert paper.store.definitions.progress().feeds == {}


def test_another_worker_goes_on_where_one_was_killed(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_record(*(article(n) for n in range(40)))
    with small_steps():
        first = paper.worker(ALL, WORLD)
        pages: list[Any] = []
        newest = recorded_index.feed_candidates.newest

        def page(*args: Any) -> Any:
            pages.append(args[2])
            if len(pages) == 4:
                raise SystemExit
            return newest(*args)

        with mock.patch.object(recorded_index.feed_candidates, "newest", page):
            with pytest.raises(SystemExit):
                first.indexer.fill()
            progress = paper.store.definitions.progress()
            assert (21, 40) == (progress.passes["recorded"].done, progress.passes["recorded"].articles)
            fill(paper.worker(ALL, WORLD))
    assert len(pages) == len(set(pages)) + 1, "only what was not finished is done again"
    assert len(paper.store.changes.members("world")) == 5
    assert numbers(paper.memberships("world")) == list(range(35))


def test_while_the_record_is_away_what_redis_has_is_enough(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_record(*(article(n) for n in range(3)))
    paper.put_into_redis(article(10), article(11))
    newsroom = paper.worker(ALL, WORLD)
    with mock.patch.object(newsroom.indexer._recorded, "_asking", side_effect=RecordAway("it does not answer")):
        fill(newsroom)
        assert ["a00011", "a00010"] == paper.store.changes.members("world")
        assert paper.store.definitions.progress().feeds.keys() == {"world"}
        assert paper.store.changes.head("world").placed
    fill(newsroom)
    assert numbers(paper.store.changes.members("world")) == [0, 1, 2, 10, 11]
    assert paper.store.definitions.progress().feeds == {}


def test_where_nobody_has_made_a_record_redis_is_all(store: Store) -> None:
    with closing(no_record()) as record:
        paper = Paper(store, record)
        paper.put_into_redis(article(1))
        fill(paper.worker(ALL, WORLD))
        assert store.changes.members("world") == ["a00001"]
        assert store.definitions.progress().feeds == {}


def test_narrowed_a_feed_loses_what_is_cold_too_and_keeps_what_it_knows_of_it(paper: Paper) -> None:
    wide = WORLD.model_copy(update={"select": ()})
    fill(paper.worker(wide))
    paper.put_into_record(*(article(n, "World" if n % 2 else "Sport") for n in range(20)))
    with paper.record.write() as connection:
        rows = [Membership("world", f"a{n:05}", "in", 1, 1, clock.ms(article(n).published), n) for n in range(20)]
        note_memberships(connection, rows, 2**52)
    paper.put_into_redis(article(18, "Sport"), feeds=["world"])
    paper.store.changes.record("a00018", 1, 1, {"world": ("in", 1)})
    with small_steps():
        fill(paper.worker(WORLD))
    members = paper.memberships("world")
    out = [row for row in members.values() if row.state == "out"]
    # One of them is in Redis; it has left there, and is noted as everything there is.
    assert "a00018" not in paper.store.changes.members("world")
    assert numbers(row.article_id for row in out) == list(range(0, 18, 2))
    assert {(0, int(row.article_id[1:])) for row in out} == {(row.sequence, row.last_sequence) for row in out}
    # Those that stay have not been told of anything, either.
    below = [row for row in members.values() if row.state == "in" and row.article_id != "a00018"]
    assert all(row.sequence == int(row.article_id[1:]) for row in below)
    # Widened again they come back, with no number.
    with small_steps():
        fill(paper.worker(wide))
    back = paper.memberships("world")["a00000"]
    assert ("in", 0, None) == (back.state, back.sequence, back.last_sequence)


def test_a_feed_of_another_edition_and_the_feeds_of_a_pattern(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_record(
        *(article(n, edition="ar" if n % 3 == 0 else "en", authors=["Mira Okonjo"]) for n in range(12))
    )
    arabic = FeedDefinition(name="arabic", title="Arabic", edition="ar", limit=2)
    author = FeedDefinition(name="author/*", title="By *", limit=3)
    fill(paper.worker(ALL, arabic))
    assert ["a00009", "a00006"] == paper.store.changes.members("arabic")
    assert numbers(paper.memberships("arabic")) == [0, 3]
    fill(paper.worker(ALL, author))
    # Two were in Redis already.
    assert [6, 8, 9, 10, 11] == numbers(paper.store.changes.members("author/mira-okonjo"))
    assert [0, 1, 2, 3, 4, 5, 7] == numbers(paper.memberships("author/mira-okonjo"))
    # Narrowed, the feeds of the pattern lose cold articles too.
    narrow = author.model_copy(update={"edition": "ar"})
    fill(paper.worker(ALL, narrow))
    # Its window has room now.
    assert [0, 3, 6, 9] == numbers(paper.store.changes.members("author/mira-okonjo"))
    rows = paper.memberships("author/mira-okonjo").values()
    assert [1, 2, 4, 5, 7] == numbers(row.article_id for row in rows if row.state == "out")


def test_ordered_anew_the_window_has_what_belongs_at_its_top(paper: Paper) -> None:
    fill(paper.worker(ALL))
    late = FIRST + timedelta(days=900)
    paper.put_into_record(*(article(n, updated=late) if n == 2 else article(n) for n in range(20)))
    fill(paper.worker(ALL, WORLD))
    assert "a00002" not in paper.store.changes.members("world")
    fill(paper.worker(ALL, WORLD.model_copy(update={"order": "updated"})))
    assert paper.store.changes.members("world")[0] == "a00002"
    assert paper.store.changes.since("world", 0, 100) == []


def test_picks_come_back_whatever_their_age(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_record(*(article(n) for n in range(20)))
    paper.store.lists.set("Picks", FIRST, ["a00003", "a00017"])
    fill(paper.worker(ALL, FeedDefinition(name="picks", title="Picks", list="Picks")))
    assert ["a00003", "a00017"] == paper.store.changes.members("picks")


def test_one_that_comes_back_while_it_is_written_into_the_record_is_placed_in_redis(paper: Paper) -> None:
    fill(paper.worker(ALL))
    paper.put_into_record(*(article(n) for n in range(20)))
    newsroom = paper.worker(ALL, WORLD)
    write = newsroom.indexer._recorded._write

    def meanwhile(rows: Sequence[Membership], now: datetime) -> None:
        if any(row.article_id == "a00003" for row in rows):
            paper.warm(["a00003"])
        write(rows, now)

    with small_steps(), mock.patch.object(newsroom.indexer._recorded, "_write", meanwhile):
        fill(newsroom)
    assert "a00003" in paper.store.changes.members("world")
