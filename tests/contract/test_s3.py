"""What reaches a bucket, whatever comes between: order, conditions, kills, lost answers. The store is moto's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bucket_server import BucketRequest, BucketServer
from contract.caller import Caller, arrived
from contract.misbehaving import PATIENCE
from contract.object_writer import ObjectWriter
from pictures import picture, picture_file
from werkzeug.wrappers import Response

from feeds.formats import ARTICLE_FORMATS
from worker.destinations.interface import Message
from worker.destinations.s3 import Bucket
from worker.outbound.errors import Fault
from worker.outbound.transfer import Answer, SigV4


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    server = BucketServer("portal")
    yield server
    server.close()


@pytest.fixture(autouse=True)
def obliging(server: BucketServer) -> None:
    server.behave, server.lose = lambda _: None, lambda _: False
    server.requests.clear()


class Writer(ObjectWriter):
    """One worker's bucket, and what it notes in the ledger of one article."""

    def __init__(self, caller: Caller, server: BucketServer, name: str = "{id}.{ext}", **more: Any) -> None:
        signature = more.pop("signature", SigV4(server.key_id, server.secret))
        url = more.pop("url", f"{server.url}/portal")
        self.bucket = Bucket(caller.engine, url, signature, name, ARTICLE_FORMATS["json"], **more)
        super().__init__(caller, self.bucket)


def version_at(server: BucketServer, key: str) -> int:
    return int(json.loads(server.text(key))["version"])


def test_an_article_is_an_object_that_says_what_it_is(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)

    answer = writer.push(1)

    assert (answer.status, answer.fault, answer.started) == (200, None, True)
    head = server.head(writer.key)
    assert head["ContentType"] == "application/json"
    assert head["Metadata"] == {
        "dateline-article": writer.id,
        "dateline-version": "1",
        "dateline-pubstatus": "usable",
        "dateline-message": f"msg_{writer.id}_1_published",
    }
    assert [request.method for request in server.requests] == ["PUT"]
    assert server.requests[0].headers["HTTP_IF_NONE_MATCH"] == "*"


