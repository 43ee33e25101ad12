"""Articles in the record, on both databases: what replaces what, what is forgotten, what is found again."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import insert, select

from worker.record import Record, articles, tables
from worker.record.articles import CuratedList, Membership, PatternValue, RecordedArticle, Revision
from worker.record.forgetting import forget_text, last_kills
from worker.record.positions import note_position, read_positions

NOW = 1_000_000


def recorded(version: int = 1, saves: int = 1, *, name: str = "a", pubstatus: str = "usable") -> RecordedArticle:
    return RecordedArticle(
        article_id=name,
        version=version,
        rev=f"{saves}-abc",
        sha256=f"{version:064}",
        pubstatus=pubstatus,
        edition="en",
        headline=f"Ferries of {version}" if pubstatus != "canceled" else "",
        url=f"https://herald.example/{name}",
        document=f"document {version}",
        fingerprints="",
        published=version,
        accepted=10 * version,
        due=None,
    )


def revision(version: int = 1, *, name: str = "a", pubstatus: str = "usable") -> Revision:
    return Revision(name, version, f"{version:064}", pubstatus, f"words of {version}", "", 10 * version, f"e{version}")


def member(version: int = 1, decided: int = 1, state: str = "in", sequence: int = 1, place: int = 1) -> Membership:
    return Membership("world", "a", state, version, decided, place, sequence)


def test_an_article_is_found_again_with_its_feeds(record: Record) -> None:
    left = Membership("desk", "a", "out", 1, 5, 0, 7, 3, unseen=True)
    with record.write() as connection:
        articles.note_articles(connection, [recorded(), recorded(name="b")])
        articles.note_memberships(connection, [member(), left], NOW)
    with record.read() as connection:
        assert articles.read_article(connection, "a") == (recorded(), (left, member()))
        assert articles.read_article(connection, "x") is None
        assert set(articles.read_articles(connection, ["a", "b", "x"])) == {"a", "b"}
        assert articles.existing(connection, ["b", "x", *map(str, range(1500))]) == {"b"}
        assert articles.at_address(connection, "https://herald.example/b") == ["b"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_an_article_is_noted_its_last_state_stays(record: Record, order: tuple[int, ...]) -> None:
    states = [recorded(2, 9), recorded(2, 10), recorded(3, 11, pubstatus="canceled")]
    places = [member(2, 5), member(2, 6, "out", 2), member(3, 6, "killed", 3)]
    for number in (*order, *order[:2]):
        with record.write() as connection:
            articles.note_articles(connection, [states[number]])
            articles.note_memberships(connection, [places[number]], NOW)
    with record.read() as connection:
        assert articles.read_article(connection, "a") == (states[2], (places[2],))


def test_a_decision_by_a_clock_that_has_been_set_back_does_not_count(record: Record) -> None:
    for row in (member(1, NOW + 3_600_000), member(1, NOW, "out", 2)):
        with record.write() as connection:
            articles.note_memberships(connection, [row], NOW)
    with record.read() as connection:
        assert articles.window(connection, "world", 5, state="out") == [member(1, NOW, "out", 2)]


def test_a_window_is_read_from_its_top(record: Record) -> None:
    rows = [Membership("world", f"a{place}", "in", 1, 1, place, place) for place in range(9)]
    with record.write() as connection:
        articles.note_memberships(connection, [*rows, Membership("world", "x", "killed", 1, 1, 0, 99)], NOW)
    with record.read() as connection:
        top = articles.window(connection, "world", 2)
        assert [row.place for row in top] == [8, 7]
        assert [row.place for row in articles.window(connection, "world", 3, below=7)] == [6, 5, 4]


def test_the_first_note_of_a_revision_stays(record: Record) -> None:
    for event_id in ("first", "again"):
        with record.write() as connection:
            articles.note_revisions(connection, [revision()._replace(event_id=event_id), revision(2)])
    with record.read() as connection:
        assert [(row.version, row.event_id) for row in articles.history(connection, "a")] == [(1, "first"), (2, "e2")]


def event(number: int, version: int | None, done: int | None = 1) -> dict[str, object]:
    return {
        "number": number,
        "event_id": f"e{number}",
        "digest": str(number),
        "kind": "",
        "article_id": "a",
        "body": "the words",
        "accepted": number,
        "way": "post",
        "done": done,
        "version": version,
    }


def test_what_is_forgotten_has_no_words_and_keeps_the_rest(record: Record) -> None:
    with record.write() as connection:
        articles.note_articles(connection, [recorded(4)])
        articles.note_revisions(connection, [revision(1), revision(3, pubstatus="canceled"), revision(4)])
        connection.execute(
            insert(tables.events), [event(1, 1), event(2, None), event(3, 3), event(4, 4), event(5, None, None)]
        )
        assert last_kills(connection, ["a", "b"]) == {"a": 3}
        forget_text(connection, "a", before=3, fingerprints=lambda text: f"of {text}")
    bodies = select(tables.events.c.event_id).where(tables.events.c.body.is_not(None)).order_by("event_id")
    with record.read() as connection:
        kept = articles.history(connection, "a")
        assert [row.document for row in kept] == [None, "words of 3", "words of 4"]
        assert (kept[0].fingerprints, kept[0].sha256) == ("of words of 1", revision(1).sha256)
        assert list(connection.scalars(bodies)) == ["e4", "e5"]
    with record.write() as connection:
        # Noted again, the words do not come back.
        articles.note_revisions(connection, [revision(1)])
        forget_text(connection, "a")
    with record.read() as connection:
        assert {row.document for row in articles.history(connection, "a")} == {None}
        article = articles.read_article(connection, "a")
        assert article is not None
        assert (article.article.document, article.article.headline) == (None, "")
        assert list(connection.scalars(bodies)) == ["e5"]


def test_lists_updates_and_feeds_of_patterns(record: Record) -> None:
    for picks in (CuratedList("picks", 5, ("a", "b")), CuratedList("picks", 4, ("x",))):
        with record.write() as connection:
            articles.note_lists(connection, [picks])
            articles.note_updates(connection, {"b": picks.articles[0], "c": "b"})
            articles.note_pattern_feeds(connection, [PatternValue("author/*", "mira", picks.articles[0])])
            note_position(connection, "noted", 2 * picks.microseconds, 1)
    with record.read() as connection:
        assert articles.read_lists(connection) == [CuratedList("picks", 5, ("a", "b"))]
        assert articles.read_updates(connection) == {"b": "a", "c": "b"}
        assert articles.read_updates(connection, "b", 5) == {"c": "b"}
        assert list(articles.read_pattern_feeds(connection)) == [PatternValue("author/*", "mira", "a")]
        assert read_positions(connection) == {"noted": 10}


def test_many_at_a_time(record: Record) -> None:
    patient = Record.connect(record.url.render_as_string(hide_password=False), wait_seconds=60)

    def note(start: int) -> None:
        names = [str(number % 50) for number in range(start, start + 50)]
        with patient.write() as connection:
            articles.note_articles(connection, [recorded(start, start, name=name) for name in names])
            articles.note_revisions(connection, [revision(start, name=name) for name in names])
            note_position(connection, "noted", start, start)

    with closing(patient), ThreadPoolExecutor(4) as threads:
        assert [None] * 8 == list(threads.map(note, range(1, 9)))
    with record.read() as connection:
        assert {row.article.version for row in articles.read_articles(connection, map(str, range(50))).values()} == {8}
        assert read_positions(connection) == {"noted": 8}
