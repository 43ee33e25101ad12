"""After a kill the pages of partners are read back: who says that the text is gone must have it gone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from command_line import dateline
from newsroom import SECRET, Newsroom, published, start
from receiver import Answer, Receiver, Request
from test_takedown import report
from waiting import until

from worker import clock

HEADLINE = "Ferries return to the inner harbour"
BODY = "<p>The first ferry since December left the old quay at six, with forty people and a dog on board.</p>"


class Portal:
    """A partner: takes pushes and shows articles on pages of its own, each as long as it likes."""

    def __init__(self, name: str, receiver: Receiver, elsewhere: Receiver | None = None) -> None:
        self.name = name
        self.pages = elsewhere or receiver
        self.pushes = receiver
        self.settings = f"""
[[endpoints]]
name = "{name}"
feed = "{name}"
mode = "article"
format = "json"
url = "{receiver.url}/{name}"
secret = "{SECRET}"
headers = {{ X-Key = "key-of-{name}" }}
check_url = "{self.pages.url}/{name}/pages/{{id}}"
"""

    def shows(self, article: str, *answer: Any) -> None:
        self.pages.behave[f"/{self.name}/pages/{article}"] = lambda _: answer  # type: ignore[return-value]

    def looks(self, article: str) -> list[Request]:
        return self.pages.at(f"/{self.name}/pages/{article}", "GET")


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def portals(shared_receiver: Receiver, elsewhere: Receiver) -> dict[str, Portal]:
    there = {"s10": None, "s11": elsewhere, "s12": None, "s13": None}
    return {name: Portal(name, shared_receiver, pages) for name, pages in there.items()}


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, portals: dict[str, Portal]
) -> Iterator[Newsroom]:
    more = "".join(portal.settings for portal in portals.values())
    more = more.replace(
        'name = "s13"\nfeed = "s13"\nmode = "article"\nformat = "json"',
        'name = "s13"\nfeed = "s13"\nmode = "feed"\nformat = "atom"',
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def publish(newsroom: Newsroom, portal: Portal, article: str) -> None:
    before = len(portal.pushes.at(f"/{portal.name}"))
    newsroom.publish(article, portal.name, headline=HEADLINE, body_html=BODY)
    portal.pushes.wait(f"/{portal.name}", before + 1)


def row(newsroom: Newsroom, article: str) -> dict[str, Any]:
    """The row of the report about the one endpoint that has it; nothing in it before that is noted."""
    rows: list[dict[str, Any]] = report(newsroom, article)["receivers"]
    return rows[0] if rows else {"status": "", "page": None}


def until_seen(newsroom: Newsroom, article: str, verdict: str) -> dict[str, Any]:
    """Wait until the page was looked at with that verdict; return the row of the report."""

    def seen() -> bool:
        page = row(newsroom, article)["page"]
        return page is not None and page["verdict"] == verdict

    newsroom.receiver.until(seen, 20, f"{article}: {verdict}")
    return row(newsroom, article)


def told(receiver: Receiver, article: str) -> list[str]:
    """The operational events about an article."""
    events = [json.loads(request.body) for request in receiver.at("/operations")]
    return [event["type"] for event in events if event["data"].get("article_id") == article]


def test_a_kill_is_confirmed_when_the_page_is_gone(newsroom: Newsroom, portals: dict[str, Portal]) -> None:
    portal, receiver, article = portals["s10"], newsroom.receiver, "still/1"
    path = "still%2F1"
    publish(newsroom, portal, article)
    page = f"<html><h1>{HEADLINE.upper()}</h1><div>{BODY}</div></html>".encode()
    portal.shows(path, 200, gzip.compress(page), {"Content-Type": "text/html", "Content-Encoding": "gzip"})
    newsroom.kill(article)
    waiting = until(lambda: (shown := row(newsroom, article))["status"] == "killed" and shown, "the kill to be taken")
    assert not waiting["confirmed"]
    # On a machine that does much else it may have been by now.
    assert waiting["why"] == "its page was not looked at yet" or portal.looks(path)

    found = until_seen(newsroom, article, "there")
    assert not found["confirmed"]
    assert found["why"].startswith(f"text still at {portal.pages.url}/s10/pages/{path} at ")
    assert 1 <= found["page"]["looks"] <= len(portal.looks(path))
    assert report(newsroom, article)["unconfirmed"] == 1
    shown = dateline("coverage", article, "--config", str(newsroom.config))
    assert "Not confirmed by 1: s10" in shown.stdout
    receiver.until(lambda: told(receiver, article) == ["article.still_there"], 20, "the alarm")

    looks = len(portal.looks(path))
    newsroom.look_now(portal.name, portal.name, article)
    receiver.until(lambda: len(portal.looks(path)) > looks, 20, "another look")
    portal.shows(path, 302, b"", {"Location": "/"})
    newsroom.look_now(portal.name, portal.name, article)
    assert "answered 302 Found" in until_seen(newsroom, article, "unproven")["why"]
    portal.shows(path, 200, b"<p>still/1 was withdrawn.</p>", {"Content-Type": "text/html"})
    newsroom.look_now(portal.name, portal.name, article)
    gone = until_seen(newsroom, article, "gone")
    assert gone["confirmed"]
    assert gone["why"].endswith("the page has none of the text")
    whole = report(newsroom, article)
    assert whole["unconfirmed"] == 0
    assert whole["seconds_to_the_last"] > 4
    assert "Ferries" not in json.dumps(whole)
    receiver.until(lambda: len(told(receiver, article)) >= 2, 20, "the end of the alarm")
    assert ["article.still_there", "article.gone"] == told(receiver, article)
    assert {"key-of-s10"} == {look.headers.get("x-key") for look in portal.looks(path)}

    metrics = requests.get(f"{newsroom.base_url}/metrics", timeout=60).text
    assert 'dateline_readbacks_total{verdict="there"}' in metrics
    assert "Ferries" not in metrics


def test_a_page_on_another_host_is_not_shown_who_we_are(newsroom: Newsroom, portals: dict[str, Portal]) -> None:
    portal, article = portals["s11"], "else-1"
    publish(newsroom, portal, article)
    # It does not know the article (any more), and says so to the kill and on the page.
    portal.pushes.behave["/s11"] = lambda _: (404, b"no such article")
    portal.shows(article, 404, b"no such page")
    newsroom.kill(article)
    newsroom.receiver.until(lambda: row(newsroom, article)["status"] == "refused-killed", 20, "the refusal")
    newsroom.look_now(portal.name, portal.name, article)
    # Not by what was seen before it.
    newsroom.receiver.until(lambda: row(newsroom, article)["confirmed"] is True, 20, "the proof")
    gone = until_seen(newsroom, article, "gone")
    assert gone["standing"] in ("behind", "refused")
    assert (gone["status"], gone["confirmed"]) == ("refused-killed", True)
    assert [None] == list({look.headers.get("x-key") for look in portal.looks(article)})
    assert "key-of-s11" in {push.headers["x-key"] for push in portal.pushes.at("/s11")}
    newsroom.receiver.until(lambda: told(newsroom.receiver, article) == ["kill.refused"], 20, "the alarm")


def test_a_page_that_was_gone_before_the_kill_was_taken_is_looked_at_again(
    newsroom: Newsroom, portals: dict[str, Portal]
) -> None:
    portal, receiver, article = portals["s12"], newsroom.receiver, "late-1"
    publish(newsroom, portal, article)
    answers: list[Answer] = [(503, b"")]
    receiver.behave["/s12"] = lambda _: answers[-1]
    portal.shows(article, 404, b"no such page as yet")
    newsroom.kill(article)
    early = until_seen(newsroom, article, "gone")
    assert (early["standing"], early["confirmed"]) == ("behind", False)
    portal.shows(article, 200, f"<h1>{HEADLINE}</h1>".encode(), {"Content-Type": "text/html"})
    answers.append((204, b""))
    newsroom.store.receivers.bring_forward("s12", {"endpoint:s12": clock.ms(clock.now())})
    receiver.until(lambda: row(newsroom, article)["status"] == "killed", 60, "the kill to be taken")
    assert not row(newsroom, article)["confirmed"]
    assert not until_seen(newsroom, article, "there")["confirmed"]


def test_an_article_that_comes_back_is_not_looked_for(newsroom: Newsroom, portals: dict[str, Portal]) -> None:
    portal, receiver, article = portals["s12"], newsroom.receiver, "back-7"
    receiver.behave.pop("/s12", None)
    publish(newsroom, portal, article)
    newsroom.kill(article)
    receiver.until(lambda: row(newsroom, article)["status"] == "killed", 20, "the kill to be taken")
    newsroom.send(published(article, "s12", 6, headline=HEADLINE) | {"type": "article.reinstated"})
    receiver.until(lambda: row(newsroom, article)["status"] == "published", 20, "the article to be back")
    assert row(newsroom, article)["page"] is None
    receiver.until(
        lambda: not newsroom.store.page_checks.sightings("s12", ["s12"], article), 20, "the page to be forgotten"
    )
    # It is looked at some seconds after a kill: on a machine that does much else maybe before it was back.
    assert len(portal.looks(article)) <= 1
    held = newsroom.store.articles.get(article)
    assert held is not None
    assert held.fingerprints == ()


def test_an_endpoint_that_gets_feeds_is_read_back_too(newsroom: Newsroom, portals: dict[str, Portal]) -> None:
    portal, article = portals["s13"], "fed-7"
    publish(newsroom, portal, article)
    portal.shows(article, 410, b"")
    newsroom.kill(article)
    newsroom.receiver.until(lambda: row(newsroom, article)["status"] == "killed", 20, "the kill to be taken")
    newsroom.look_now(portal.name, portal.name, article)
    gone = until_seen(newsroom, article, "gone")
    assert (gone["status"], gone["confirmed"]) == ("killed", True)


def test_what_is_not_killed_is_not_looked_at(newsroom: Newsroom, portals: dict[str, Portal]) -> None:
    portal, receiver, article = portals["s10"], newsroom.receiver, "held-7"
    publish(newsroom, portal, article)
    newsroom.publish(article, "s10", 2, headline=HEADLINE, pubstatus="withheld")
    receiver.until(lambda: row(newsroom, article)["status"] == "withdrawn", 20, "the withdrawal")
    assert (row(newsroom, article)["page"], portal.looks(article)) == (None, [])
    assert newsroom.store.page_checks.sightings("s10", ["s10"], article) == {}
