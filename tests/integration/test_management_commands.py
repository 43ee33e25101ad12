"""`dateline key`, `user`, `audit` and `management`: processes of their own, on a real Redis and both records."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from command_line import dateline
from sqlalchemy import delete, update

from config.settings import load
from worker.management.callers import shell
from worker.management.management import Management
from worker.management.people import WrongPassword
from worker.management.sealing import Sealer, new_key
from worker.management.surroundings import Surroundings
from worker.record import Record, tables
from worker.store import Store

ADMIN = shell("mira")
PASSWORD = "correct horse battery"
SETTINGS = """
[[feeds]]
name = "world"
title = "World"
[[endpoints]]
name = "filed"
feed = "world"
format = "json"
url = "https://filed.example/"
"""


class Commands:
    """The commands, on one newsroom."""

    def __init__(self, folder: Path, redis_url: str, record: Record) -> None:
        config = folder / "dateline.toml"
        config.write_text(SETTINGS)
        self.variables = {
            "DATELINE_CONFIG": str(config),
            "DATELINE_REDIS_URL": redis_url,
            "DATELINE_RECORD_URL": record.url.render_as_string(hide_password=False),
            "DATELINE_MANAGEMENT__SECRET_KEY": new_key(),
        }

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return dateline(*words, stdin=stdin, variables=self.variables)

    def says(self, *words: str, stdin: str = "") -> str:
        done = self(*words, stdin=stdin)
        assert (done.returncode, done.stderr if done.returncode else "") == (0, "")
        return done.stdout

    def refuses(self, *words: str, stdin: str = "", status: int = 1) -> str:
        done = self(*words, stdin=stdin)
        assert done.returncode == status
        assert done.stderr.startswith("dateline: ")
        assert "Traceback" not in done.stderr
        return done.stderr

    def management(self, store: Store, record: Record) -> Management:
        return Management(store, record, Surroundings.of(load(environ=self.variables)))


@pytest.fixture
def run(tmp_path: Path, redis_url: str, record: Record, store: Store) -> Commands:
    assert store.client.ping()
    return Commands(tmp_path, redis_url, record)


def test_keys(run: Commands) -> None:
    token = run.says("key", "create", "cms", "--scope", "events:write", "--feed", "world", "--expires", "90d").strip()
    assert token.startswith("dl_")
    listed = run.says("key", "list", "--json")
    assert token not in listed
    (key,) = json.loads(listed)["keys"]
    assert (key["name"], key["scopes"], key["bounds"]["feeds"]) == ("cms", ["events:write"], ["world"])
    assert "feed world" in run.says("key", "list")
    assert run.says("key", "revoke", key["id"]) == f"The key cms ({key['id']}) is revoked.\n"
    assert "revoked" in run.says("key", "list")
    assert "there is no key nobody" in run.refuses("key", "revoke", "nobody")
    wrong = run.refuses("key", "create", "C", "--scope", "fly", status=2)
    assert "name: " in wrong
    assert "there is no scope fly; known: alarms:" in wrong
    assert "--expires" in run.refuses("key", "create", "cms", "--scope", "events:read", "--expires", "soon", status=2)


def test_people(run: Commands, store: Store, record: Record) -> None:
    run.says("user", "add", "mira", "--role", "desk", stdin=f"{PASSWORD}\n")
    people = run.management(store, record).people
    mira = run.management(store, record).person("mira")
    assert people.sign_in(mira, PASSWORD, "192.0.2.1").name == "user:mira"
    for person, password in ((mira, "wrong"), (None, PASSWORD)):
        with pytest.raises(WrongPassword):
            people.sign_in(person, password, "")
    listed = run.says("user", "list", "--json")
    assert "argon2" not in listed
    assert [("mira", "desk", True)] == [
        (person["name"], person["role"], person["has_password"]) for person in json.loads(listed)["people"]
    ]
    run.says("user", "password", "mira", stdin="another good password\n")
    with pytest.raises(WrongPassword):
        people.sign_in(run.management(store, record).person("mira"), PASSWORD, "")
    assert "12 to 1000 characters" in run.refuses("user", "password", "mira", stdin="short\n", status=2)
    assert "there is none on standard input" in run.refuses("user", "password", "mira", status=2)
    assert "role: must be viewer" in run.refuses("user", "add", "x", "--role", "king", stdin=PASSWORD, status=2)
    assert "called mira already" in run.refuses("user", "add", "mira", "--role", "desk", stdin=PASSWORD)
    run.says("user", "remove", "mira")
    assert "Nobody may sign in" in run.says("user", "list")
    assert "person.signed_in" in run.says("audit", "--who", "user:mira")
    assert PASSWORD not in run.says("audit", "--json")


def test_the_audit(run: Commands, store: Store, record: Record) -> None:
    run.says("key", "create", "cms", "--scope", "events:write")
    run.management(store, record).audit.note(ADMIN, "article.killed", "hh-1")
    entries = json.loads(run.says("audit", "--json"))["entries"]
    assert ["article.killed", "key.created"] == [entry["action"] for entry in entries]
    assert entries[1]["new"]["scopes"] == ["events:write"]
    assert [entries[0]] == json.loads(run.says("audit", "--who", "shell:mira", "--what", "article", "--json"))[
        "entries"
    ]
    assert run.says("audit", "verify") == "The audit is whole: 2 entries.\n"
    with record.write() as connection:
        connection.execute(update(tables.audit).where(tables.audit.c.number == 1).values(actor="nobody"))
        connection.execute(delete(tables.audit).where(tables.audit.c.number == 2))
    done = run("audit", "verify")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "entry 1 was changed: its content is not what its hash is of",
        "entry 2 is missing",
    ]


def test_what_is_ordered_at_a_shell_is_in_the_audit(run: Commands, store: Store) -> None:
    assert "No article hh-1 was ever published here" in run.says("kill", "hh-1", "--unknown-too")
    assert "nothing was killed; see `dateline coverage`" in run.refuses("kill", "hh-2")
    store.receivers.enroll("world", "endpoint:filed", {"endpoint": "filed"})
    run.says("endpoints", "--pause", "filed")
    assert "filed is paused already" in run.refuses("endpoints", "--pause", "filed")
    run.says("endpoints", "--resume", "filed")
    run.says("endpoints", "--retry", "filed")
    assert "0 articles go to filed" in run.says("replay", "--endpoint", "filed", "--since", "7d")
    entries = json.loads(run.says("audit", "--who", "shell", "--json"))["entries"]
    assert ["endpoint.retried", "endpoint.resumed", "endpoint.paused", "article.killed"] == [
        entry["action"] for entry in entries
    ]
    assert "hh-1" == entries[-1]["target"]


def test_keys_that_seal(run: Commands, store: Store, record: Record) -> None:
    values = {"feed": "world", "format": "json", "url": "https://herald.example/"}
    run.management(store, record).endpoints.create(ADMIN, "herald", values)
    listed = run.says("endpoints")
    assert "herald" in listed
    assert "filed" in listed
    new = run.says("management", "new-key").strip()
    old = run.variables["DATELINE_MANAGEMENT__SECRET_KEY"]
    run.variables["DATELINE_MANAGEMENT__SECRET_KEY"] = f"{new},{old}"
    assert run.says("management", "rekey").startswith("1 endpoint was sealed")
    assert run.says("management", "rekey").startswith("0 endpoints were sealed")
    run.variables["DATELINE_MANAGEMENT__SECRET_KEY"] = old
    assert "sealed by another key" in run.refuses("management", "rekey")
    assert "endpoint herald can't be used: " in run("endpoints").stderr
    run.variables["DATELINE_MANAGEMENT__SECRET_KEY"] = "c2hvcnQ="
    wrong = run.refuses("management", "rekey", status=2)
    assert "DATELINE_MANAGEMENT__SECRET_KEY" in wrong
    assert "c2hvcnQ" not in wrong
    assert Sealer([new]).can_seal


def test_while_the_record_is_away_nothing_is_changed(run: Commands) -> None:
    run.variables["DATELINE_RECORD_URL"] = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    assert "the record does not answer" in run.refuses("key", "create", "cms", "--scope", "events:write")
    assert "the record does not answer" in run.refuses("audit")
