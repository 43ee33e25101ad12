"""`dateline forget`, with Redis and both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from test_finding import note, output, refusal, run
from test_forgetting import SECRET, attempt, where
from test_search import article

from worker.record import Record, tables
from worker.record.search import index_waiting
from worker.store import Store, keys
from worker.store.articles import NEW

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
ARCHIVE = {"DATELINE_RECORD__KEEP_KILLED": "true"}


@pytest.fixture
def desk(store: Store, redis_url: str, record: Record, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A newsroom that keeps killed texts, with one article, in Redis and in the record."""
    variables = {
        "DATELINE_REDIS_URL": redis_url,
        "DATELINE_RECORD_URL": record.url.render_as_string(hide_password=False),
        **ARCHIVE,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    text = article("a", headline=f"{SECRET} seen", body_html=f"<p>{SECRET}.</p>" * 9, published=FIRST, updated=FIRST)
    assert store.articles.save(text, NEW, ["en"], 1)
    note(record, text)
    while index_waiting(record):
        pass
    return record


def kill(store: Store, record: Record, *, noted: bool = True) -> None:
    stored = store.articles.get("a")
    assert stored is not None
    killed = article("a", version=2, headline="", pubstatus="canceled", published=FIRST, updated=FIRST)
    assert store.articles.save(killed, stored.rev, ["en"], 2)
    if noted:
        note(record, killed, state="killed")
        # As whoever notes a change does.
        store.client.hdel(keys.article("a"), "earlier")


def in_redis(store: Store) -> str:
    """All that Redis holds, as text."""
    texts = []
    for key in store.client.scan_iter():
        kind = store.client.type(key)
        if kind == "hash":
            texts.append(json.dumps(store.client.hgetall(key), ensure_ascii=False))
        elif kind == "stream":
            texts.append(json.dumps(store.client.xrange(key), ensure_ascii=False))
        elif kind == "string":
            texts.append(store.client.get(key) or "")
    return "\n".join(texts)


def test_what_is_not_killed_is_refused(desk: Record, store: Store) -> None:
    message, status = refusal("forget", "a", "--yes")
    assert message.startswith("a is usable: readers and partners may have it")
    assert message.endswith("first kill it: dateline kill a")
    assert status == 1
    store.client.delete(keys.article("a"))
    assert refusal("forget", "a", "--yes")[0].startswith("a is usable")
    assert refusal("forget", "b", "--yes")[0].startswith("no article b was ever published here")


def test_nobody_is_asked_where_nobody_is(desk: Record, store: Store) -> None:
    kill(store, desk)
    assert refusal("forget", "a") == ("nobody can be asked here whether to go on: say --yes", 2)


def test_a_kill_that_is_not_noted_yet(desk: Record, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.cli.forget._PATIENCE_SECONDS", 0.2)
    kill(store, desk, noted=False)
    assert refusal("forget", "a", "--yes")[0] == "the kill of a is not in the record yet: try again in a moment"


def test_nothing_is_left(desk: Record, store: Store, tmp_path: Path) -> None:
    kill(store, desk)
    body = json.dumps({"article": {"id": "a", "headline": SECRET}})
    store.events.reject(body, "headline: has markup")
    store.events.reject(json.dumps({"article": {"id": "b", "headline": "kelp"}}), "url: is missing")
    parked = keys.feed("en").of_endpoint("one", "parked")
    store.client.hset(parked, "a", json.dumps(attempt("a", f"422 {SECRET}")))
    with desk.write() as connection:
        delivery = {
            "endpoint": "one",
            "feed": "en",
            "article_id": "a",
            "version": 1,
            "action": "published",
            "state": "taken",
            "sha256": "1" * 64,
            "taken": 1,
            "sent": 1,
        }
        connection.execute(tables.deliveries.insert().values(delivery))
    assert SECRET in in_redis(store)
    done = run("forget", "a", "--yes", "--rewrite")
    assert done.exception is None, done.exception
    assert "Forgotten: the text of a. Who had it: dateline coverage a\n" in done.output
    assert "backups of the record and of Redis" in done.output
    assert SECRET not in in_redis(store)
    assert "kelp" in in_redis(store)
    if desk.file is not None:
        assert where(tmp_path, SECRET) == []
    with desk.read() as connection:
        rows = [connection.execute(select(table)).all() for table in tables.metadata.sorted_tables]
        assert SECRET not in str(rows)
        assert len(connection.execute(select(tables.deliveries)).all()) == 1
        fingerprints = connection.scalar(select(tables.revisions.c.fingerprints).where(tables.revisions.c.version == 1))
        assert fingerprints is not None
    assert "its words are forgotten" in output("history", "a")
    # Once more changes nothing.
    assert run("forget", "a", "--yes").exception is None
