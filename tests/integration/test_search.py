"""The index of words on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from feeds.article import Article
from feeds.words import phrases_of
from worker.record import Record, search, tables
from worker.record.search import index_text, index_waiting
from worker.record.word_matches import matching

MARCH = 1_772_323_200_000


def article(article_id: str, **fields: Any) -> Article:
    return Article.model_validate(
        {
            "id": article_id,
            "version": 1,
            "headline": "Harbour wall",
            "url": f"https://herald.example/{article_id}",
            "published": "2026-03-01T00:00:00Z",
            "updated": "2026-03-01T00:00:00Z",
            **fields,
        }
    )


def row(article: Article, rev: str = "1-a") -> dict[str, Any]:
    return {
        "article_id": article.id,
        "version": article.version,
        "rev": rev,
        "saves": int(rev.partition("-")[0]),
        "sha256": "0" * 64,
        "pubstatus": article.pubstatus,
        "document": article.model_dump_json(),
        "published": MARCH,
        "accepted": MARCH,
    }


def publish(record: Record, *articles: Article) -> None:
    """Note articles, and index them."""
    with record.write() as connection:
        connection.execute(insert(tables.articles), [row(article) for article in articles])
        index_text(connection, [article.id for article in articles])
    while index_waiting(record):
        pass


def found(record: Record, search: str) -> list[str]:
    with record.read() as connection:
        source, condition = matching(connection, phrases_of(search))
        statement = select(tables.article_words.c.article_id).select_from(source).where(condition)
        return sorted(connection.scalars(statement.order_by(tables.article_words.c.number.desc())))


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """A record of articles in many languages."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('library') / 'record.db'}"
    else:
        cluster = request.getfixturevalue("cluster")
        url = cluster.url(cluster.database())
    with closing(Record.connect(url)) as record:
        record.upgrade()
        publish(
            record,
            article("en", headline="The harbour wall is closed", body_html="<p>Trams don't run at night.</p>"),
            article("de", headline="Größere Straßen für Köln"),
            article("tr", headline="İstanbul'da ışıklar söndü", body_html="<p>SEÇİM günü</p>"),
            article("ar", headline="إغلاق جدار المينــاء", body_html="<p>قالت المُديرة في مدرسةٍ قريبة ١٢</p>"),
            article("fa", headline="کتاب‌های تازه", body_html="<p>خانهٔ کوچک ۱۲</p>"),
            article("ur", headline="کراچی کی بندرگاہ", body_html="<p>یہ خبر ہے</p>"),
            article("el", headline="Η Αθήνα και ο λιμένας"),
            article("zh", headline="北京大学图书馆开放", body_html="<p>2026年3月</p>"),
            article("ja", headline="港の壁が閉鎖された"),
            article("th", headline="กำแพงท่าเรือปิด"),
            article("odd", headline="A 'quoted' \"wall\" \\ & | ! <-> :* OR", body_html=f"<p>{'kelp ' * 400}</p>"),
        )
        yield record


@pytest.mark.parametrize(
    ("search", "articles"),
    [
        ("harbour wall", ["en"]),
        ("wall", ["en", "odd"]),
        ("WALL -harbour", ["en"]),
        ('"harbour wall is"', ["en"]),
        ('"wall harbour"', []),
        ('"closed trams"', []),
        ("harb* clo*", ["en"]),
        ('"harbour wa*"', ["en"]),
        ("don't", ["en"]),
        ("harb", []),
        ("koln", ["de"]),
        ("KÖLN strassen", ["de"]),
        ("grössere", ["de"]),
        ("istanbul", ["tr"]),
        ("ISTANBUL IŞIKLAR", ["tr"]),
        ("İSTANBUL secim", ["tr"]),
        ("اغلاق الميناء", ["ar"]),
        ("إِغْلاق المدیره", ["ar"]),
        ("المديره مدرسه 12", ["ar"]),
        ("كتابهاى", ["fa"]),
        ("خانه ۱۲", ["fa"]),
        ("کراچی بندرگاه", ["ur"]),
        ("كراچي", ["ur"]),
        ("ΑΘΗΝΑ ΛΙΜΕΝΑΣ", ["el"]),
        ("北京", ["zh"]),
        ("书", ["zh"]),
        ("京大学图", ["zh"]),
        ("放", ["zh"]),
        ("北大", []),
        ('"年3"', ["zh"]),
        ("閉鎖", ["ja"]),
        ("ท่าเรือ", ["th"]),
        ("quoted OR", ["odd"]),
        ('"quoted wall"', ["odd"]),
        ("x" * 10_000, []),
        ("kelp\0\ud800wall", []),
        ("words:wall ^wall NEAR(wall)", []),
        ("'); DROP TABLE articles; --", []),
    ],
)
def test_searches(library: Record, search: str, articles: list[str]) -> None:
    assert found(library, search) == articles


@pytest.mark.parametrize(
    "sign", ['"', "'", "*", "^", ":", "-", "+", "(", ")", "{", "}", "\\", "&", "|", "!", "<->", ",", "%"]
)
def test_no_sign_is_syntax(library: Record, sign: str) -> None:
    for written in (f"wall{sign}", f"{sign}wall", f"wall {sign} wall", f"{sign}{sign}wall{sign}"):
        assert set(found(library, written)) <= {"en", "odd"}


def test_a_correction_is_found_by_its_new_words_only(record: Record) -> None:
    publish(record, article("a", headline="The old pier"), article("b", headline="The old mill"))
    with record.write() as connection:
        new = row(article("a", headline="The new pier"), "2-b")
        connection.execute(update(tables.articles).where(tables.articles.c.article_id == "a").values(new))
        index_text(connection, ["a"])
        index_text(connection, ["a"])
    assert found(record, "old") == ["a", "b"]
    assert index_waiting(record) == 1
    assert index_waiting(record) == 0
    assert (found(record, "old"), found(record, "new"), found(record, "pier")) == (["b"], ["a"], ["a"])


def test_what_changes_meanwhile_goes_on_waiting(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_slowly(article: Article) -> list[str]:
        with record.write() as connection:
            connection.execute(update(tables.articles).values(rev="2-b"))
        return ["old"]

    with monkeypatch.context() as patched:
        patched.setattr(search, "words_of_article", cut_slowly)
        with record.write() as connection:
            connection.execute(insert(tables.articles), [row(article("a"))])
            index_text(connection, ["a", "unknown"])
        assert index_waiting(record) == 2
    assert found(record, "old") == []
    assert index_waiting(record) == 1
    assert found(record, "harbour") == ["a"]


def test_thousands_of_one_moment(record: Record) -> None:
    publish(record, *(article(f"a{number}", headline=f"n{number} kelp") for number in range(300)))
    assert len(found(record, "kelp")) == 300
    assert found(record, "n299") == ["a299"]


def test_several_index_and_write_at_a_time(record: Record) -> None:
    def note(number: int) -> None:
        with closing(Record.connect(record.url.render_as_string(), wait_seconds=30)) as other:
            for part in range(5):
                with other.write() as connection:
                    article_id = f"a{number}-{part}"
                    connection.execute(insert(tables.articles), [row(article(article_id))])
                    index_text(connection, [article_id])
                try:
                    index_waiting(other, 3)
                except Exception:  # noqa: BLE001 (another one has indexed the same: it is tried again)
                    continue

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(note, range(4)))
    while index_waiting(record):
        pass
    assert len(found(record, "harbour")) == 20
