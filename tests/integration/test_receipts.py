"""`dateline receipt`: what became of an event, without Redis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from worker.cli.commands import app
from worker.cli.terminal import Failed
from worker.record import Record, deliveries, events
from worker.record.deliveries import Delivery


@pytest.fixture(autouse=True)
def _name(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATELINE_RECORD_URL", record.url.render_as_string(hide_password=False))
    monkeypatch.setenv("DATELINE_REDIS_URL", "redis://127.0.0.1:1")


def output(*words: str) -> str:
    done = CliRunner().invoke(app, ["receipt", *words])
    assert done.exception is None, done.exception
    return done.output


def accept(record: Record) -> int:
    sent = events.SentEvent("evt-1", "{}", "", None, 1_000, "post", "192.0.2.1")
    with record.write() as connection:
        (accepted,) = events.accept(connection, [sent])
    return accepted.number


def test_an_event_that_waits(record: Record) -> None:
    number = accept(record)
    assert "accepted     1970-01-01 00:00:01 UTC, by post from 192.0.2.1" in output("evt-1")
    assert "not yet: it waits until Redis is there" in output("evt-1")
    with record.write() as connection:
        events.note_appended(connection, {number: "1-0"})
    assert "not yet: it waits in Redis" in output("evt-1")


def test_an_event_that_was_carried_out(record: Record) -> None:
    number = accept(record)
    result = events.EventResult(number, "evt-1", "{}", "", "hh-1", 1_000, "post", "1-0", 2_000, "corrected", version=2)
    with record.write() as connection:
        events.note_results(connection, [result])
        deliveries.note(
            connection,
            [
                Delivery("desk", "en", "hh-1", 1, "published", "taken", "", 1_500, 1_500),
                Delivery("portal", "en", "hh-1", 2, "corrected", "taken", "", 3_000, 3_000),
                Delivery("late", "en", "hh-1", 2, "corrected", "trying", "", None, 3_000),
            ],
        )
    text = output("evt-1")
    assert "carried out  1970-01-01 00:00:02 UTC, corrected" in text
    assert "version 2 of hh-1" in text
    assert "portal" in text
    assert "desk" not in text
    assert "late" not in text
    (receipt,) = json.loads(output("evt-1", "--json"))["events"]
    assert ("corrected", 2, "hh-1") == (receipt["result"], receipt["version"], receipt["article"])
    assert [("portal", "delivered")] == [(row["receiver"], row["standing"]) for row in receipt["receivers"]]


def test_no_such_event(record: Record) -> None:
    accept(record)
    done = CliRunner().invoke(app, ["receipt", "evt-2"])
    assert isinstance(done.exception, Failed)
    assert (done.exception.status, str(done.exception).startswith("no such event: evt-2.")) == (1, True)


def test_commands_are_taken_by_the_record_alone_while_redis_is_away(record: Record, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["kill", "hh-1"])
    assert done.exception is None, done.output
    assert "(kept by the record alone: Redis is away, and gets it later)" in done.output
    event_id = done.output.split()[1]
    assert "it waits until Redis is there" in output(event_id)
    repeated = {"id": "evt-9", "type": "article.repeated", "article": {"id": "hh-1"}}
    (tmp_path / "event.json").write_text(json.dumps(repeated))
    for status in ("accepted", "duplicate"):
        done = CliRunner().invoke(app, ["publish", str(tmp_path / "event.json")])
        assert done.exception is None, done.output
        assert f"{status}  evt-9" in done.output
    (receipt,) = json.loads(output("evt-9", "--json"))["events"]
    assert ("cli", True) == (receipt["way"], receipt["sender"] != "")
