"""Forgetting on both databases: of the words nothing is left, of who had what everything is."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import empty_record
import pytest
from postgresql import Cluster
from sqlalchemy import insert, select, text

from feeds.article import Article
from worker.record import Record, tables
from worker.record.forgetting import forget_text, forget_what_came_late, rewrite_files, vacuum
from worker.record.search import clean, index_text, index_waiting, is_clean

MARCH = 1_772_323_200_000
SECRET = "zanzariel"
"""A word that is in every text of the article, and nowhere else."""


def document(article_id: str, version: int, words: str) -> str:
    return Article.model_validate(
        {
            "id": article_id,
            "version": version,
            "headline": f"{words} in the harbour",
            "url": f"https://herald.example/{words}",
            "body_html": f"<p>{words} was seen {version} times.</p>" * 30,
            "published": "2026-03-01T00:00:00Z",
            "updated": "2026-03-01T00:00:00Z",
        }
    ).model_dump_json()


def event(event_id: str, article_id: str | None, body: str, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "digest": "d",
        "kind": "",
        "article_id": article_id,
        "body": body,
        "accepted": MARCH,
        "way": "post",
        "done": MARCH,
        "result": "published",
        **fields,
    }


def attempt(article_id: str, answer: str) -> dict[str, Any]:
    return {
        "receiver": "endpoint:one",
        "time": MARCH,
        "article_id": article_id,
        "message_id": "m",
        "feed": "en",
        "version": 1,
        "action": "published",
        "outcome": "refused",
        "status": 422,
        "milliseconds": 1,
        "bytes": 1,
        "sha256": "0" * 64,
        "error": answer,
        "answer": answer,
    }


def publish(record: Record, article_id: str, words: str, versions: int = 2) -> None:
    """Everything of an article that there can be in the record."""
    body = json.dumps({"type": "article.published", "article": {"id": article_id, "headline": words}})
    with record.write() as connection:
        for version in range(1, versions + 1):
            revision = {
                "article_id": article_id,
                "version": version,
                "sha256": "0" * 64,
                "pubstatus": "usable",
                "document": document(article_id, version, words),
                "fingerprints": "f1 f2",
                "accepted": MARCH,
            }
            connection.execute(insert(tables.revisions).values(revision))
        connection.execute(
            insert(tables.articles).values(
                article_id=article_id,
                version=versions,
                rev=f"{versions}-a",
                saves=versions,
                sha256="0" * 64,
                pubstatus="usable",
                headline=words,
                url=f"https://herald.example/{words}",
                document=document(article_id, versions, words),
                published=MARCH,
                accepted=MARCH,
            )
        )
        connection.execute(
            insert(tables.events),
            [
                event(f"{article_id}-1", article_id, body),
                event(f"{article_id}-2", None, body, result="rejected", reason="bad"),
                event(f"{article_id}-3", None, f'{{"article": {{"id": "{article_id}" {words}', result="rejected"),
            ],
        )
        connection.execute(insert(tables.attempts).values(attempt(article_id, f"422 {words}")))
        connection.execute(
            insert(tables.parked).values(
                feed="en",
                endpoint="one",
                article_id=article_id,
                since=MARCH,
                attempt=json.dumps(attempt(article_id, words)),
            )
        )
        connection.execute(
            insert(tables.deliveries).values(
                endpoint="one",
                feed="en",
                article_id=article_id,
                version=1,
                action="published",
                state="taken",
                sha256="1" * 64,
                taken=MARCH,
                sent=MARCH,
            )
        )
        index_text(connection, [article_id])
    while index_waiting(record):
        pass


def kill(record: Record, article_id: str) -> None:
    """What is noted of a kill, and then the forgetting."""
    notice = Article.stored(document(article_id, 3, "x")).model_copy(
        update={"headline": "", "body_html": "", "pubstatus": "canceled"}
    )
    with record.write() as connection:
        row = {
            "version": 3,
            "rev": "3-a",
            "saves": 3,
            "pubstatus": "canceled",
            "headline": "",
            "url": "https://herald.example/x",
        }
        connection.execute(
            tables.articles.update()
            .where(tables.articles.c.article_id == article_id)
            .values(**row, document=notice.model_dump_json())
        )
        forget_text(connection, article_id, before=3)


def clean_wholly(record: Record) -> None:
    for _ in range(1000):
        if clean(record) == "clean":
            return
    raise AssertionError


def raw(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def where(folder: Path, word: str) -> list[str]:
    """The files that have a word."""
    return [name for name, content in raw(folder).items() if word.encode() in content]


def test_a_kill_leaves_no_words_in_the_files(tmp_path: Path) -> None:
    empty_record.put(tmp_path / "record.db")
    with closing(Record.embedded(tmp_path)) as record, closing(Record.embedded(tmp_path)) as other:
        for number in range(20):
            publish(record, f"b{number}", f"kelp{number}")
        publish(record, "a", SECRET)
        # A process that goes on keeps the write-ahead log from being removed.
        with other.read() as connection:
            connection.execute(select(tables.meta)).all()
        assert where(tmp_path, SECRET)
        kill(record, "a")
        with record.read() as connection:
            assert not is_clean(connection)
        clean_wholly(record)
        assert where(tmp_path, SECRET) == []
        assert where(tmp_path, "kelp7")
        with record.read() as connection:
            assert is_clean(connection)


def test_whoever_reads_is_waited_for(tmp_path: Path) -> None:
    empty_record.put(tmp_path / "record.db")
    with closing(Record.embedded(tmp_path, wait_seconds=0.05)) as record, closing(Record.embedded(tmp_path)) as other:
        publish(record, "a", SECRET)
        with other.read() as connection:
            connection.execute(select(tables.meta)).all()
            kill(record, "a")
            for _ in range(5):
                assert clean(record) in {"going on", "in use"}
        clean_wholly(record)
        assert where(tmp_path, SECRET) == []


def test_kills_while_it_is_cleaned(tmp_path: Path) -> None:
    empty_record.put(tmp_path / "record.db")
    with closing(Record.embedded(tmp_path)) as record:
        words = [f"{SECRET}{number}x" for number in range(6)]
        for number, word in enumerate(words):
            publish(record, f"a{number}", word)
        for number in range(6):
            kill(record, f"a{number}")
            clean(record)
        clean_wholly(record)
        assert [word for word in words if where(tmp_path, word)] == []


@pytest.mark.parametrize("wholly", [False, True])
def test_what_stays(record: Record, *, wholly: bool) -> None:
    publish(record, "a", SECRET)
    publish(record, "b", "kelp")
    kill(record, "a")
    if wholly:
        with record.write() as connection:
            forget_text(connection, "a")
    clean_wholly(record)
    with record.read() as connection:
        rows = {
            table.name: connection.execute(select(table)).mappings().all() for table in tables.metadata.sorted_tables
        }
    assert SECRET not in str(rows)
    of_a = {name: [row for row in table if row.get("article_id") == "a"] for name, table in rows.items()}
    assert [(row["version"], row["document"], row["sha256"], row["fingerprints"]) for row in of_a["revisions"]] == [
        (1, None, "0" * 64, "f1 f2"),
        (2, None, "0" * 64, "f1 f2"),
    ]
    assert [(row["version"], row["taken"]) for row in of_a["deliveries"]] == [(1, MARCH)]
    assert [(row["status"], row["answer"], row["error"]) for row in of_a["attempts"]] == [(422, "", "")]
    assert json.loads(of_a["parked"][0]["attempt"])["status"] == 422
    assert of_a["article_words"] == []
    assert (of_a["articles"][0]["document"] is None) == wholly
    bodies = {row["event_id"]: row["body"] for row in rows["events"]}
    assert {name for name, body in bodies.items() if body is None} == {"a-1", "a-2", "a-3"}
    assert "kelp" in str(rows)


def test_an_article_that_is_back_is_found_by_its_new_words(record: Record) -> None:
    publish(record, "a", SECRET)
    with record.write() as connection:
        now = {"version": 5, "rev": "5-a", "saves": 5, "document": document("a", 5, "kelp")}
        connection.execute(tables.articles.update().values(now))
        forget_text(connection, "a", before=4)
    assert index_waiting(record) == 1
    with record.read() as connection:
        words = connection.execute(select(tables.article_words)).one()
        assert words.article_id == "a"
        assert words.words is None or ("kelp" in words.words and SECRET not in words.words)


def test_an_event_that_waits_keeps_its_body(record: Record) -> None:
    publish(record, "a", SECRET)
    with record.write() as connection:
        connection.execute(insert(tables.events).values(event("later", "a", "{}", done=None, result=None)))
    kill(record, "a")
    with record.read() as connection:
        body = select(tables.events.c.body).where(tables.events.c.event_id == "later")
        assert connection.scalar(body) == "{}"


def test_what_comes_after_the_kill(record: Record) -> None:
    publish(record, "a", SECRET)
    publish(record, "b", "kelp")
    kill(record, "a")
    with record.write() as connection:
        assert not forget_what_came_late(connection, MARCH)
        body = json.dumps({"article": {"id": "a", "headline": SECRET}})
        late = event("late", "a", body, result="ignored")
        waits = event("waits", "a", "{}", done=None, result=None)
        connection.execute(insert(tables.events), [late, waits, event("after", "a", body, result="ignored")])
        connection.execute(insert(tables.attempts).values(attempt("a", SECRET) | {"message_id": "late"}))
    clean_wholly(record)
    with record.write() as connection:
        assert not forget_what_came_late(connection, MARCH)
        assert not is_clean(connection) or record.file is None
        rows = connection.execute(select(tables.events.c.event_id, tables.events.c.body)).all()
        bodies = {row.event_id: row.body for row in rows}
        # What waits comes first: until then nothing beyond it is done with.
        assert (bodies["late"], bodies["waits"], bodies["after"]) == (None, "{}", body)
        assert bodies["b-1"] is not None
        answers = select(tables.attempts.c.answer).where(tables.attempts.c.article_id == "a")
        assert set(connection.scalars(answers)) == {""}
        connection.execute(tables.events.update().values(done=MARCH, result="ignored"))
        assert not forget_what_came_late(connection, MARCH)
        assert connection.scalar(select(tables.events.c.body).where(tables.events.c.event_id == "after")) is None


def test_postgresql_writes_its_files_anew(cluster: Cluster) -> None:
    name = cluster.database()
    with closing(Record.connect(cluster.url(name))) as record:
        record.upgrade()
        for number in range(20):
            publish(record, f"b{number}", f"kelp{number}")
        publish(record, "a", SECRET)
        cluster.run("CHECKPOINT")
        with record.read() as connection:
            oid = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        files = cluster.folder / "data" / "base" / str(oid)
        assert where(files, SECRET)
        kill(record, "a")
        with record.write() as connection:
            forget_text(connection, "a")
        vacuum(record)
        with record.read() as connection:
            dead = "SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE relname = 'article_words'"
            assert connection.scalar(text(dead)) == 0
        rewrite_files(record)
        cluster.run("CHECKPOINT")
        assert where(files, SECRET) == []
        assert where(files, "kelp7")
