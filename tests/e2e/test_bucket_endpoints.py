"""Endpoints that are buckets, in a newsroom that runs: order, kills and their proof, outages, refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from bucket_server import BucketRequest, BucketServer, away
from command_line import dateline
from newsroom import TOKEN, Newsroom, start
from pictures import picture
from receiver import Receiver
from werkzeug.wrappers import Response

from worker.receivers.ledger import LedgerEntry

PATIENCE = 60
BESIDE = "companions = { pictures = true, renditions = [32] }\n[endpoints.s3]"


def endpoint(server: BucketServer, name: str, section: str, more: str = "", *, url: str = "", secret: str = "") -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "s3"\nformat = "json"\n'
        f'url = "{url or f"{server.url}/{server.name}"}"\n'
        f'[endpoints.s3]\nkey_id = "{server.key_id}"\nsecret = "{secret or server.secret}"\n'
        f'name = "{name}/{{id}}.{{ext}}"\n{more}\n'
    )


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    server = BucketServer("herald")
    yield server
    server.close()


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, server: BucketServer
) -> Iterator[Newsroom]:
    more = "".join(
        (
            endpoint(server, "notice", "s20"),
            endpoint(server, "remove", "s21", 'on_kill = "remove"\nall_versions = true'),
            endpoint(server, "closed", "s22", secret="not the secret"),
            endpoint(server, "inside", "s23", url="http://10.0.0.1/bucket"),
            endpoint(server, "choosy", "s24"),
            endpoint(server, "away", "s25"),
            endpoint(server, "tested", "s26"),
            endpoint(server, "pictures", "s27").replace("[endpoints.s3]", BESIDE),
        )
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


@pytest.fixture(autouse=True)
def obliging(server: BucketServer) -> None:
    server.behave = lambda _: None


def at(server: BucketServer, key: str) -> tuple[str, int]:
    """What lies under a key: type and version; ("", 0) when nothing does."""
    if key not in server.names():
        return "", 0
    try:
        event = json.loads(server.text(key))
    except server.s3.exceptions.NoSuchKey:
        # It was removed in between.
        return "", 0
    return event["type"].removeprefix("article."), event["article"]["version"]


def row(newsroom: Newsroom, article_id: str) -> dict[str, Any]:
    """What coverage says of the one endpoint that has an article."""
    url = f"{newsroom.base_url}/api/articles/{article_id}/coverage"
    report = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()
    return next(iter(report.get("receivers", ())), {})


def verdict(newsroom: Newsroom, article_id: str) -> Any:
    """What was seen at the endpoint after the kill; None: nothing yet."""
    return (row(newsroom, article_id).get("page") or {}).get("verdict")


def why(newsroom: Newsroom, feed: str, name: str) -> str:
    """Why an endpoint is paused; "" while it is not."""
    [receiver] = newsroom.receivers(feed)
    assert receiver.details["endpoint"] == name
    return receiver.remembered.reason if receiver.state == "paused" else ""


def test_an_article_its_correction_and_its_kill(newsroom: Newsroom, server: BucketServer) -> None:
    newsroom.publish("n-1", "s20")
    server.until(lambda: at(server, "notice/n-1.json") == ("published", 1), "the article")
    newsroom.publish("n-1", "s20", 2)
    server.until(lambda: at(server, "notice/n-1.json") == ("corrected", 2), "the correction")
    newsroom.kill("n-1")
    server.until(lambda: at(server, "notice/n-1.json") == ("killed", 3), "the notice")

    assert "This is the text" not in server.text("notice/n-1.json").decode()
    server.until(lambda: row(newsroom, "n-1").get("status") == "killed", "the kill to be noted")
    newsroom.look_now("s20", "notice", "n-1")
    server.until(lambda: verdict(newsroom, "n-1") == "gone", "the proof")
    entry = LedgerEntry.parse(newsroom.store.ledgers.read_one("s20", "notice", ["n-1"])["n-1"])
    assert json.loads(entry.remote) == {"notice/n-1.json": server.head("notice/n-1.json")["ETag"]}


def test_pictures_lie_beside_the_article_and_go_with_it(
    newsroom: Newsroom, server: BucketServer, shared_receiver: Receiver
) -> None:
    shared_receiver.behave["/pier.png"] = lambda _: (200, picture(64, 48))
    newsroom.publish("p-1", "s27", images=[{"url": f"{shared_receiver.url}/pier.png"}])
    server.until(lambda: at(server, "pictures/p-1.json") == ("published", 1), "the article")
    (image,) = json.loads(server.text("pictures/p-1.json"))["article"]["images"]
    assert image["url"].endswith("-w32.png")
    assert (image["width"], image["height"]) == (32, 24)
    assert server.head(f"pictures/{image['url']}")["ContentType"] == "image/png"
    newsroom.kill("p-1")
    server.until(lambda: at(server, "pictures/p-1.json") == ("killed", 2), "the notice")
    server.until(lambda: f"pictures/{image['url']}" not in server.names(), "the picture to be gone")
    server.until(lambda: verdict(newsroom, "p-1") == "gone", "the proof")


def test_a_kill_while_the_article_is_on_its_way(newsroom: Newsroom, server: BucketServer) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold(request: BucketRequest) -> None:
        if request.method == "PUT" and not arrived.is_set():
            arrived.set()
            assert go_on.wait(PATIENCE)

    newsroom.publish("r-0", "s21")
    server.until(lambda: at(server, "remove/r-0.json") == ("published", 1), "the first")
    server.behave = hold
    newsroom.publish("r-1", "s21")
    assert arrived.wait(PATIENCE)
    newsroom.kill("r-1")
    go_on.set()

    server.until(lambda: row(newsroom, "r-1").get("status") == "killed", "the kill")
    newsroom.look_now("s21", "remove", "r-1")
    server.until(lambda: verdict(newsroom, "r-1") == "gone", "the proof")
    assert (at(server, "remove/r-1.json"), server.versions("remove/r-1.json")) == (("", 0), [])
    assert at(server, "remove/r-0.json") == ("published", 1)


def test_after_an_outage_everything_lies_there_as_it_is_now(newsroom: Newsroom, server: BucketServer) -> None:
    server.behave = lambda request: away(request) if request.key.startswith("away/") else None
    for number in range(3):
        newsroom.publish(f"a-{number}", "s25")
    server.until(lambda: newsroom.store.changes.head("s25").seq == 3, "the articles")
    newsroom.publish("a-1", "s25", 2)
    newsroom.kill("a-2")
    # A kill that the store takes at once, because it is back, would be followed by what is not corrected yet.
    server.until(lambda: newsroom.store.changes.head("s25").seq == 5, "the correction and the kill")
    server.until(lambda: newsroom.store.receivers.counts("s25")["backoff"] == 1, "the failure")
    server.behave = lambda _: None

    expected = {"a-0": ("published", 1), "a-1": ("published", 2), "a-2": ("killed", 2)}
    server.until(
        lambda: {key: at(server, f"away/{key}.json") for key in expected} == expected, "everything, as it is now"
    )


def test_what_is_refused_for_good_is_parked_and_the_rest_goes_on(newsroom: Newsroom, server: BucketServer) -> None:
    too_large = Response("<Error><Code>EntityTooLarge</Code></Error>", 400, mimetype="application/xml")
    server.behave = lambda request: too_large if "/c-2." in request.key else None
    for number in (1, 2, 3):
        newsroom.publish(f"c-{number}", "s24")

    server.until(lambda: set(newsroom.store.attempts.parked("s24", "choosy")) == {"c-2"}, "c-2 to be parked")
    server.until(lambda: newsroom.is_settled("s24"), "the rest")
    assert [at(server, f"choosy/c-{number}.json")[1] for number in (1, 2, 3)] == [1, 0, 1]
    assert newsroom.store.attempts.parked("s24", "choosy")["c-2"].error == "answered 400 EntityTooLarge"


def test_wrong_credentials_pause_it_and_the_reason_says_so(newsroom: Newsroom, server: BucketServer) -> None:
    newsroom.publish("d-1", "s22")

    server.until(lambda: "answered 403 SignatureDoesNotMatch" in why(newsroom, "s22", "closed"), "the pause")
    assert at(server, "closed/d-1.json") == ("", 0)


def test_an_address_inside_is_refused(newsroom: Newsroom, server: BucketServer) -> None:
    newsroom.publish("i-1", "s23")

    def errors() -> list[str]:
        return [attempt.error for attempt in newsroom.attempts("s23", "inside", 1)]

    server.until(lambda: errors() == ["the address 10.0.0.1 is not allowed"], "the refusal")


def test_a_test_writes_an_object_and_removes_it(newsroom: Newsroom, server: BucketServer) -> None:
    server.requests.clear()

    done = dateline("endpoints", "test", "tested", "--config", str(newsroom.config))

    assert (done.returncode, done.stderr) == (0, "")
    assert [request.method for request in server.requests if request.key.startswith("tested/")] == ["PUT", "DELETE"]
    assert [key for key in server.names() if key.startswith("tested/")] == []


def test_no_secret_is_shown(newsroom: Newsroom, server: BucketServer) -> None:
    for words in (("endpoints",), ("endpoints", "--json"), ("settings",)):
        done = dateline(*words, "--config", str(newsroom.config))
        assert server.secret not in done.stdout + done.stderr
