"""`dateline articles` and `dateline history` on both databases, without Redis."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import dateline
from sqlalchemy import insert
from test_search import article
from typer.testing import CliRunner, Result

from feeds.article import Article
from feeds.moments import ms
from worker.cli.commands import app
from worker.cli.terminal import Failed
from worker.record import Record, articles, tables
from worker.record.articles import Membership, RecordedArticle, Revision
from worker.record.finding import ArticleQuery, find
from worker.record.forgetting import forget_text
from worker.record.search import index_text, index_waiting

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)


def note(record: Record, document: Article, feeds: tuple[str, ...] = ("en",), state: str = "in") -> None:
    """What is noted of one accepted change."""
    text = document.model_dump_json()
    accepted = ms(document.updated)
    with record.write() as connection:
        articles.note_articles(
            connection,
            [
                RecordedArticle(
                    document.id,
                    document.version,
                    f"{document.version}-a",
                    "0" * 64,
                    document.pubstatus,
                    document.edition,
                    document.headline,
                    document.url,
                    text,
                    "",
                    ms(document.published),
                    accepted,
                    None,
                )
            ],
        )
        event = f"event-{document.version}"
        articles.note_revisions(
            connection,
            [Revision(document.id, document.version, "0" * 64, document.pubstatus, text, "", accepted, event, "cms")],
        )
        memberships = [
            Membership(feed, document.id, state, document.version, accepted, ms(document.published), 1)
            for feed in feeds
        ]
        articles.note_memberships(connection, memberships, accepted)
        index_text(connection, [document.id])


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """A record of twelve articles, which is only read."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('shelf') / 'record.db'}"
    else:
        cluster = request.getfixturevalue("cluster")
        url = cluster.url(cluster.database())
    with closing(Record.connect(url, synchronous="normal")) as record:
        record.upgrade()
        fill(record)
        yield record


@pytest.fixture
def filled(shelf: Record, monkeypatch: pytest.MonkeyPatch) -> Record:
    """The same, and the commands find it."""
    _name(shelf, monkeypatch)
    return shelf


