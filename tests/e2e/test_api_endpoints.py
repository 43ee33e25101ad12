"""Apple News, Mastodon and Bluesky in a newsroom that runs: order, kills and their proof, outages, refusals, deaths."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
import requests
from apple_news_server import CHANNEL, KEY_ID, AppleNewsServer
from apple_news_server import SECRET as APPLE_SECRET
from command_line import dateline
from losing_server import ApiRequest, LosingServer
from mastodon_server import TOKEN as MASTODON_TOKEN
from mastodon_server import MastodonServer
from newsroom import TOKEN, Newsroom, start
from pds_server import HANDLE, PASSWORD, PdsServer
from receiver import Receiver

from worker.receivers.ledger import LedgerEntry

KINDS = ("apple-news", "mastodon", "bluesky")
ROLES = ("plain", "away", "choosy", "closed", "inside", "tested")
PATIENCE = 60


def section(kind: str, role: str) -> str:
    return f"s{10 + len(ROLES) * KINDS.index(kind) + ROLES.index(role)}"


def table(kind: str, role: str) -> str:
    wrong = role == "closed"
    match kind:
        case "apple-news":
            secret = "d3Jvbmc=" if wrong else APPLE_SECRET
            return f'[endpoints.apple_news]\nchannel = "{CHANNEL}"\nkey_id = "{KEY_ID}"\nsecret = "{secret}"\n'
        case "mastodon":
            return f'[endpoints.mastodon]\ntoken = "{"wrong" if wrong else MASTODON_TOKEN}"\n'
    return f'[endpoints.bluesky]\nhandle = "{HANDLE}"\npassword = "{"wrong" if wrong else PASSWORD}"\n'


def endpoint(kind: str, role: str, url: str) -> str:
    return (
        f'\n[[endpoints]]\nname = "{role}-{kind}"\nfeed = "{section(kind, role)}"\nkind = "{kind}"\n'
        f'format = "{"applenews" if kind == "apple-news" else "json"}"\n'
        f'url = "{"http://10.0.0.1" if role == "inside" else url}"\n{table(kind, role)}'
    )


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, LosingServer]]:
    servers = {"apple-news": AppleNewsServer(), "mastodon": MastodonServer(), "bluesky": PdsServer()}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, servers: Mapping[str, LosingServer]
) -> Iterator[Newsroom]:
    more = "".join(endpoint(kind, role, servers[kind].url) for kind in KINDS for role in ROLES)
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, servers: Mapping[str, LosingServer]) -> str:
    for server in servers.values():
        server.behave, server.lose = lambda _: None, lambda _: False
    return str(request.param)


@pytest.fixture
def server(kind: str, servers: Mapping[str, LosingServer]) -> LosingServer:
    return servers[kind]


def shown(server: LosingServer, article_id: str) -> list[int]:
    """Which versions of an article readers see there, one for each time that it is there."""
    if isinstance(server, AppleNewsServer):
        return [int(version) for version in server.versions(article_id)]
    assert isinstance(server, MastodonServer | PdsServer)
    texts = server.texts(f"{article_id}, version ")
    return [int(re.findall(rf"{article_id}, version (\d+)", text)[0]) for text in texts]


def writes(request: ApiRequest) -> bool:
    return request.method != "GET" and "Session" not in request.path


def row(newsroom: Newsroom, article_id: str) -> dict[str, Any]:
    """What coverage says of the one endpoint that has an article."""
    url = f"{newsroom.base_url}/api/articles/{article_id}/coverage"
    report = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()
    return next(iter(report.get("receivers", ())), {})


def verdict(newsroom: Newsroom, article_id: str) -> Any:
    """What was seen at the endpoint after the kill; None: nothing yet."""
    return (row(newsroom, article_id).get("page") or {}).get("verdict")


def test_an_article_its_correction_and_its_kill(newsroom: Newsroom, kind: str, server: LosingServer) -> None:
    feed, article_id = section(kind, "plain"), f"a1-{kind}"
    newsroom.publish(article_id, feed)
    server.until(lambda: shown(server, article_id) == [1], "the article")
    newsroom.publish(article_id, feed, 2)
    server.until(lambda: shown(server, article_id) == [2], "the correction")
    newsroom.kill(article_id)

    server.until(lambda: shown(server, article_id) == [], "the kill")
    server.until(lambda: row(newsroom, article_id).get("status") == "killed", "it to be noted")
    newsroom.look_now(feed, f"plain-{kind}", article_id)
    server.until(lambda: verdict(newsroom, article_id) == "gone", "the proof")
    entry = LedgerEntry.parse(newsroom.store.ledgers.read_one(feed, f"plain-{kind}", [article_id])[article_id])
    assert (entry.version, entry.label, bool(entry.remote)) == (3, "killed", True)


def test_a_kill_while_the_article_is_on_its_way(newsroom: Newsroom, kind: str, server: LosingServer) -> None:
    feed, article_id = section(kind, "plain"), f"a2-{kind}"
    arrived, go_on = threading.Event(), threading.Event()

    def hold(request: ApiRequest) -> None:
        if writes(request) and not arrived.is_set():
            arrived.set()
            assert go_on.wait(PATIENCE)

    server.behave = hold
    newsroom.publish(article_id, feed)
    assert arrived.wait(PATIENCE)
    newsroom.kill(article_id)
    go_on.set()

    server.until(lambda: row(newsroom, article_id).get("status") == "killed", "the kill")
    newsroom.look_now(feed, f"plain-{kind}", article_id)
    server.until(lambda: verdict(newsroom, article_id) == "gone", "the proof")
    assert shown(server, article_id) == []


def test_a_lost_answer_makes_no_second_one(newsroom: Newsroom, kind: str, server: LosingServer) -> None:
    feed, article_id = section(kind, "plain"), f"a3-{kind}"
    lost = threading.Event()

    def lose(request: ApiRequest) -> bool:
        if writes(request) and not lost.is_set():
            lost.set()
            return True
        return False

    server.lose = lose
    newsroom.publish(article_id, feed)
    server.until(lambda: row(newsroom, article_id).get("status") == "published", "the article")
    assert (lost.is_set(), shown(server, article_id)) == (True, [1])


def test_after_an_outage_everything_is_there_as_it_is_now(newsroom: Newsroom, kind: str, server: LosingServer) -> None:
    feed = section(kind, "away")
    head = newsroom.store.changes.head(feed).seq
    server.behave = lambda _: (503, None)
    ids = [f"a{number}-{kind}" for number in (4, 5, 6)]
    for article_id in ids:
        newsroom.publish(article_id, feed)
    server.until(lambda: newsroom.store.changes.head(feed).seq == head + 3, "the articles")
    newsroom.publish(ids[1], feed, 2)
    newsroom.kill(ids[2])
    # A kill that the store takes at once, because it is back, would be followed by what is not corrected yet.
    server.until(lambda: newsroom.store.changes.head(feed).seq == head + 5, "the correction and the kill")
    server.until(lambda: newsroom.store.receivers.counts(feed)["backoff"] == 1, "the failure")
    server.behave = lambda _: None

    server.until(lambda: [shown(server, article_id) for article_id in ids] == [[1], [2], []], "all as it is now")
    server.until(lambda: newsroom.is_settled(feed), "the rest")


def test_what_is_refused_for_good_is_parked_and_the_rest_goes_on(
    newsroom: Newsroom, kind: str, server: LosingServer
) -> None:
    feed, name = section(kind, "choosy"), f"choosy-{kind}"
    refusal = 400, {"error": "InvalidRequest", "errors": [{"code": "INVALID_DOCUMENT"}]}
    server.behave = lambda request: refusal if f"a8-{kind}".encode() in request.body else None
    ids = [f"a{number}-{kind}" for number in (7, 8, 9)]
    for article_id in ids:
        newsroom.publish(article_id, feed)

    server.until(lambda: set(newsroom.store.attempts.parked(feed, name)) == {ids[1]}, "a8 to be parked")
    server.until(lambda: newsroom.is_settled(feed), "the rest")
    assert [shown(server, article_id) for article_id in ids] == [[1], [], [1]]
    assert newsroom.store.attempts.parked(feed, name)[ids[1]].error.startswith("answered 400")
    assert (row(newsroom, ids[1])["standing"], "answered 400" in str(row(newsroom, ids[1]))) == ("parked", True)


def test_wrong_credentials_pause_it_and_the_reason_says_so(newsroom: Newsroom, kind: str, server: LosingServer) -> None:
    feed, article_id = section(kind, "closed"), f"a10-{kind}"
    newsroom.publish(article_id, feed)

    def why() -> str:
        [receiver] = newsroom.store.receivers.get_many(feed, [f"endpoint:closed-{kind}"])
        return receiver.remembered.reason if receiver.state == "paused" else ""

    server.until(lambda: "answered 40" in why(), "the pause")
    assert shown(server, article_id) == []


def test_an_address_inside_is_refused(newsroom: Newsroom, kind: str, server: LosingServer) -> None:
    feed = section(kind, "inside")
    newsroom.publish(f"a11-{kind}", feed)

    def errors() -> set[str]:
        return {attempt.error for attempt in newsroom.attempts(feed, f"inside-{kind}", 5)}

    server.until(lambda: errors() == {"the address 10.0.0.1 is not allowed"}, "the refusal")


def test_a_test_leaves_nothing(newsroom: Newsroom, kind: str, server: LosingServer) -> None:
    server.requests.clear()

    done = dateline("endpoints", "test", f"tested-{kind}", "--config", str(newsroom.config))

    assert (done.returncode, done.stderr) == (0, "")
    assert sum(map(writes, server.requests)) == 2
    match server:
        case AppleNewsServer():
            assert not any(entry["isPreview"] for entry in server.articles.values())
        case MastodonServer():
            assert not any(status["visibility"] == "direct" for status in server.statuses.values())
        case PdsServer():
            assert {collection for collection, _ in server.records} <= {"app.bsky.feed.post"}


def test_no_secret_is_shown(newsroom: Newsroom) -> None:
    for words in (("endpoints",), ("endpoints", "--json"), ("settings",)):
        done = dateline(*words, "--config", str(newsroom.config))
        for secret in (APPLE_SECRET, MASTODON_TOKEN, PASSWORD, KEY_ID):
            assert secret not in done.stdout + done.stderr


def test_workers_that_die_before_they_have_their_answers_make_no_second_one(
    newsroom: Newsroom, servers: Mapping[str, LosingServer]
) -> None:
    carried_out, go_on = {kind: threading.Event() for kind in KINDS}, threading.Event()

    def hold(kind: str, request: ApiRequest) -> bool:
        if not writes(request) or carried_out[kind].is_set():
            return False
        carried_out[kind].set()
        assert go_on.wait(PATIENCE)
        return True

    for kind, server in servers.items():
        server.behave, server.lose = lambda _: None, partial(hold, kind)
    watch = threading.Thread(target=newsroom.stack.watch, daemon=True)
    watch.start()
    for kind in KINDS:
        newsroom.publish(f"a12-{kind}", section(kind, "plain"))
    assert all(event.wait(PATIENCE) for event in carried_out.values())
    for child in newsroom.stack.children[1:3]:
        assert child.process is not None
        os.kill(child.process.pid, signal.SIGKILL)
    for kind in KINDS:
        newsroom.publish(f"a12-{kind}", section(kind, "plain"), 2)
    go_on.set()

    for kind, server in servers.items():
        server.until(lambda: shown(server, f"a12-{kind}") == [2], "the correction")  # noqa: B023 (at once)
    newsroom.stack.stop()
    watch.join(PATIENCE)
