"""What is in a channel of Apple News, whatever comes between. The API is a model of ours that loses answers."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from apple_news_server import CHANNEL, KEY_ID, SECRET, AppleNewsServer, problem
from contract.caller import Caller, arrived
from contract.misbehaving import PATIENCE
from contract.pusher import Pusher
from losing_server import ApiRequest

from worker.destinations.apple_news import Channel
from worker.outbound.errors import Fault, RequestPending
from worker.outbound.hhmac import ApiKey
from worker.outbound.transfer import Answer


@pytest.fixture(scope="module")
def server() -> Iterator[AppleNewsServer]:
    server = AppleNewsServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def obliging(server: AppleNewsServer) -> None:
    server.behave, server.lose = lambda _: None, lambda _: False
    server.articles.clear()
    server.optimized.clear()
    server.requests.clear()
    server.repeats = server.refuses_twins = False
    server.throttling = {"isThrottled": False, "quotaAvailable": 200, "queueSize": 0}


class Writer(Pusher):
    """Pushes articles to the channel of the model."""

    def __init__(self, caller: Caller, server: AppleNewsServer, article_id: str = "", **more: Any) -> None:
        key = ApiKey(more.pop("key_id", KEY_ID), more.pop("secret", SECRET))
        channel = Channel(caller.engine, server.url, more.pop("channel", CHANNEL), key, **more)
        super().__init__(caller, channel, "applenews", article_id)


def writes(request: ApiRequest) -> bool:
    return request.method != "GET"


def test_an_article_is_created_and_what_apple_calls_it_is_noted(caller: Caller, server: AppleNewsServer) -> None:
    section = "0a468272-356f-3b61-afa3-c4f989954180"
    writer = Writer(caller, server, sections={"world": section})

    answer = writer.push(1, section="world")

    assert (answer.status, answer.fault, answer.message, answer.started) == (200, None, "", True)
    [entry] = server.of(writer.id)
    assert entry["document"] == json.loads(writer.message(1, section="world").text)
    assert (entry["isPreview"], entry["links"]) == (False, {"sections": [f"{server.url}/sections/{section}"]})
    remote = json.loads(writer.remote)
    assert (remote["id"], remote["revision"]) == (entry["id"], entry["revision"])
    assert server.calls() == ["POST"]


def test_a_correction_names_the_last_revision(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    for version in (1, 2, 3):
        assert writer.push(version).status == 200

    assert server.versions(writer.id) == ["3"]
    assert server.calls() == ["POST"] * 3


def test_a_kill_deletes_it_and_a_look_proves_it(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    before = writer.look()

    answer = writer.push(2, "killed")

    [article_id] = {request.path.rpartition("/")[2] for request in server.requests if request.method == "DELETE"}
    assert (before.status, before.message) == (200, f"article {article_id} is there: LIVE")
    assert (answer.status, server.of(writer.id), writer.look().status) == (200, [], 404)


def test_a_withdrawn_article_that_comes_back_is_created_anew(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    first = json.loads(writer.remote)["id"]
    writer.push(1, "withdrawn")

    assert writer.push(2).status == 200

    assert server.versions(writer.id) == ["2"]
    assert json.loads(writer.remote)["id"] != first
    assert writer.push(3, "killed").status == 200
    assert server.articles == {}


@pytest.mark.parametrize("repeats", [False, True], ids=["searches name articles", "searches repeat documents"])
def test_after_a_lost_answer_it_is_read_and_not_written_twice(
    caller: Caller, server: AppleNewsServer, repeats: bool
) -> None:
    for number in range(4):
        Writer(caller, server, f"other-{number}").push(1)
    server.repeats = repeats
    writer = Writer(caller, server)
    server.lose = writes
    lost = writer.push(1)
    server.lose = lambda _: False
    for number in range(4, 7):
        Writer(caller, server, f"other-{number}").push(1)
    server.requests.clear()

    again = writer.push(1, doubtful=True)

    assert (lost.fault, lost.started, again.status) == (Fault.RESET, True, 200)
    assert set(server.calls()) == {"GET"}
    assert server.versions(writer.id) == ["1"]
    server.lose = writes
    writer.push(2)
    server.lose = lambda _: False
    server.requests.clear()
    assert writer.push(2, doubtful=True).status == 200
    assert server.calls() == ["GET"]
    assert writer.push(3).status == 200
    assert server.versions(writer.id) == ["3"]


def test_what_arrived_is_brought_up_to_date_when_there_is_a_newer_version(
    caller: Caller, server: AppleNewsServer
) -> None:
    writer = Writer(caller, server)
    server.lose = writes
    writer.push(1)
    server.lose = lambda _: False

    assert writer.push(2, doubtful=True).status == 200
    assert server.versions(writer.id) == ["2"]


def test_a_kill_after_a_lost_answer_finds_the_article(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    server.lose = writes
    writer.push(1)
    server.lose = lambda _: False
    assert len(server.of(writer.id)) == 1

    assert writer.push(2, "killed", doubtful=True).status == 200
    assert (server.of(writer.id), writer.look().status) == ([], 404)


def test_a_kill_of_what_never_came(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)

    assert writer.push(1, "killed", doubtful=True).status == 200
    assert (writer.look().status, set(server.calls())) == (404, {"GET"})


def test_a_kill_removes_what_was_held_up_on_its_way_too(caller: Caller, server: AppleNewsServer) -> None:
    slow = Writer(caller, server)
    held, go_on = threading.Event(), threading.Event()

    def hold(request: ApiRequest) -> None:
        if request.method == "POST" and not held.is_set():
            held.set()
            assert go_on.wait(PATIENCE)

    server.behave = hold
    late = slow.begin(slow.message(1))
    assert held.wait(PATIENCE)
    # The claim has expired: another worker goes on.
    quick = Writer(caller, server, slow.id)
    assert quick.push(2, doubtful=True).status == 200
    go_on.set()
    assert arrived(late).status == 200
    assert len(server.of(slow.id)) == 2

    assert quick.push(3, "killed").status == 200
    assert (server.of(slow.id), quick.look().status) == ([], 404)


def test_a_look_sees_what_came_after_the_kill(caller: Caller, server: AppleNewsServer) -> None:
    slow, quick = Writer(caller, server, "hh-late"), Writer(caller, server, "hh-late")
    quick.push(2, "killed", doubtful=True)
    slow.push(1)

    assert quick.look().status == 200


def test_an_older_version_never_replaces_a_newer_one(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    behind = writer.remote
    writer.push(3)
    writer.remote = behind

    answer = writer.push(2)

    assert (answer.status, answer.message) == (409, "Apple News has version 3, which is newer")
    assert server.versions(writer.id) == ["3"]


def test_what_was_changed_there_is_replaced_and_told(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    server.edit(server.of(writer.id)[0]["id"], title="Somebody's own")

    answer = writer.push(2)

    assert (answer.status, answer.message) == (200, "it was changed at Apple News meanwhile, and is replaced")
    assert server.of(writer.id)[0]["document"] == json.loads(writer.message(2).text)
    assert writer.push(3).message == ""


def test_what_was_deleted_there_is_created_anew_and_told(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    server.articles.clear()

    answer = writer.push(2)

    assert (answer.status, answer.message) == (200, "it was deleted at Apple News meanwhile, and is created anew")
    assert server.versions(writer.id) == ["2"]
    server.articles.clear()
    assert writer.push(3, "killed").status == 200


def test_what_apples_editors_have_laid_out_takes_no_updates(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    server.optimized.add(server.of(writer.id)[0]["id"])

    answer = writer.push(2)

    assert (answer.status, answer.fault) == (409, None)
    assert answer.message.startswith("Apple's editors have laid this article out by hand")


def test_somebody_who_changes_it_again_and_again(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    server.behave = lambda request: problem(409, "WRONG_REVISION") if request.method == "POST" else None

    answer = writer.push(2)

    assert (answer.status, answer.message) == (503, "somebody else changes it at Apple News at the same time")


def test_a_twin_of_ours_is_updated_and_one_of_others_is_left_alone(caller: Caller, server: AppleNewsServer) -> None:
    server.refuses_twins = True
    writer = Writer(caller, server)
    writer.push(1)
    writer.remote = ""
    assert writer.push(2, headline=f"Ferries of {writer.id}, version 1").status == 200
    assert server.versions(writer.id) == ["2"]

    other = Writer(caller, server)
    answer = other.push(1, headline=f"Ferries of {writer.id}, version 1")

    twin = server.of(writer.id)[0]["id"]
    assert (answer.status, answer.message) == (400, f"the channel has an article of the same title or address: {twin}")
    assert server.versions(writer.id) == ["2"]


def test_what_apple_queues_is_followed_by_nothing_but_kills(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    server.throttling = {"isThrottled": True, "quotaAvailable": 0, "queueSize": 42, "estimatedDelayInSeconds": 126}

    assert writer.push(2).status == 200
    with pytest.raises(RequestPending) as pending:
        writer.push(3)

    assert 100 < pending.value.seconds <= 126
    assert writer.push(4, "killed").status == 200


@pytest.mark.parametrize(("header", "delay", "expected"), [("30", 0, 30), ("", 12, 12), ("", 0, 0)])
def test_too_many_requests(caller: Caller, server: AppleNewsServer, header: str, delay: int, expected: int) -> None:
    throttling = {"isThrottled": True, "estimatedDelayInSeconds": delay} if delay else {}
    body = {"errors": [{"code": "TOO_MANY_REQUESTS"}], "meta": {"throttling": throttling}}
    server.behave = lambda _: (429, body, {"Retry-After": header} if header else {})

    answer = Writer(caller, server).push(1)

    assert (answer.status, answer.fault, answer.retry_after) == (429, None, expected)


@pytest.mark.parametrize(
    ("settings", "status", "code"),
    [
        ({"secret": "d3Jvbmc="}, 403, "WRONG_SIGNATURE"),
        ({"key_id": "another"}, 403, "API_KEY_NOT_FOUND"),
        ({"channel": "00000000-2c4d-3530-af91-819be8c3ace0"}, 404, "NOT_FOUND"),
    ],
)
def test_whoever_is_not_let_in_needs_a_person(
    caller: Caller, server: AppleNewsServer, settings: dict[str, str], status: int, code: str
) -> None:
    for writer in (Writer(caller, server, **settings), Writer(caller, server, **settings)):
        answer = writer.push(1, doubtful=writer.id.endswith("x"))
        assert (answer.fault, answer.message) == (Fault.DENIED, f"answered {status} {code}")


@pytest.mark.parametrize(
    ("status", "code", "fault", "message"),
    [
        (400, "INVALID_DOCUMENT", None, "answered 400 INVALID_DOCUMENT (article.json.components)"),
        (400, "ONLY_PREVIEW_ALLOWED", Fault.DENIED, "answered 400 ONLY_PREVIEW_ALLOWED (article.json.components)"),
        (500, "INTERNAL", None, "answered 500 INTERNAL (article.json.components)"),
        (302, "MOVED", Fault.PROTOCOL, "answered 302 with nothing that can be read"),
    ],
)
def test_what_apple_refuses(
    caller: Caller, server: AppleNewsServer, status: int, code: str, fault: Fault | None, message: str
) -> None:
    server.behave = lambda _: problem(status, code, "article.json", "components", value=SECRET)

    answer = Writer(caller, server).push(1)

    assert (answer.status, answer.fault, answer.message, answer.body) == (status, fault, message, b"")


@pytest.mark.parametrize("body", [None, [], {"data": {}}, {"data": {"id": 7}}, "text"])
def test_an_answer_that_names_no_article_leaves_a_doubt(caller: Caller, server: AppleNewsServer, body: Any) -> None:
    server.behave = lambda _: (201, body)

    answer = Writer(caller, server).push(1)

    assert (answer.fault, answer.started) == (Fault.PROTOCOL, True)


def test_no_other_address_is_called_for_the_next_page(caller: Caller, server: AppleNewsServer) -> None:
    elsewhere = {"data": [], "links": {"next": f"{server.url}/elsewhere?pageToken=1"}}
    server.behave = lambda request: (200, elsewhere) if request.method == "GET" else None

    assert Writer(caller, server).push(1, doubtful=True).status == 200
    assert not any("elsewhere" in request.target for request in server.requests)


def test_a_test_is_a_preview_and_leaves_nothing(caller: Caller, server: AppleNewsServer) -> None:
    writer = Writer(caller, server)
    writer.push(1, test=True)
    [entry] = server.of(writer.id)

    assert writer.push(2, "killed", test=True).status == 200
    assert (entry["isPreview"], server.articles) == (True, {})


def test_no_secret_is_in_what_is_shown(caller: Caller, server: AppleNewsServer) -> None:
    key = ApiKey(KEY_ID, SECRET)
    assert SECRET not in repr(key)
    server.lose = writes
    answer: Answer = Writer(caller, server).push(1)
    assert KEY_ID not in repr(answer)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_lost_there_is_one_article_in_its_latest_version(
    caller: Caller, server: AppleNewsServer, seed: int
) -> None:
    draw = random.Random(seed)
    writers = [Writer(caller, server, f"chaos-{seed}-{number}") for number in range(4)]
    latest = dict.fromkeys((writer.id for writer in writers), 0)
    killed: set[str] = set()
    server.lose = lambda _: draw.random() < 0.3
    server.repeats = seed % 2 == 0
    server.behave = lambda _: (503, None) if draw.random() < 0.1 else None
    for _ in range(40):
        writer = draw.choice(writers)
        if writer.id in killed:
            continue
        if draw.random() < 0.1 and server.of(writer.id):
            # Somebody at Apple's removes or changes it.
            article_id = server.of(writer.id)[0]["id"]
            if draw.random() < 0.5:
                del server.articles[article_id]
            else:
                server.edit(article_id, title="Somebody's own")
        latest[writer.id] += 1
        if draw.random() < 0.08:
            killed.add(writer.id)
            writer.push_until_taken(latest[writer.id], "killed")
        else:
            writer.push_until_taken(latest[writer.id])
    server.lose, server.behave = lambda _: False, lambda _: None

    for writer in writers:
        there = [] if writer.id in killed or not latest[writer.id] else [str(latest[writer.id])]
        assert server.versions(writer.id) == there
        assert (writer.look().status == 404) == (not there)
