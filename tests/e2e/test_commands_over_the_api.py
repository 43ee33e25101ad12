"""Commands over the API: what they say beside Redis they say over it, and a day's work needs no shell there."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from command_line import dateline
from newsroom import TOKEN, Newsroom, published, start
from receiver import Receiver
from waiting import PATIENCE_SECONDS

from worker.management.sealing import new_key
from worker.store.refusals import Refusal


class Commands:
    """The command line at two places: beside Redis, and with an API key somewhere else."""

    def __init__(self, newsroom: Newsroom, folder: Path) -> None:
        self.newsroom = newsroom
        self.folder = folder
        self.beside = {"DATELINE_CONFIG": str(newsroom.config), "DATELINE_REDIS_URL": newsroom.stack.redis_url}
        self.away = {"DATELINE_API": newsroom.base_url, "DATELINE_KEY": TOKEN}

    def run(self, *words: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command over the API."""
        return dateline(*words, stdin=stdin, cwd=self.folder, variables=self.away | variables)

    def says(self, *words: str, stdin: str = "", **variables: str) -> str:
        done = self.run(*words, stdin=stdin, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str, stdin: str = "") -> Any:
        return json.loads(self.says(*words, "--json", stdin=stdin))

    def refuses(self, *words: str, stdin: str = "", status: int = 1, **variables: str) -> str:
        """The one line that says why it does not."""
        done = self.run(*words, stdin=stdin, **variables)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith("dateline: ")
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.removeprefix("dateline: ").strip()

    def same(self, *words: str) -> str:
        """What a command says at both places, which must be the same as soon as nothing changes in between."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            beside = dateline(*words, variables=self.beside)
            assert beside.returncode == 0, beside.stderr
            over_the_api = self.says(*words)
            if over_the_api == beside.stdout or time.monotonic() > deadline:
                assert over_the_api == beside.stdout
                return over_the_api


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Commands]:
    folder = tmp_path_factory.mktemp("n")
    more = f'\n[management]\nsecret_key = "{new_key()}"\n'
    with start(folder, shared_receiver, 1, more) as newsroom:
        yield Commands(newsroom, tmp_path_factory.mktemp("elsewhere"))


def settled(desk: Commands, event: str) -> dict[str, Any]:
    """The receipt of an event, once it is done."""

    def done() -> bool:
        # Waited for here, as each look by a command is a process.
        address = f"{desk.newsroom.base_url}/api/v1/events/{event}?wait=10s"
        answer = requests.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
        return answer.status_code == 200 and answer.json()["done"] is True

    desk.newsroom.receiver.until(done, 30, f"the receipt of {event}")
    receipt: dict[str, Any] = desk.json("receipt", event)
    assert receipt["done"] is True
    return receipt


@pytest.fixture(scope="module")
def newsday(desk: Commands) -> Commands:
    """Articles, a correction, and all of it noted."""
    events = [
        {**published(article, "s2", url=f"https://herald.example/{number}"), "id": f"evt-{number}"}
        for number, article in enumerate(("hh-1", "hh-2", "a/b-ü"))
    ]
    correction = {**published("hh-1", "s2", 2, url="https://herald.example/0"), "id": "evt-9"}
    (desk.folder / "events.json").write_text(json.dumps(events))
    (desk.folder / "event.json").write_text(json.dumps(correction))
    assert [row["status"] for row in desk.json("publish", "events.json")["events"]] == ["accepted"] * 3
    for event in events:
        settled(desk, event["id"])
    assert desk.says("publish", "event.json").startswith("accepted  evt-9  hh-1")
    assert desk.says("publish", "event.json").startswith("duplicate  evt-9  hh-1")
    settled(desk, "evt-9")
    desk.newsroom.subscribe("s5", "/kept")
    desk.newsroom.receiver.until(lambda: desk.json("subscriptions")["subscriptions"] != [], 20, "the subscription")
    desk.newsroom.receiver.until(lambda: "Version 2" in desk.says("history", "hh-1"), 20, "the revision")
    desk.newsroom.receiver.until(lambda: desk.json("report")["total"]["delivered"] == 4, 20, "the deliveries")
    desk.newsroom.store.refusals.note("msn", "hh-1", Refusal(2, 1_772_000_000_000, ["title is too short (msn.title)"]))
    return desk


SAME = (
    ["articles", "--feed", "s2", "--since", "7d", "--limit", "2"],
    ["history", "hh-1"],
    ["history", "hh-1", "--version", "2"],
    ["history", "a/b-ü"],
    ["receipt", "evt-9"],
    ["coverage", "https://herald.example/0"],
    ["report", "--endpoint", "p2"],
    ["feeds"],
    ["feeds", "--parked"],
    ["subscriptions"],
    ["subscriptions", "--feed", "s5"],
    ["endpoints"],
    ["endpoints", "show", "p2"],
    ["endpoints", "attempts", "p2"],
    ["list"],
    ["list", "Editor Picks"],
    ["audit"],
    ["audit", "verify"],
    ["key", "list"],
    ["partner", "list"],
    ["user", "list"],
)
RENDERED = (
    ["s2", "--format", "atom"],
    ["hh-1", "--format", "ninjs31"],
    ["a/b-ü", "--article", "--format", "nitf"],
    ["hh-1", "--endpoint", "p2"],
)


def test_the_same_is_said_beside_redis_and_over_the_api(newsday: Commands) -> None:
    """What is printed for people is made of the same rows: it is compared where there is no JSON."""
    compared = [*([*words, "--json"] for words in SAME), *(["render", *words] for words in RENDERED)]
    with ThreadPoolExecutor(4) as pool:
        outputs = dict(zip(map(tuple, compared), pool.map(lambda words: newsday.same(*words), compared), strict=True))
        texts = list(pool.map(lambda words: newsday.says(*words), SAME))
    assert all([*outputs.values(), *texts])
    assert all(json.loads(output) for words, output in outputs.items() if words[-1] == "--json")
    assert f"{newsday.newsroom.receiver.url}/kept" in texts[SAME.index(["subscriptions"])]
    assert "title is too short" in texts[SAME.index(["feeds", "--parked"])]


def test_an_attempt_is_shown_with_what_was_sent(newsday: Commands) -> None:
    (row, *_) = newsday.json("endpoints", "attempts", "p2", "--limit", "1")["attempts"]
    newsday.same("endpoints", "attempts", "p2", row["id"], "--json")
    shown = newsday.same("endpoints", "attempts", "p2", row["id"])
    assert f"webhook-id: {row['message_id']}" in shown
    assert f"Sent, {row['bytes']} bytes:" in shown
    assert newsday.refuses("endpoints", "attempts", "p2", "none", status=2).startswith("p2 has no attempt none")


def test_so_is_what_is_not_there(newsday: Commands) -> None:
    assert newsday.same("report", "--csv").startswith("day,endpoint")
    assert "no article hh-12 was ever published here" in newsday.refuses("coverage", "hh-12")
    assert newsday.refuses("receipt", "evt-none").startswith("no such event: evt-none")
    assert newsday.refuses("list", "Nothing", status=2) == "no feed has a list Nothing; known: Editor Picks"
    for words in (["articles"], ["subscriptions"]):
        assert "there is no feed nowhere" in newsday.refuses(*words, "--feed", "nowhere", status=2)
    for words, reason in (
        (["nobody", "--format", "rss"], "there is no feed and no article nobody; the feeds are "),
        (["s2", "--format", "nitf"], "--format: there is no format nitf; known: "),
        (["hh-1", "--format", "rss"], "--format: there is no format rss; known: "),
        (["hh-1", "--endpoint", "nobody"], "--endpoint: the endpoints are p0"),
        (["hh-1", "--endpoint", "p1"], "--endpoint: p1 is sent feeds, not articles; its feed is s1"),
    ):
        assert newsday.refuses("render", *words, status=2).startswith(reason)
    assert newsday.refuses("feeds", "--push", "nowhere", status=2).startswith(
        "--push: there is no feed nowhere; known: "
    )
    assert newsday.same("feeds", "--push", "s2", "--dry-run").startswith("s2: 0 articles that it took in")


def test_a_partner_from_the_first_day_to_the_last(desk: Commands) -> None:
    row = desk.json("partner", "create", "city", "--title", "City", "--contact", "Mira <mira@city.example>, , editor")
    assert row["contacts"] == [{"name": "Mira", "email": "mira@city.example", "role": "editor"}]
    assert "there is a partner city already" in desk.refuses("partner", "create", "city")
    changed = desk.json(
        "partner", "change", "city", "--right", "text=summary", "--right", "words=20", "--notes", "Pays."
    )
    assert (changed["title"], changed["rights"], changed["notes"]) == (
        "City",
        {"text": "summary", "words": 20},
        "Pays.",
    )
    assert desk.json("partner", "change", "city", "--no-right", "words")["rights"] == {"text": "summary"}
    assert "rights.text: " in desk.refuses("partner", "change", "city", "--right", "text=all", status=2)
    assert desk.refuses("partner", "change", "city", status=2).startswith("nothing would change")
    desk.same("partner", "show", "city")
    desk.same("partner", "list", "--json")

    url = f"{desk.newsroom.receiver.url}/city"
    words = ("--partner", "city", "--feed", "s20", "--format", "json", "--url", url)
    created = desk.json("endpoints", "create", "city-portal", *words)
    assert created["secret"].startswith("whsec_")
    assert created["settings"]["secret"] == "***"
    assert "city-portal already" in desk.refuses("endpoints", "create", "city-portal", *words)
    changed = desk.json("endpoints", "change", "city-portal", "--set", "rate=50", "--set", "rights.words=9")
    assert (changed["settings"]["rate"], changed["settings"]["rights"]) == (50, {"words": 9})
    rotated = desk.says("endpoints", "rotate", "city-portal", "--overlap", "60").strip()
    assert rotated.startswith("whsec_")
    assert rotated != created["secret"]
    desk.newsroom.receiver.until(
        lambda: desk.json("endpoints", "show", "city-portal")["health"]["state"] is not None, 20, "its enrolment"
    )
    tested = desk.says("endpoints", "test", "city-portal")
    assert "The test article dateline-test-" in tested
    assert "Its kill: 204 after" in tested

    _is_served(desk)
    desk.says("endpoints", "remove", "city-portal")
    desk.says("partner", "remove", "city")
    assert "there is no partner city" in desk.refuses("partner", "show", "city")
    assert "is of the settings file" in desk.refuses("endpoints", "remove", "p0")
    actions = {entry["action"] for entry in desk.json("audit", "--who", "file", "--what", "partner")["entries"]}
    assert actions == {"partner.created", "partner.changed", "partner.removed"}
    audit = desk.says("audit", "--json")
    assert created["secret"] not in audit
    assert rotated not in audit


def _is_served(desk: Commands) -> None:
    """An endpoint gets an article, a replay and a kill; it is paused, removed and restored."""
    (desk.folder / "articles.json").write_text(json.dumps([{**published("city-1", "s20"), "id": "evt-c1"}]))
    assert "accepted  evt-c1" in desk.says("publish", "articles.json")
    (receiver,) = settled(desk, "evt-c1")["events"][0]["receivers"]
    assert (receiver["receiver"], receiver["standing"]) == ("city-portal", "delivered")
    assert "1 article would go to city-portal" in desk.says(
        "replay", "--endpoint", "city-portal", "--since", "1d", "--dry-run"
    )
    replayed = desk.says("replay", "--endpoint", "city-portal", "--article", "city-1", "--wait")
    assert replayed.splitlines() == ["1 article goes to city-portal", "All are sent to city-portal."]
    assert "all is sent" in desk.same("replay", "--endpoint", "city-portal", "--status")
    killed = desk.json("kill", "city-1")
    assert (killed["article"], killed["was"], killed["headline"]) == ("city-1", "usable", "city-1, version 1")
    assert settled(desk, killed["event"])["events"][0]["proven"] is True
    assert "Confirmed by all" in desk.same("coverage", "city-1")
    assert "had been killed before" in desk.says("kill", "city-1")
    assert "nothing was killed" in desk.refuses("kill", "city-2")

    desk.says("endpoints", "--pause", "city-portal")
    assert "paused since" in desk.says("endpoints", "--retry", "city-portal")
    desk.says("endpoints", "remove", "city-portal")
    assert "there is no endpoint city-portal; known: p0" in desk.refuses("endpoints", "show", "city-portal", status=2)
    assert desk.json("endpoints", "restore", "city-portal")["partner"] == "city"
    assert "has endpoints (city-portal)" in desk.refuses("partner", "remove", "city")


def test_the_desk(desk: Commands) -> None:
    (desk.folder / "a.json").write_text(json.dumps([{**published("desk-1", "s3"), "id": "evt-d1"}]))
    desk.says("publish", "a.json")
    settled(desk, "evt-d1")
    for verb, pubstatus in (("hold", "withheld"), ("release", "usable"), ("repeat", "usable")):
        order = desk.json(verb, "desk-1")
        settled(desk, order["event"])
        assert desk.json("coverage", "desk-1")["article"]["pubstatus"] == pubstatus
    settled(desk, desk.json("embargo", "desk-1", "--until", "2h")["event"])
    assert desk.json("coverage", "desk-1")["embargoed"] is not None
    settled(desk, desk.json("embargo", "desk-1", "--lift")["event"])
    assert desk.json("coverage", "desk-1")["embargoed"] is None
    assert "Not published here as yet: desk-9" in desk.says("list", "Editor Picks", "desk-1", "desk-9")
    desk.newsroom.receiver.until(lambda: "desk-9" in desk.says("list", "Editor Picks"), 20, "the list")
    desk.same("list", "Editor Picks", "--json")


def test_people_come_and_go(desk: Commands) -> None:
    assert desk.says("user", "add", "ada", "--role", "desk", stdin="a good password\n") == "ada may sign in as desk.\n"
    assert "called ada already" in desk.refuses("user", "add", "ada", "--role", "desk", stdin="a good password\n")
    assert "role: " in desk.refuses("user", "add", "eve", "--role", "king", stdin="a good password\n", status=2)
    assert "12 to 1000 characters" in desk.refuses("user", "password", "ada", stdin="short\n", status=2)
    assert desk.says("user", "password", "ada", stdin="another password\n") == "ada has another password.\n"
    assert [(row["name"], row["has_password"]) for row in desk.json("user", "list")["people"]] == [("ada", True)]
    assert desk.says("user", "remove", "ada") == "ada may sign in no longer.\n"
    assert desk.refuses("user", "remove", "ada") == "there is nobody called ada"


def test_keys_and_what_they_lack(newsday: Commands) -> None:
    desk = newsday
    token = desk.says("key", "create", "reader", "--scope", "articles:read", "--feed", "s2").strip()
    (key,) = (row for row in desk.json("key", "list")["keys"] if row["name"] == "reader")
    (desk.folder / "key").write_text(f"{token}\n")
    of_file = {"DATELINE_KEY": "", "DATELINE_KEY_FILE": "key"}
    desk.newsroom.receiver.until(
        lambda: desk.run("articles", "--feed", "s2", **of_file).returncode == 0, 10, "the key everywhere"
    )
    assert "lacks the scope articles:kill" in desk.refuses("kill", "hh-1", **of_file)
    assert "may not send events here: it lacks events:write" in desk.refuses("publish", "event.json", **of_file)
    assert "is for the feed s2 only" in desk.refuses("articles", "--feed", "s3", **of_file)
    assert desk.says("key", "revoke", key["id"]) == f"The key reader ({key['id']}) is revoked.\n"
    desk.newsroom.receiver.until(
        lambda: desk.run("articles", "--feed", "s2", **of_file).returncode == 1, 10, "the end of the key"
    )
    assert "the key in DATELINE_KEY is not valid" in desk.refuses("articles", "--feed", "s2", **of_file)


@pytest.mark.parametrize("words", ["up", "worker", "web", "demo", "rebuild", "record status"])
def test_what_needs_a_shell_says_so(desk: Commands, words: str) -> None:
    name = words.split(maxsplit=1)[0]
    assert desk.refuses(*words.split(), status=2) == (
        f"dateline {name} needs a shell beside Redis, and DATELINE_API is set: unset it, and run it there"
    )
