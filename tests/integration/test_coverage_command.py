"""`dateline coverage` of what the record knows: by address, and with endpoints that are no longer there."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from test_finding import note, output, refusal, run
from test_search import article

from worker.record import Record, tables
from worker.record.availability import RecordAway
from worker.record.deliveries import Delivery
from worker.record.deliveries import note as note_deliveries
from worker.store import Store
from worker.store.articles import NEW

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def desk(store: Store, redis_url: str, record: Record, monkeypatch: pytest.MonkeyPatch) -> Record:
    """An article, in Redis and in the record, that an endpoint had which is no longer in the settings."""
    monkeypatch.setenv("DATELINE_REDIS_URL", redis_url)
    monkeypatch.setenv("DATELINE_RECORD_URL", record.url.render_as_string(hide_password=False))
    text = article("hh-2016-0001", published=FIRST, updated=FIRST)
    assert store.articles.save(text, NEW, ["en"], 1)
    note(record, text)
    with record.write() as connection:
        delivery = Delivery("old-archive", "en", "hh-2016-0001", 1, "published", "taken", "1" * 64, 5000, 5000)
        note_deliveries(connection, [delivery])
    return record


def test_an_endpoint_that_is_no_longer_there(desk: Record) -> None:
    lines = output("coverage", "hh-2016-0001").splitlines()
    assert lines[0] == "hh-2016-0001: version 1, usable, updated 2026-03-01 09:00:00 UTC"
    [row] = [line for line in lines if "old-archive" in line]
    words = "en old-archive version 1, published 1970-01-01 00:00:05 removed it is no longer an endpoint of this feed"
    assert " ".join(row.split()) == words


def test_by_its_address(desk: Record) -> None:
    assert output("coverage", "https://herald.example/hh-2016-0001") == output("coverage", "hh-2016-0001")
    # Redis knows it too, before it is noted.
    with desk.write() as connection:
        connection.execute(tables.articles.update().values(url=""))
    assert output("coverage", "https://herald.example/hh-2016-0001").startswith("hh-2016-0001: version 1")
    assert refusal("coverage", "https://herald.example/nowhere") == (
        "no article has the address https://herald.example/nowhere; name its id",
        1,
    )
    assert refusal("coverage", "https://")[1] == 2


def test_an_unknown_one(desk: Record) -> None:
    message, status = refusal("coverage", "hh-2016-001")
    assert message == "no article hh-2016-001 was ever published here; there is hh-2016-0001"
    assert status == 1


def test_as_json_it_is_what_the_http_api_answers(desk: Record) -> None:
    report = json.loads(output("coverage", "hh-2016-0001", "--json"))
    assert (report["article"]["id"], report["article"]["version"]) == ("hh-2016-0001", 1)
    assert [row["receiver"] for row in report["receivers"]] == ["old-archive"]


def test_an_id_with_brackets_is_no_markup(desk: Record, store: Store) -> None:
    assert store.articles.save(article("hh-[/b]:cat:", published=FIRST, updated=FIRST), NEW, ["en"], 1)
    assert output("coverage", "hh-[/b]:cat:").startswith("hh-[/b]:cat:: version 1, usable")


def test_by_its_address_while_the_record_is_away(desk: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_RECORD_URL", "postgresql+psycopg://dateline@127.0.0.1:1/nowhere")
    assert "hh-2016-0001: version 1, usable" in output("coverage", "https://herald.example/hh-2016-0001")
    assert "Killed: " in output("kill", "https://herald.example/hh-2016-0001")
    assert isinstance(run("coverage", "https://herald.example/nowhere").exception, RecordAway)
    assert isinstance(run("kill", "https://herald.example/nowhere").exception, RecordAway)


def test_a_replay_takes_times_as_the_lists_do(desk: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = {"name": "portal", "feed": "en", "mode": "article", "format": "json", "url": "https://portal.example/"}
    monkeypatch.setenv("DATELINE_ENDPOINTS", json.dumps([endpoint]))
    for since in ("7d", "2026-03-01", "2026-03-01T00:00:00Z"):
        assert "would go to portal" in output("replay", "--endpoint", "portal", "--since", since, "--dry-run")
    message, status = refusal("replay", "--endpoint", "portal", "--since", "2026-03-01T10:00", "--dry-run")
    assert (message.partition(";")[0], status) == ("--since: '2026-03-01T10:00' is no time that is clear", 2)