@pytest.fixture
def desk(record: Record, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A record that the commands find."""
    _name(record, monkeypatch)
    return record


def _name(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_RECORD_URL", record.url.render_as_string(hide_password=False))
    monkeypatch.setenv("DATELINE_REDIS_URL", "redis://127.0.0.1:1")


def fill(record: Record) -> None:
    """Twelve articles, an hour apart, the last one killed."""
    for number in range(12):
        published = FIRST + timedelta(hours=number)
        edition = "ar" if number % 2 else "en"
        note(
            record,
            article(
                f"hh-{number:02}",
                headline=f"Harbour wall {number}",
                edition=edition,
                section="Local news" if number % 3 else "",
                authors=("Mira Haddad", "Ömer Ak") if number in {4, 5, 11} else ("mira haddad",),
                published=published,
                updated=published,
            ),
            feeds=(edition,) if number else (),
        )
    killed = article(
        "hh-11",
        version=2,
        headline="",
        edition="ar",
        pubstatus="canceled",
        published=FIRST + timedelta(hours=11),
        updated=FIRST + timedelta(days=1),
    )
    note(record, killed, feeds=("ar",), state="killed")
    with record.write() as connection:
        forget_text(connection, "hh-11", before=2)
    while index_waiting(record):
        pass


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def output(*arguments: str) -> str:
    done = run(*arguments)
    assert done.exception is None, done.exception
    return done.output


def refusal(*arguments: str) -> tuple[str, int]:
    done = run(*arguments)
    assert isinstance(done.exception, Failed), done.output
    assert "\n" not in str(done.exception)
    return str(done.exception), done.exception.status


def ids(*arguments: str) -> list[int]:
    found = json.loads(output("articles", "--json", *arguments))
    return [int(one["id"].removeprefix("hh-")) for one in found["articles"]]


def test_which_articles(filled: Record) -> None:
    assert ids() == [*range(11, -1, -1)]
    assert ids("--limit", "2") == [11, 10]
    assert ids("--search", "harbour wall") == [*range(10, -1, -1)]
    assert ids("--search", "wall 7") == [7]
    assert ids("--search", "nothing") == []
    assert ids("--feed", "en") == [10, 8, 6, 4, 2]
    assert ids("--feed", "ar") == [9, 7, 5, 3, 1]
    assert ids("--feed", "ar", "--killed") == [11]
    assert ids("--killed") == [11]
    assert ids("--edition", "AR") == [11, 9, 7, 5, 3, 1]
    assert ids("--section", "LOCAL  News") == [10, 8, 7, 5, 4, 2, 1]
    assert ids("--section", "local") == []
    assert ids("--author", "MIRA HADDAD") == [*range(10, -1, -1)]
    assert ids("--author", "ömer ak") == [5, 4]
    assert ids("--author", "Ömer Ak", "--section", "Local news", "--edition", "en") == [4]
    assert ids("--section", "local news", "--search", "wall", "--feed", "en") == [10, 8, 4, 2]
    assert ids("--section", "local news", "--since", "2026-03-01T14:00:00Z", "--until", "2026-03-01T17:00Z") == [7, 5]
    assert ids("--section", "x" * 500) == []
    assert ids("--since", "2026-03-01T18:00:00Z") == [11, 10, 9]
    assert ids("--since", "2026-03-01", "--until", "2026-03-01 11:00Z") == [1, 0]
    assert ids("--until", "2026-03-01") == [*range(11, -1, -1)]
    assert ids("--until", "2026-02-28") == []
    assert ids("--since", "2026-03-01 21:00+03:00", "--search", "wall", "--edition", "en", "--feed", "en") == [10]


@pytest.mark.parametrize(
    "options",
    [
        *([], ["--search", "harbour"], ["--feed", "en"], ["--edition", "ar"]),
        *(["--section", "local news"], ["--author", "mira haddad", "--section", "local news"]),
        ["--search", "wall", "--section", "local news"],
    ],
)
def test_page_after_page(filled: Record, options: list[str]) -> None:
    everything = ids(*options)
    pages, cursor = [], ""
    while cursor is not None:
        page = json.loads(output("articles", "--json", "--limit", "4", "--after", cursor, *options))
        pages += [int(one["id"].removeprefix("hh-")) for one in page["articles"]]
        assert page["after"] is None or len(page["articles"]) == 4
        cursor = page["after"]
    assert pages == everything


def test_a_page_goes_on_where_the_last_one_ended(desk: Record) -> None:
    """Also of one moment, and when the article that stood last is gone from the index."""
    for name in "abcdef":
        note(desk, article(name, published=FIRST, updated=FIRST))
    while index_waiting(desk):
        pass
    with desk.read() as connection:
        page = find(connection, ArticleQuery(limit=4))
        rest = find(connection, ArticleQuery(limit=4, after=page.after or ""))
        assert [one.article_id for one in (*page.articles, *rest.articles)] == [*"fedcba"]
        assert rest.after is None


def test_in_a_large_feed(filled: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.record.finding._SMALL", 2)
    assert ids("--feed", "en") == [10, 8, 6, 4, 2]
    assert ids("--feed", "en", "--search", "harbour") == [10, 8, 6, 4, 2]


def test_nothing_at_all(desk: Record) -> None:
    assert output("articles") == "There are no articles in the record yet.\n"


def test_what_people_read(filled: Record) -> None:
    lines = output("articles", "--limit", "2").splitlines()
    assert lines[0].split() == ["Article", "Published", "(UTC)", "State", "Headline", "Version", "Edition"]
    assert " ".join(lines[2].split()) == "hh-11 2026-03-01 20:00:00 killed (text forgotten) 2 ar"
    assert lines[3].startswith("hh-10")
    assert lines[4].startswith("dateline: there are more: --after ")
    assert output("articles", "--search", "kelp") == "No article is like that.\n"
    assert "no words are kept" in output("articles", "--search", "wall", "--killed")
    assert "neither section nor authors are kept" in output("articles", "--section", "world", "--killed")
    assert all(len(line) <= 80 for line in output("articles").splitlines())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--since", "03/04/2026"], "--since: '03/04/2026' is no time that is clear; give \"2026-03-01\""),
        (["--since", "2026-03-01 11:00"], "--since: '2026-03-01 11:00' is no time that is clear"),
        (["--since", "2026-02-30"], "--since: '2026-02-30' is no"),
        (["--until", "yesterday"], "--until: 'yesterday' is no time"),
        (["--until", "999999w"], "--until: '999999w' is no time"),
        (["--search", "!?"], "--search: has no word to look for"),
        (["--search", "a " * 5000], "--search: has more than 64 words"),
        (["--after", "x"], "--after: is no cursor"),
        (["--after", "9" * 40 + ".a"], "--after: is no cursor"),
        (["--feed", "nowhere"], "--feed: there is no feed nowhere; known: "),
    ],
)
def test_wrong_use(filled: Record, options: list[str], words: str) -> None:
    message, status = refusal("articles", *options)
    assert message.startswith(words)
    assert status == 2


def test_the_history(desk: Record) -> None:
    first = {"published": FIRST, "body_html": "<p>It is shut. Trams run.</p>"}
    note(desk, article("a", updated=FIRST, **first))
    second = first | {"headline": "Harbour wall open", "body_html": "<p>It is open. Trams run.</p>"}
    note(desk, article("a", version=2, updated=FIRST + timedelta(hours=1), **second))
    assert output("history", "a") == (
        "Version 1   2026-03-01 09:00:00 UTC, usable, by the event event-1, from cms\n"
        "    headline\n"
        "      + Harbour wall\n"
        "Version 2   2026-03-01 10:00:00 UTC, usable, by the event event-2, from cms\n"
        "    headline\n"
        "      - Harbour wall\n"
        "      + Harbour wall open\n"
        "    body_html\n"
        "      - It is shut.\n"
        "      + It is open.\n"
        "    updated\n"
        "      - 2026-03-01T09:00:00+00:00\n"
        "      + 2026-03-01T10:00:00+00:00\n"
        "All of a version: dateline history a --version 1\n"
    )
    assert output("history", "https://herald.example/a") == output("history", "a")
    found: dict[str, Any] = json.loads(output("history", "a", "--json"))
    assert [one["version"] for one in found["revisions"]] == [1, 2]
    assert found["revisions"][1]["changes"][1] == {
        "field": "body_html",
        "removed": ["It is shut."],
        "added": ["It is open."],
        "order": "-+",
    }
    assert json.loads(output("history", "a", "--version", "1", "--json"))["headline"] == "Harbour wall"
    text = output("history", "a", "--version", "2")
    assert "headline: Harbour wall open\n" in text
    assert text.endswith("\nIt is open. Trams run.\n")
    assert refusal("history", "a", "--version", "7") == ("--version: a has no version 7; there is 1, 2", 1)


def test_the_history_of_what_is_forgotten(filled: Record) -> None:
    lines = output("history", "hh-11").splitlines()
    assert lines[1] == f"    its words are forgotten; their sha256 is {'0' * 64}"
    assert lines[3] == "    the words of the version before are forgotten"
    message, status = refusal("history", "hh-11", "--version", "1")
    assert (message, status) == (f"the words of version 1 of hh-11 are forgotten; their sha256 is {'0' * 64}", 1)
    revisions = json.loads(output("history", "hh-11", "--json"))["revisions"]
    assert [(one["forgotten"], one["changes"]) for one in revisions] == [(True, None), (False, None)]


def test_an_unknown_article(filled: Record) -> None:
    message, status = refusal("history", "hh-1")
    assert message.startswith("no article hh-1 was ever published here; there is hh-1")
    assert status == 1
    assert refusal("history", "z" * 500)[0].endswith("was ever published here")
    assert refusal("history", "https://herald.example/nowhere")[0].startswith("no article has the address")


def test_an_update_names_its_article(desk: Record) -> None:
    note(desk, article("hh-03", published=FIRST, updated=FIRST))
    with desk.write() as connection:
        connection.execute(
            insert(tables.updates),
            [{"document_id": "b", "evolved_from": "hh-03"}, {"document_id": "c", "evolved_from": "b"}],
        )
    assert output("history", "c") == output("history", "hh-03")


def test_a_text_from_right_to_left(desk: Record) -> None:
    note(desk, article("a", published=FIRST, updated=FIRST, headline="أُغلق جدار الميناء"))
    note(desk, article("a", version=2, published=FIRST, updated=FIRST, headline="فُتح جدار الميناء"))
    lines = output("history", "a").splitlines()
    assert lines[5:7] == ["      - أُغلق جدار الميناء", "      + فُتح جدار الميناء"]


def test_signs_that_a_terminal_library_has_a_use_for_are_printed_as_they_are(desk: Record) -> None:
    headline = "A :cat: on the [red]quay[/b] wall"
    note(
        desk,
        article("hh-[/b]:cat:", headline=headline, summary="Sunny :sunny: [/]", url="https://herald.example/:cat:"),
    )
    (listed,) = json.loads(output("articles", "--json"))["articles"]
    assert (listed["id"], listed["headline"], listed["url"]) == (
        "hh-[/b]:cat:",
        headline,
        "https://herald.example/:cat:",
    )
    assert headline in output("articles")
    assert headline in output("history", "hh-[/b]:cat:")
    assert "Sunny :sunny: [/]" in output("history", "hh-[/b]:cat:", "--version", "1")
    assert "no article [/b]:cat: was ever" in refusal("history", "[/b]:cat:")[0]


def test_a_time_that_ends_before_it_begins_is_refused(desk: Record) -> None:
    message = "--since: 2026-03-02 is after --until, which is 2026-03-01"
    assert refusal("articles", "--since", "2026-03-02", "--until", "2026-03-01") == (message, 2)
    assert "No article" in output("articles", "--since", "2026-03-01", "--until", "2026-03-01")


def test_a_disk_that_has_no_room_for_the_answer_is_named(desk: Record) -> None:
    note(desk, article("hh-1"))
    variables = dict(os.environ)
    for command in (["articles"], ["articles", "--json"], ["report", "--csv"]):
        done = dateline(*command, stdout=Path("/dev/full"), variables=variables)
        assert (1, "dateline: can't write: No space left on device\n") == (done.returncode, done.stderr)


def test_a_list_says_what_articles_are_to_readers_now(desk: Record) -> None:
    now = datetime.now(UTC)
    times: dict[str, dict[str, object]] = {
        "hh-early": {"embargoed": now + timedelta(days=1)},
        "hh-ended": {"expires": now - timedelta(days=1)},
        "hh-held": {"pubstatus": "withheld", "embargoed": now + timedelta(days=1)},
        "hh-plain": {"embargoed": now - timedelta(days=1), "expires": now + timedelta(days=1)},
    }
    for name, fields in times.items():
        note(desk, article(name, **fields))
    rows = json.loads(run("articles", "--json").output)["articles"]
    standings = {row["id"]: row["standing"] for row in rows}
    assert {"hh-early": "embargoed", "hh-ended": "expired", "hh-held": "withheld", "hh-plain": "usable"} == standings
    table = run("articles").output
    assert f"embargoed until {now + timedelta(days=1):%Y-%m-%d}" in " ".join(table.split())
