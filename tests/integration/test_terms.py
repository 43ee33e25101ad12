"""Sections and authors in the record, on both databases: what waits, what was there before, what is killed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from test_forgetting import kill, publish
from test_search import article, row

from feeds.article import Article
from worker.record import Record, tables
from worker.record.finding import ArticleQuery, find
from worker.record.search import index_text, index_waiting
from worker.record.terms import fill, sections, sections_of
from worker.retention.word_indexing import WordIndexing
from worker.store import Store


def note(record: Record, *articles: Article, rev: str = "1-a") -> None:
    with record.write() as connection:
        connection.execute(
            delete(tables.articles).where(tables.articles.c.article_id.in_([one.id for one in articles]))
        )
        connection.execute(insert(tables.articles), [row(one, rev) for one in articles])


def index(record: Record, *articles: Article, rev: str = "1-a") -> None:
    note(record, *articles, rev=rev)
    with record.write() as connection:
        index_text(connection, [one.id for one in articles])
    while index_waiting(record):
        pass


def had_no_terms(record: Record) -> None:
    """As it was before there were terms, and as the migration leaves it."""
    with record.write() as connection:
        connection.execute(delete(tables.article_terms))
        connection.execute(delete(tables.unindexed))
        connection.execute(insert(tables.meta).values(name="terms_up_to", value=""))


def in_section(record: Record, section: str) -> list[str]:
    with record.read() as connection:
        return [one.article_id for one in find(connection, ArticleQuery(section=section)).articles]


def rows(record: Record) -> Sequence[tuple[str, str, str]]:
    terms = tables.article_terms.c
    with record.read() as connection:
        statement = select(terms.field, terms.term, terms.article_id).order_by(
            terms.field, terms.term, terms.article_id
        )
        return [tuple(each) for each in connection.execute(statement)]


def test_an_article_is_found_by_what_it_says_now(record: Record) -> None:
    index(record, article("a", section="World", authors=["Mira", "MIRA", "Omar"]))
    assert rows(record) == [("author", "mira", "a"), ("author", "omar", "a"), ("section", "world", "a")]
    index(record, article("a", version=2, section="Città", authors=[]), rev="2-a")
    assert [field for field, _, _ in rows(record)] == ["section"]
    assert (in_section(record, "world"), in_section(record, "CITTÀ")) == ([], ["a"])


def test_the_longest_sections_and_names(record: Record) -> None:
    longest = "\ufdfa" * 500  # one character that is folded to eighteen
    index(record, article("a", section=longest, authors=["\U0001f600" * 200]))
    assert in_section(record, longest) == ["a"]


def test_the_sections_that_there_are(record: Record) -> None:
    names = ["World", "WORLD", "sport", "", "ثقافة"]
    index(record, *(article(f"a{number}", section=name) for number, name in enumerate(names)))
    with record.read() as connection:
        # Written as by the newest; of one moment by the last id.
        assert [written for _, written in sections(connection, "", 10)] == ["sport", "WORLD", "ثقافة"]
        assert [written for _, written in sections(connection, "sport", 1)] == ["WORLD"]
        known = sections_of(connection, ["a0", "a2", "a3", "nobody"])
        assert known == {"a0": "world", "a2": "sport", "a3": ""}


def test_what_was_there_before_is_gone_through_a_few_at_a_time(record: Record) -> None:
    note(record, *(article(f"a{number:03}", section="World") for number in range(250)))
    had_no_terms(record)
    steps = [fill(record) for _ in range(5)]
    assert steps == [True, True, True, False, False]
    assert len(rows(record)) == 250


def test_what_changes_meanwhile_is_as_it_is_then(record: Record) -> None:
    note(record, article("a", section="World"), article("b", section="World"))
    had_no_terms(record)
    index(record, article("a", version=2, section="Sport"), rev="2-a")
    while fill(record):
        pass
    assert (in_section(record, "world"), in_section(record, "sport")) == (["b"], ["a"])


def test_the_worker_that_indexes_words_goes_through_them(store: Store, record: Record) -> None:
    note(record, *(article(f"a{number:03}", section="World") for number in range(120)))
    had_no_terms(record)
    indexing = WordIndexing(store, record)
    while indexing.work() is not None:
        pass
    assert len(rows(record)) == 120


def test_of_a_killed_article_nothing_stays(record: Record) -> None:
    publish(record, "a", "secret")
    while index_waiting(record):
        pass
    assert [each for _, _, each in rows(record)] != []
    kill(record, "a")
    while index_waiting(record):
        pass
    assert rows(record) == []
    with record.write() as connection:
        connection.execute(insert(tables.meta).values(name="terms_up_to", value=""))
    while fill(record):
        pass
    assert rows(record) == []
