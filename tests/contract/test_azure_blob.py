"""What reaches a container of Azure, whatever comes between: order, conditions, kills, lost answers.

Both peers judge by themselves whether requests are signed rightly: a model of ours, and Azurite where it is installed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from blob_server import ACCOUNT, KEY, Azurite, BlobServer
from contract.caller import Caller, arrived
from contract.misbehaving import PATIENCE
from contract.object_writer import ObjectWriter
from pictures import picture, picture_file
from werkzeug.wrappers import Request, Response

from feeds.formats import ARTICLE_FORMATS
from worker.destinations import azure_blob
from worker.destinations.azure_blob import Container
from worker.outbound.azure_shared_key import SharedKey
from worker.outbound.errors import Fault


@pytest.fixture(scope="module")
def server() -> Iterator[BlobServer]:
    server = BlobServer()
    yield server
    server.close()


@pytest.fixture(scope="module", params=["model", "azurite"])
def peer(
    request: pytest.FixtureRequest, server: BlobServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BlobServer | Azurite]:
    if request.param == "model":
        yield server
        return
    azurite = Azurite(tmp_path_factory.mktemp("azurite"))
    yield azurite
    azurite.close()


@pytest.fixture(autouse=True)
def obliging(server: BlobServer) -> None:
    server.behave, server.lose = lambda _: None, lambda _: False
    server.requests.clear()


class Writer(ObjectWriter):
    """One worker's container, and what it notes in the ledger of one article."""

    def __init__(self, caller: Caller, peer: BlobServer | Azurite, name: str = "{id}.{ext}", **more: Any) -> None:
        shared_key = SharedKey(ACCOUNT, more.pop("key", KEY))
        url = more.pop("url", peer.url)
        super().__init__(caller, Container(caller.engine, url, shared_key, name, ARTICLE_FORMATS["json"], **more))


def version_at(peer: BlobServer | Azurite, key: str) -> int:
    return int(json.loads(peer.text(key))["version"])


def test_an_article_its_correction_and_its_notice(caller: Caller, peer: BlobServer | Azurite) -> None:
    writer = Writer(caller, peer)
    answer = writer.push(1)
    assert (201, None, True) == (answer.status, answer.fault, answer.started)
    head = peer.head(writer.key)
    assert {
        "content-type": "application/json",
        "x-ms-meta-dateline_article": writer.id,
        "x-ms-meta-dateline_version": "1",
        "x-ms-meta-dateline_pubstatus": "usable",
        "x-ms-meta-dateline_message": f"msg_{writer.id}_1_published",
    }.items() <= head.items()
    assert (200, "version 1 lies under " + writer.key) == ((looked := writer.look()).status, looked.message)

    assert 201 == writer.push(2).status
    assert 2 == version_at(peer, writer.key)
    assert 201 == writer.push(3, "killed").status
    assert {"id": writer.id, "version": 3, "status": "killed"} == json.loads(peer.text(writer.key))
    assert 404 == writer.look().status


@pytest.mark.parametrize("kill", ["remove", "both"])
def test_a_kill_removes_every_version_also_those_that_only_names_tell_of(
    caller: Caller, peer: BlobServer | Azurite, kill: Any
) -> None:
    writer = Writer(caller, peer, "all/{id}-v{version}.{ext}", kill=kill)
    names = [f"all/{writer.id}-v{version}.json" for version in (1, 2, 3)]
    for version in (1, 2):
        assert 201 == writer.push(version).status
    writer.remote = ""
    assert 200 == writer.look().status
    assert writer.push(3, "killed").status in {200, 201, 202, 204}
    there = [name for name in peer.names() if writer.id in name]
    assert len(there) == (kill == "both"), (names, there)
    assert 404 == writer.look().status


def test_what_is_compressed_says_so(caller: Caller, peer: BlobServer | Azurite) -> None:
    writer = Writer(caller, peer, gzip=True)
    assert 201 == writer.push(1).status
    assert "gzip" == peer.head(writer.key)["content-encoding"]


def test_an_older_version_never_lies_on_a_newer_one(caller: Caller, peer: BlobServer | Azurite) -> None:
    slow, fast = Writer(caller, peer), Writer(caller, peer)
    fast.id, fast.key = slow.id, slow.key
    assert 201 == slow.push(1).status
    fast.remote = slow.remote
    assert 201 == fast.push(3).status
    answer = slow.push(2)
    assert (409, f"version 3 lies under {slow.key}, which is newer") == (answer.status, answer.message)
    assert 3 == version_at(peer, slow.key)


def test_what_is_of_somebody_else_is_left_alone(caller: Caller, peer: BlobServer | Azurite) -> None:
    theirs, ours = Writer(caller, peer), Writer(caller, peer)
    theirs.push(1)
    ours.objects = Container(
        caller.engine, peer.url, SharedKey(ACCOUNT, KEY), f"{theirs.id}.{{ext}}", ARTICLE_FORMATS["json"]
    )
    answer = ours.push(1)
    assert (409, True) == (answer.status, "is not of this article" in answer.message)
    assert theirs.id == json.loads(peer.text(theirs.key))["id"]