def test_a_correction_replaces_what_we_have_written(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    etag = json.loads(writer.remote)[writer.key]

    assert writer.push(2).status == 200

    assert version_at(server, writer.key) == 2
    assert [request.method for request in server.requests] == ["PUT", "PUT"]
    assert server.requests[1].headers["HTTP_IF_MATCH"] == etag


def test_what_is_compressed_says_so(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server, gzip=True)

    writer.push(1)

    assert server.head(writer.key)["ContentEncoding"] == "gzip"


@pytest.mark.parametrize("first_version", [1, 2])
def test_an_older_version_that_was_held_up_never_lies_on_a_newer_one(
    caller: Caller, server: BucketServer, first_version: int
) -> None:
    slow = Writer(caller, server)
    if first_version == 2:
        slow.push(1)
    quick = Writer(caller, server)
    quick.id, quick.key, quick.remote = slow.id, slow.key, slow.remote
    held, go_on = threading.Event(), threading.Event()

    def hold(request: BucketRequest) -> None:
        if request.method == "PUT" and not held.is_set():
            held.set()
            assert go_on.wait(PATIENCE)

    server.behave = hold
    late = slow.begin(slow.message(first_version))
    assert held.wait(PATIENCE)
    # The claim has expired: another worker goes on, and knows that something may have arrived.
    assert quick.push(first_version + 1, doubtful=True).status == 200
    go_on.set()
    answer = arrived(late)

    assert (answer.status, answer.message) == (
        409,
        f"version {first_version + 1} lies under {slow.key}, which is newer",
    )
    assert version_at(server, slow.key) == first_version + 1


@pytest.mark.parametrize("version", [1, 2])
def test_after_a_lost_answer_it_is_looked_and_not_written_twice(
    caller: Caller, server: BucketServer, version: int
) -> None:
    writer = Writer(caller, server)
    if version == 2:
        writer.push(1)
    server.lose = lambda request: request.method == "PUT"
    lost = writer.push(version)
    server.lose = lambda _: False
    server.requests.clear()

    again = writer.push(version, doubtful=True)

    assert (lost.fault, lost.started, again.status) == (Fault.RESET, True, 200)
    assert [request.method for request in server.requests] == ["HEAD"]
    assert json.loads(writer.remote)[writer.key] == server.head(writer.key)["ETag"]
    assert len(server.versions(writer.key)) == version


def test_what_is_not_ours_is_left_alone(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)
    server.s3.put_object(Bucket="portal", Key=writer.key, Body=b"of somebody else")

    answers = [writer.push(1), writer.push(2, "killed")]

    assert [(answer.status, answer.fault) for answer in answers] == [(409, None)] * 2
    assert answers[0].message.startswith(f"something that is not of this article lies under {writer.key}")
    assert server.text(writer.key) == b"of somebody else"


def test_an_object_that_was_removed_there_is_written_again(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    server.s3.delete_object(Bucket="portal", Key=writer.key)

    assert writer.push(2).status == 200
    assert version_at(server, writer.key) == 2


def test_a_kill_leaves_a_notice_in_its_place(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    before = writer.look()

    assert writer.push(2, "killed").status == 200

    assert json.loads(server.text(writer.key))["status"] == "killed"
    assert server.head(writer.key)["Metadata"]["dateline-pubstatus"] == "canceled"
    assert (before.status, before.message) == (200, f"version 1 lies under {writer.key}")
    assert writer.look().status == 404


@pytest.mark.parametrize("all_versions", [False, True])
def test_a_kill_removes_the_object(caller: Caller, server: BucketServer, all_versions: bool) -> None:
    writer = Writer(caller, server, kill="remove", all_versions=all_versions)
    for version in (1, 2, 3):
        writer.push(version)

    assert writer.push(4, "killed").status < 300

    assert writer.key not in server.names()
    assert len(server.versions(writer.key)) == (0 if all_versions else 3)
    assert (writer.look().status, json.loads(writer.remote)) == (404, {})


def test_a_look_sees_older_versions_that_were_to_go(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server, all_versions=True)
    writer.push(1)
    writer.push(2, "killed")
    gone = writer.look()
    server.s3.put_object(Bucket="portal", Key=writer.key, Body=b"another", Metadata={"dateline-pubstatus": "canceled"})

    seen = writer.look()

    assert gone.status == 404
    assert (seen.status, seen.message) == (200, f"older versions lie under {writer.key}")
    assert len(server.versions(writer.key)) == 2


@pytest.mark.parametrize(
    ("kill", "left"),
    [("notice", ["v1", "v2", "v3"]), ("remove", []), ("both", ["v3"])],
    ids=["notice", "remove", "both"],
)
def test_a_kill_where_each_version_has_a_name(caller: Caller, server: BucketServer, kill: Any, left: list[str]) -> None:
    writer = Writer(caller, server, "{date}/{id}-v{version}.{ext}", kill=kill)
    writer.push(1)
    writer.push(2)
    # Its noting was lost with a worker: what lies there is found by its name.
    writer.remote = ""

    assert writer.push(3, "killed", doubtful=True).status < 300

    stem = f"2026-03-01/{writer.id}-"
    assert [key.removeprefix(stem).removesuffix(".json") for key in server.names() if key.startswith(stem)] == left
    if kill == "notice":
        assert writer.bucket.look is None
    else:
        assert writer.look().status == 404


@pytest.mark.parametrize("refusal", [(507, "InsufficientStorage"), (403, "AccessDenied"), (403, "QuotaExceeded")])
@pytest.mark.parametrize("name", ["{id}.{ext}", "{id}/{version}.{ext}"])
def test_a_kill_removes_the_text_also_where_its_notice_finds_no_room(
    caller: Caller, server: BucketServer, name: str, refusal: tuple[int, str]
) -> None:
    writer = Writer(caller, server, name, kill="both")
    writer.push(1)
    writer.push(2)
    status, code = refusal

    def full(request: BucketRequest) -> Response | None:
        return Response(f"<Error><Code>{code}</Code></Error>", status) if request.method == "PUT" else None

    server.behave = full
    answer = writer.push(3, "killed")
    assert (answer.status, answer.fault) != (200, None)
    assert [key for key in server.names() if key.startswith(writer.id)] == []
    assert writer.look().status == 404
    server.behave = lambda _: None
    assert writer.push(3, "killed", doubtful=True).status == 200
    assert len([key for key in server.names() if key.startswith(writer.id)]) == 1


def test_a_kill_of_what_never_came(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server, kill="remove")

    assert writer.push(1, "killed", doubtful=True).status < 300
    assert server.versions(writer.key) == []


def test_an_object_with_a_new_name_leaves_the_old_one(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    renamed = Writer(caller, server, "news/{id}.{ext}")
    renamed.id, renamed.remote = writer.id, writer.remote

    assert renamed.push(2).status == 200

    assert [key for key in server.names() if writer.id in key] == [f"news/{writer.key}"]


def test_a_test_leaves_nothing(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)
    writer.push(1, test=True)

    assert writer.push(2, "killed", test=True).status < 300
    assert writer.key not in server.names()


def test_the_wrong_secret_lets_nobody_in(caller: Caller, server: BucketServer) -> None:
    answer = Writer(caller, server, signature=SigV4(server.key_id, "not the secret")).push(1)

    assert (answer.status, answer.fault, answer.body) == (403, Fault.DENIED, b"")
    assert answer.message.startswith("answered 403 SignatureDoesNotMatch: The request signature we calculated")


def test_a_bucket_that_is_not_there(caller: Caller, server: BucketServer) -> None:
    answer = Writer(caller, server, url=f"{server.url}/nobody").push(1)

    assert (answer.fault, answer.message.startswith("answered 404 NoSuchBucket")) == (Fault.DENIED, True)


def error(status: int, code: str) -> Response:
    return Response(f"<Error><Code>{code}</Code><Message>Not so.</Message></Error>", status, mimetype="application/xml")


@pytest.mark.parametrize(
    ("status", "code", "judged", "fault"),
    [
        (501, "NotImplemented", 501, Fault.DENIED),
        (403, "QuotaExceeded", 507, None),
        (507, "XMinioStorageFull", 507, None),
        (400, "EntityTooLarge", 400, None),
        (400, "AuthorizationHeaderMalformed", 400, Fault.DENIED),
        (301, "PermanentRedirect", 301, Fault.DENIED),
        (503, "SlowDown", 503, None),
        (302, "Found", 302, Fault.PROTOCOL),
    ],
)
def test_what_stores_refuse(
    caller: Caller, server: BucketServer, status: int, code: str, judged: int, fault: Fault | None
) -> None:
    server.behave = lambda _: error(status, code)

    answer = Writer(caller, server).push(1)

    assert (answer.status, answer.fault) == (judged, fault)
    assert ("conditional = false" if status == 501 else code) in answer.message


def test_without_conditions_it_is_looked_where_there_is_doubt(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server, conditional=False)
    for version in (1, 3):
        writer.push(version)
    assert not {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"} & {*server.requests[0].headers, *server.requests[1].headers}

    answer = writer.push(2, doubtful=True)

    assert (answer.status, version_at(server, writer.key)) == (409, 3)


def test_somebody_who_changes_it_again_and_again(caller: Caller, server: BucketServer) -> None:
    writer = Writer(caller, server)
    writer.push(1)
    server.behave = lambda request: error(412, "PreconditionFailed") if request.method == "PUT" else None

    answer = writer.push(2)

    assert (answer.status, answer.fault) == (503, None)
    assert answer.message == f"somebody else changes {writer.key} at the same time"


class TestPictures:
    """Pictures beside articles."""

    def illustrated(self, writer: Writer, tmp_path: Path, version: int, *colours: str) -> Message:
        files = tuple(picture_file(tmp_path, writer.id, picture(colour=colour)) for colour in colours)
        return replace(writer.message(version), pictures=files)

    def put(self, writer: Writer, message: Message, **more: Any) -> Answer:
        answer = arrived(writer.begin(message, **more))
        writer.remote = answer.remote or writer.remote
        return answer

    def keys(self, server: BucketServer, writer: Writer) -> list[str]:
        return sorted(key.removeprefix(writer.id) for key in server.names() if key.startswith(f"{writer.id}"))

    def test_they_are_there_before_the_text_and_go_with_it(
        self, caller: Caller, server: BucketServer, tmp_path: Path
    ) -> None:
        writer = Writer(caller, server, pictures=True, kill="notice")
        first = self.illustrated(writer, tmp_path, 1, "red", "blue")
        assert self.put(writer, first).status == 200
        assert [request.key.endswith(".png") for request in server.requests] == [True, True, False]
        assert server.head(first.pictures[0].name)["ContentType"] == "image/png"
        server.requests.clear()
        assert self.put(writer, self.illustrated(writer, tmp_path, 2, "blue", "green")).status == 200
        sent = [request for request in server.requests if request.method == "PUT"]
        assert [request.key.endswith(".png") for request in sent] == [True, False]
        assert len(self.keys(server, writer)) == 3
        assert writer.look().status == 200
        assert writer.push(3, "killed").status == 200
        assert self.keys(server, writer) == [".json"]
        assert writer.look().status == 404

    @pytest.mark.parametrize("name", ["{id}.{ext}", "{id}-v{version}.{ext}"])
    def test_a_kill_finds_what_the_ledger_does_not_know(
        self, caller: Caller, server: BucketServer, tmp_path: Path, name: str
    ) -> None:
        writer = Writer(caller, server, name, pictures=True, kill="remove")
        self.put(writer, self.illustrated(writer, tmp_path, 1, "red", "blue"))
        writer.remote = ""
        assert writer.look().status == 200
        assert writer.push(3, "killed").status == 204
        assert self.keys(server, writer) == []

    @pytest.mark.parametrize("steps", [0, 1, 2, 3])
    def test_a_worker_may_die_between_any_two_steps(
        self, caller: Caller, server: BucketServer, tmp_path: Path, steps: int
    ) -> None:
        writer = Writer(caller, server, pictures=True)
        left = count(-steps)
        server.behave = lambda _: Response(status=500) if next(left) >= 0 else None
        dead = arrived(writer.begin(self.illustrated(writer, tmp_path, 1, "red", "blue")))
        assert (dead.status == 200) == (steps == 3)
        texts = [key for key in self.keys(server, writer) if key == ".json"]
        assert not texts or len(self.keys(server, writer)) == 3
        server.behave = lambda _: None
        # A correction without one of them overtakes it, and nothing was noted.
        assert self.put(writer, self.illustrated(writer, tmp_path, 2, "blue"), doubtful=True).status == 200
        assert len(self.keys(server, writer)) == 2
        assert version_at(server, writer.key) == 2

    @pytest.mark.parametrize("steps", range(5))
    @pytest.mark.parametrize(
        ("name", "kill"), [("{id}.{ext}", "both"), ("{id}-v{version}.{ext}", "both"), ("{id}.{ext}", "remove")]
    )
    def test_a_kill_finds_whatever_a_worker_has_left_that_died_and_so_does_the_next_try_of_the_kill(
        self, caller: Caller, server: BucketServer, tmp_path: Path, name: str, kill: Any, steps: int
    ) -> None:
        def die_after(steps: int, message: Message) -> None:
            left, remote = count(-steps), writer.remote
            server.behave = lambda _: Response(status=500) if next(left) >= 0 else None
            self.put(writer, message)
            # It notes nothing any more.
            writer.remote, server.behave = remote, lambda _: None

        for steps_of_kill in range(8):
            writer = Writer(caller, server, name, pictures=True, kill=kill)
            self.put(writer, self.illustrated(writer, tmp_path, 1, "red"))
            die_after(steps, self.illustrated(writer, tmp_path, 2, "blue", "green"))
            die_after(steps_of_kill, writer.message(3, "killed"))
            notice = {name.format(id="", version=3, ext="json")} if kill == "both" else set()
            if set(self.keys(server, writer)) - notice:
                assert writer.look().status == 200
            assert self.put(writer, writer.message(3, "killed"), doubtful=True).status in {200, 204}
            assert set(self.keys(server, writer)) == notice
            assert writer.look().status == 404
