"""`dateline report` on both databases: each version once, by day, with totals."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from test_finding import output, refusal, run

from feeds.moments import ms
from worker.record import Record, tables

SETTINGS = """
record_url = "{url}"
redis_url = "redis://127.0.0.1:1"
[site]
timezone = "{zone}"
[[feeds]]
name = "en"
title = "All"
[[endpoints]]
name = "city-portal"
feed = "en"
format = "json"
url = "https://partner.example/in"
"""


def at(text: str) -> int:
    return ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def delivery(article_id: str, taken: str | None, **fields: Any) -> dict[str, Any]:
    moment = at(taken) if taken else None
    return {
        "endpoint": "city-portal",
        "feed": "en",
        "article_id": article_id,
        "version": 1,
        "action": "published",
        "state": "taken" if taken else "refused",
        "sha256": "0" * 64,
        "taken": moment,
        "sent": moment,
        **fields,
    }


@pytest.fixture
def partner(record: Record, tmp_path: Path) -> list[str]:
    """What partners took in March; the options that name the settings."""
    rows = [
        delivery("a", "2026-03-01T22:30"),
        delivery("b", "2026-03-01T08:00"),
        delivery("b", "2026-03-01T09:00", version=2, action="corrected"),
        delivery("b", "2026-03-03T09:00", version=3, action="killed"),
        # Taken, and sent again on another day.
        delivery("c", "2026-03-02T08:00", sent=at("2026-03-09T08:00")),
        # Taken once, and refused later.
        delivery("d", "2026-03-02T08:00", state="refused", sent=at("2026-03-02T09:00")),
        delivery("e", None, sent=at("2026-03-02T09:00")),
        delivery("f", None, state="trying", sent=at("2026-03-02T09:00")),
        delivery("a", "2026-03-01T08:00", endpoint="city-archive", feed="ar"),
        delivery("a", "2026-03-31T23:59:59.999", endpoint="other=1"),
        delivery("g", "2026-02-28T23:59:59.999"),
        delivery("h", "2026-04-01T00:00"),
    ]
    attempt = json.dumps({"action": "corrected", "status": 422})
    with record.write() as connection:
        connection.execute(insert(tables.deliveries), rows)
        connection.execute(
            insert(tables.parked).values(
                feed="en", endpoint="city-portal", article_id="x", since=at("2026-03-02T10:00"), attempt=attempt
            )
        )
    return options(record, tmp_path, "")


def options(record: Record, tmp_path: Path, zone: str) -> list[str]:
    path = tmp_path / f"dateline{zone.replace('/', '-')}.toml"
    path.write_text(SETTINGS.format(url=record.url.render_as_string(hide_password=False), zone=zone))
    return ["--config", str(path)]


MARCH = ["--from", "2026-03-01", "--to", "2026-03-31"]


def test_by_day_with_totals(partner: list[str]) -> None:
    found = json.loads(output("report", *MARCH, "--json", "--partner", "city", *partner))
    days = [
        (one["day"], one["endpoint"], one["action"], one["delivered"], one["refused"], one["parked"])
        for one in found["days"]
    ]
    assert days == [
        ("2026-03-01", "city-archive", "published", 1, 0, 0),
        ("2026-03-01", "city-portal", "corrected", 1, 0, 0),
        ("2026-03-01", "city-portal", "published", 2, 0, 0),
        ("2026-03-02", "city-portal", "corrected", 0, 0, 1),
        ("2026-03-02", "city-portal", "published", 2, 1, 0),
        ("2026-03-03", "city-portal", "killed", 1, 0, 0),
    ]
    assert found["days"][-1]["pubstatus"] == "canceled"
    of_all = dict.fromkeys(("day", "feed", "action", "pubstatus"))
    assert found["endpoints"] == [
        of_all | {"endpoint": "city-archive", "delivered": 1, "articles": 1, "refused": 0, "parked": 0},
        of_all | {"endpoint": "city-portal", "delivered": 6, "articles": 4, "refused": 1, "parked": 1},
    ]
    assert found["total"] == {"delivered": 7, "articles": 4, "refused": 1, "parked": 1}
    assert (found["from"], found["to"], found["timezone"]) == ("2026-03-01", "2026-03-31", "UTC")


def test_days_are_those_of_the_newsroom(partner: list[str], record: Record, tmp_path: Path) -> None:
    there = options(record, tmp_path, "Asia/Riyadh")
    found = json.loads(output("report", *MARCH, "--json", "--endpoint", "city-portal", *there))
    published = {one["day"]: one["delivered"] for one in found["days"] if one["action"] == "published"}
    assert published == {"2026-03-01": 2, "2026-03-02": 3}
    assert found["timezone"] == "Asia/Riyadh"


def test_as_csv(partner: list[str]) -> None:
    text = run("report", *MARCH, "--csv", *partner).stdout_bytes.decode()
    assert text.count("\r\n") == text.count("\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert rows[0] == {
        "day": "2026-03-01",
        "endpoint": "city-archive",
        "feed": "ar",
        "action": "published",
        "pubstatus": "usable",
        "delivered": "1",
        "articles": "1",
        "refused": "0",
        "parked": "0",
    }
    assert [row["delivered"] for row in rows if row["day"] == "total" and not row["feed"]] == ["1", "6", "1", "8"]


def test_no_cell_is_a_formula(record: Record, tmp_path: Path) -> None:
    with record.write() as connection:
        connection.execute(
            insert(tables.deliveries), [delivery("a", "2026-03-01T08:00", endpoint='=cmd|"x",y', feed="@en")]
        )
    text = output("report", *MARCH, "--csv", *options(record, tmp_path, ""))
    assert text.splitlines()[1] == '2026-03-01,"\'=cmd|""x"",y",\'@en,published,usable,1,1,0,0'


def test_for_people(partner: list[str]) -> None:
    lines = output("report", *MARCH, "--endpoint", "city-archive", *partner).splitlines()
    assert lines[0].split()[:4] == ["Day", "Endpoint", "Feed", "Action"]
    assert lines[2].split() == ["2026-03-01", "city-archive", "ar", "published", "usable", "1", "1", "0", "0"]
    assert lines[-1].startswith("Days are those of UTC.")
    nothing = output("report", "--from", "1900-01-01", "--to", "1999-12-31", *partner)
    assert nothing == "Nothing was delivered from 1900-01-01 to 1999-12-31.\n"
    output("report", "--from", "1900-01-01", "--to", "8999-12-31", *partner)
    output("report", *partner)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--partner", "nobody"],
            '--partner: nobody is called "nobody"; endpoints: city-archive, city-portal, other=1',
        ),
        (["--partner", ""], '--partner: nobody is called ""; endpoints: city-archive, '),
        (["--endpoint", "city"], '--endpoint: there is no endpoint "city"; endpoints: city-archive, '),
        (["--from", "March"], "--from: 'March' is no day that is clear; give \"2026-03-01\""),
        (["--to", "2026-02-30"], "--to: '2026-02-30' is no day"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--from: 2026-03-02 is after --to, which is 2026-03-01"),
        (["--csv", "--json"], "say one of --csv and --json"),
        (["--partner", "a", "--endpoint", "b"], "say one of --partner and --endpoint"),
    ],
)
def test_wrong_use(partner: list[str], arguments: list[str], message: str) -> None:
    refused, status = refusal("report", *arguments, *partner)
    assert refused.startswith(message)
    assert status == 2