@pytest.mark.parametrize("wrong", ["key", "container"])
def test_who_is_not_let_in_hears_why(caller: Caller, peer: BlobServer | Azurite, wrong: str) -> None:
    more: dict[str, Any] = {"key": "bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50"} if wrong == "key" else {}
    if wrong == "container":
        more["url"] = peer.url.replace("portal-news", "nobody")
    answer = Writer(caller, peer, **more).push(1)
    code = {"key": "403 Auth", "container": "404 ContainerNotFound"}[wrong]
    assert Fault.DENIED == answer.fault
    assert code in answer.message
    assert KEY not in answer.message


def test_an_answer_that_is_lost_makes_no_second_write(caller: Caller, server: BlobServer) -> None:
    writer = Writer(caller, server)
    server.lose = lambda request: request.method == "PUT"
    assert writer.push(1).fault is not None
    server.lose = lambda _: False
    etag = server.blobs[writer.key].etag
    assert 200 == writer.push(1, doubtful=True).status
    assert etag == server.blobs[writer.key].etag
    assert {writer.key: etag} == json.loads(writer.remote)


def test_what_was_held_up_on_its_way_finds_its_condition_broken(caller: Caller, server: BlobServer) -> None:
    slow, fast = Writer(caller, server), Writer(caller, server)
    fast.id, fast.key = slow.id, slow.key
    come, go_on = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.method == "PUT" and not come.is_set():
            come.set()
            assert go_on.wait(PATIENCE)

    server.behave = hold
    answers = slow.begin(slow.message(1))
    assert come.wait(PATIENCE)
    assert 201 == fast.push(2).status
    go_on.set()
    assert 409 == arrived(answers).status
    assert 2 == version_at(server, slow.key)


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (500, "InternalError", None),
        (503, "ServerBusy", None),
        (413, "RequestBodyTooLarge", None),
        (403, "AccountIsDisabled", Fault.DENIED),
    ],
)
def test_what_it_answers_is_told_in_its_own_words(
    caller: Caller, server: BlobServer, status: int, code: str, fault: Fault | None
) -> None:
    text = f"<Error><Code>{code}</Code><Message>Not\nnow.</Message></Error>"
    server.behave = lambda _: Response(text, status)
    answer = Writer(caller, server).push(1)
    assert (status, f"answered {status} {code}: Not now.", fault) == (answer.status, answer.message, answer.fault)


def test_a_key_stands_in_no_repr() -> None:
    assert "SharedKey('myaccount')" == repr(SharedKey("myaccount", KEY))


def test_pictures_are_there_before_the_text_and_go_with_it(
    caller: Caller, peer: BlobServer | Azurite, tmp_path: Path
) -> None:
    writer = Writer(caller, peer, pictures=True, kill="remove")
    file = picture_file(tmp_path, writer.id, picture(colour="red"))
    sent = arrived(writer.begin(replace(writer.message(1), pictures=(file,))))
    assert (201, None) == (sent.status, sent.fault)
    there = [name for name in peer.names() if name.startswith(writer.id)]
    assert sorted([file.name, writer.key]) == there
    assert "image/png" == peer.head(file.name)["content-type"]
    # A kill finds what the ledger does not know.
    assert 200 == writer.look().status
    assert writer.push(2, "killed").status < 300
    assert [] == [name for name in peer.names() if name.startswith(writer.id)]
    assert 404 == writer.look().status


@pytest.fixture(scope="module")
def keeping() -> Iterator[BlobServer]:
    server = BlobServer(keeps_versions=True)
    yield server
    server.close()


@pytest.mark.parametrize("kill", ["notice", "remove"])
def test_a_kill_removes_what_an_account_keeps_of_earlier_versions(
    caller: Caller, keeping: BlobServer, kill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_blob, "KEYS_PER_LIST", 2)
    kept = Writer(caller, keeping, kill=kill)
    removing = Writer(caller, keeping, kill=kill, all_versions=True)
    for writer in (kept, removing):
        for version in range(1, 5):
            assert 201 == writer.push(version).status
        assert len(keeping.earlier[writer.key]) == 3
    # Nobody has asked for it here.
    assert kept.push(5, "killed").status < 300
    assert len(keeping.earlier[kept.key]) == 4
    assert 404 == kept.look().status
    held_up = removing.message(5, "killed")
    keeping.lose = lambda request: "versionid" in request.args
    assert arrived(removing.begin(held_up)).fault is not None
    keeping.lose = lambda _: False
    assert (200, f"older versions lie under {removing.key}") == ((looked := removing.look()).status, looked.message)
    assert removing.push(5, "killed", doubtful=True).status < 300
    assert keeping.earlier[removing.key] == {}
    assert (removing.key in keeping.names()) == (kill == "notice")
    assert 404 == removing.look().status


def test_an_account_that_keeps_no_versions_is_asked_in_vain(caller: Caller, peer: BlobServer | Azurite) -> None:
    writer = Writer(caller, peer, all_versions=True)
    for version in (1, 2):
        assert 201 == writer.push(version).status
    assert 201 == writer.push(3, "killed").status
    assert 404 == writer.look().status


def test_a_list_of_many_names_is_read_to_its_end(caller: Caller, server: BlobServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(azure_blob, "KEYS_PER_LIST", 2)
    writer = Writer(caller, server, "{id}-v{version}.{ext}", kill="remove")
    for version in range(1, 6):
        assert 201 == writer.push(version).status
    writer.remote = ""
    assert writer.push(6, "killed").status < 300
    assert [] == [name for name in server.names() if name.startswith(writer.id)]
