"""What the desk can prove after a kill, and how it arranges its lists."""

from __future__ import annotations

import json
from typing import Any

import requests
from command_line import dateline
from newsroom import TOKEN, Newsroom
from receiver import Request

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def report(newsroom: Newsroom, article_id: str) -> dict[str, Any]:
    answer = requests.get(f"{newsroom.base_url}/api/articles/{article_id}/coverage", headers=AUTHORIZED, timeout=60)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told: dict[str, Any] = answer.json()
    return told


def test_a_kill_is_reported_until_everybody_has_confirmed_it(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    newsroom.publish("gone-1", "s5")
    receiver.until(lambda: kinds(receiver.at("/p5"), "gone-1") == ["article.published"], 20, "the article")
    receiver.behave["/p5"] = lambda _: (503, b"busy")
    newsroom.kill("gone-1")
    receiver.until(lambda: len(kinds(receiver.at("/p5"), "gone-1")) > 1, 20, "a try to tell of the kill")
    receiver.until(lambda: report(newsroom, "gone-1")["receivers"][0]["why"] != "", 20, "the failure to be kept")

    told = report(newsroom, "gone-1")
    [row] = told["receivers"]
    assert ("canceled", 0, 1, None) == (
        told["article"]["pubstatus"],
        told["confirmed"],
        told["unconfirmed"],
        told["seconds_to_the_last"],
    )
    assert ("p5", "behind", False, "answered 503 Service Unavailable") == (
        row["receiver"],
        row["standing"],
        row["confirmed"],
        row["why"],
    )
    assert "headline" not in json.dumps(told)
    shown = dateline("coverage", "gone-1", "--config", str(newsroom.config))
    assert "Not confirmed by 1: p5" in shown.stdout

    receiver.behave.pop("/p5")
    receiver.until(lambda: report(newsroom, "gone-1")["confirmed"] == 1, 40, "the kill to be confirmed")
    told = report(newsroom, "gone-1")
    assert ("killed", 0) == (told["receivers"][0]["status"], told["unconfirmed"])
    assert told["seconds_to_the_last"] > 0
    shown = dateline("coverage", "gone-1", "--config", str(newsroom.config))
    assert "Confirmed by all, the last endpoint" in shown.stdout


def test_an_endpoint_that_never_had_the_article_has_nothing_to_confirm(newsroom: Newsroom) -> None:
    newsroom.kill("never-there")
    receiver = newsroom.receiver
    receiver.until(lambda: newsroom.store.articles.get("never-there") is not None, 20, "the kill")
    assert (report(newsroom, "never-there")["unconfirmed"], report(newsroom, "never-there")["receivers"]) == (0, [])


def test_nor_has_one_that_is_down(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver
    receiver.behave["/p4"] = lambda _: (503, b"down")
    newsroom.publish("missed-1", "s4")
    receiver.until(lambda: kinds(receiver.at("/p4"), "missed-1"), 20, "a try that fails")
    newsroom.publish("missed-2", "s4")
    # A kill does not wait for what was published before it.
    receiver.until(lambda: newsroom.store.articles.get("missed-2") is not None, 20, "the article")
    newsroom.kill("missed-2")

    def killed() -> bool:
        held = newsroom.store.articles.get("missed-2")
        return held is not None and held.article.pubstatus == "canceled"

    receiver.until(killed, 20, "the kill")

    def confirmed() -> bool:
        found = report(newsroom, "missed-2")
        tried = kinds(receiver.at("/p4"), "missed-2")
        return bool(tried) or (found["unconfirmed"], len(found["receivers"])) == (0, 1)

    receiver.until(confirmed, 20, "that it has nothing to confirm")
    receiver.behave.pop("/p4")


def test_an_embargo_is_said(newsroom: Newsroom) -> None:
    until = "2099-03-01T10:00:00Z"
    newsroom.publish("held-1", "s6", embargoed=until)
    newsroom.receiver.until(lambda: newsroom.store.articles.get("held-1") is not None, 20, "the article")
    assert report(newsroom, "held-1")["embargoed"] == "2099-03-01T10:00:00+00:00"
    shown = dateline("coverage", "held-1", "--config", str(newsroom.config))
    assert "Under embargo until 2099-03-01 10:00:00 UTC" in shown.stdout


def test_who_asks_must_have_a_token(newsroom: Newsroom) -> None:
    url = f"{newsroom.base_url}/api/articles/gone-1/coverage"
    assert requests.get(url, timeout=60).status_code == 401
    assert requests.get(url, headers={"Authorization": "Bearer no"}, timeout=60).status_code == 401
    unknown = requests.get(url.replace("gone-1", "no/such"), headers=AUTHORIZED, timeout=60)
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "No article of this id was ever published here.")


def test_a_list_is_arranged_and_shown(newsroom: Newsroom) -> None:
    config = ("--config", str(newsroom.config))
    name = "Editor Picks"
    unknown = dateline("list", "no-such", *config)
    assert (unknown.returncode, "known:" in unknown.stderr) == (2, True)
    newsroom.publish("pick-1", "s6")
    newsroom.publish("pick-2", "s6")
    newsroom.receiver.until(lambda: newsroom.store.changes.size("s6") >= 2, 20, "the articles")

    arranged = dateline("list", name, "pick-2", "pick-1", "pick-9", *config)
    assert (arranged.returncode, "Not published here as yet: pick-9" in arranged.stdout) == (0, True), arranged.stderr
    lists = newsroom.store.lists
    newsroom.receiver.until(lambda: len(lists.get_many([name])[name]) == 3, 20, "the list")
    shown = dateline("list", name, *config).stdout
    assert [line.split()[1] for line in shown.splitlines()[:3]] == ["pick-2", "pick-1", "pick-9"]


def test_a_kill_reaches_an_endpoint_whose_feed_the_article_left_long_ago(newsroom: Newsroom) -> None:
    receiver = newsroom.receiver

    def told(kind: str) -> bool:
        return kinds(receiver.at("/p7"), "left-1")[-1:] == [f"article.{kind}"]

    newsroom.publish("left-1", "s7")
    receiver.until(lambda: told("published"), 20, "the article")
    newsroom.publish("left-1", "elsewhere", 2)
    receiver.until(lambda: told("withdrawn"), 20, "the withdrawal")
    newsroom.kill("left-1")
    receiver.until(lambda: told("killed"), 20, "the kill")
    receiver.until(lambda: report(newsroom, "left-1")["unconfirmed"] == 0, 20, "the confirmation")

    assert kinds(receiver.at("/p7"), "left-1") == ["article.published", "article.withdrawn", "article.killed"]


def kinds(pushes: list[Request], article: str) -> list[str]:
    """What an endpoint was told of one article, in order."""
    told = [json.loads(push.body) for push in pushes]
    return [event["type"] for event in told if event["article"]["id"] == article]
