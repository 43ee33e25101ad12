"""A whole feed under one name at real servers of files and stores: replaced, looked at, never older over newer."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

import pytest
from blob_server import ACCOUNT, KEY, BlobServer
from bucket_server import BucketRequest, BucketServer
from contract.caller import Caller
from contract.file_desk import LOGIN
from file_servers import CuttingProxy, FtpServer, ProFtpd, Sshd, fill, random_cuts, small_disk
from werkzeug.wrappers import Response

from config.endpoint_settings import EndpointSettings
from feeds.article import Article
from feeds.fingerprint import fingerprints
from worker.destinations.endpoint import configured
from worker.destinations.file_places import Place, temporary
from worker.destinations.interface import Delivery, Destination, Message
from worker.destinations.sender import Sender
from worker.outbound.guard import Guard
from worker.outbound.transfer import Answer
from worker.takedown.page_verdict import judge_document

PATIENCE = 60
NAME = "out/herald.xml"
_KEYS = count(1)


class Store(Protocol):
    """What lies at a partner's."""

    def names(self) -> list[str]: ...
    def text(self, key: str) -> bytes: ...


class Folder:
    """A server's folder as a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def text(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()


class Partner:
    """An endpoint that holds a whole feed, and what lies there."""

    def __init__(self, caller: Caller, store: Store, values: dict[str, Any]) -> None:
        self.caller = caller
        self.store = store
        sender: Any = Sender(None, None, "h", caller.engine, Guard(), self)  # type: ignore[arg-type]
        common = {"name": "a", "feed": "world", "mode": "feed", "format": "rss"}
        endpoint = configured(EndpointSettings.model_validate(common | values), sender)
        assert endpoint.destination is not None
        assert endpoint.holds_document
        self.there: Destination = endpoint.destination

    def note(self, *_: str) -> None:
        """Which folders are written to matters to the sweep alone."""

    def begin(self, text: bytes, *, kills: bool = False, **more: Any) -> SimpleQueue[Answer]:
        message = Message.of(f"msg_{text[:20].decode()}", text, compressed=False, kills=kills)
        answers: SimpleQueue[Answer] = SimpleQueue()
        delivery = Delivery(10, time.monotonic() + PATIENCE, **more)
        self.caller.submit([self.there.push(message, delivery, answers.put)])
        return answers

    def push(self, text: bytes, **more: Any) -> Answer:
        return self.begin(text, **more).get(timeout=PATIENCE)

    def look(self) -> Answer:
        assert self.there.look is not None
        answers: SimpleQueue[Answer] = SimpleQueue()
        article = Article.model_construct(id="x", version=2)
        self.caller.submit([self.there.look(article, Delivery(10, time.monotonic() + PATIENCE), answers.put)])
        return answers.get(timeout=PATIENCE)


@pytest.fixture(scope="module")
def bucket() -> Iterator[BucketServer]:
    server = BucketServer("wholes")
    yield server
    server.close()


@pytest.fixture(scope="module")
def container() -> Iterator[BlobServer]:
    server = BlobServer()
    yield server
    server.close()


def of_bucket(caller: Caller, server: BucketServer, **more: Any) -> Partner:
    name = f"{next(_KEYS)}/{NAME}"
    s3 = {"key_id": server.key_id, "secret": server.secret, "document": name, **more}
    return Partner(caller, _Below(server, name), {"kind": "s3", "url": f"{server.url}/wholes", "s3": s3})


def of_files(caller: Caller, server: Sshd | FtpServer | ProFtpd, folder: str, port: int = 0) -> Partner:
    """`port`: of what stands in front of the server."""
    kind, login, root = "ftp", LOGIN, ""
    if isinstance(server, Sshd):
        kind, login, root = "sftp", server.settings(), str(server.files)
    url = f"{kind}://127.0.0.1:{port or server.port}{root}/{folder}"
    return Partner(caller, Folder(server.files / folder), {"kind": kind, "url": url, kind: {**login, "document": NAME}})


class _Below:
    """What lies in a store beside one document, under the names that folders would have."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self.prefix = name.removesuffix(NAME)

    def names(self) -> list[str]:
        return [key.removeprefix(self.prefix) for key in self._store.names() if key.startswith(self.prefix)]

    def text(self, key: str) -> bytes:
        return self._store.text(self.prefix + key)


@pytest.fixture(params=["sftp", "ftp", "proftpd", "s3", "azure-blob"])
def partner(request: pytest.FixtureRequest, caller: Caller, tmp_path: Path) -> Partner:
    if request.param == "s3":
        return of_bucket(caller, request.getfixturevalue("bucket"))
    if request.param == "azure-blob":
        server: Any = request.getfixturevalue("container")
        name = f"{next(_KEYS)}/{NAME}"
        azure = {"account": ACCOUNT, "key": KEY, "document": name}
        values = {"kind": "azure-blob", "url": server.url, "azure_blob": azure}
        return Partner(caller, _Below(server, name), values)
    server = request.getfixturevalue({"sftp": "sshd"}.get(request.param, request.param))
    return of_files(caller, server, tmp_path.name)


def test_each_change_replaces_it(partner: Partner) -> None:
    for text in (b"<rss>one</rss>", b"<rss>two</rss>", b"<rss/>"):
        answer = partner.push(text)
        assert (answer.fault, 200 <= answer.status < 300) == (None, True), answer
        assert (partner.store.names(), partner.store.text(NAME)) == ([NAME], text)


def test_a_try_that_may_have_arrived_is_looked_at_first(partner: Partner) -> None:
    partner.push(b"<rss>one</rss>")
    assert partner.push(b"<rss>one</rss>", doubtful=True).fault is None
    assert partner.push(b"<rss>two</rss>", doubtful=True).fault is None
    assert (partner.store.names(), partner.store.text(NAME)) == ([NAME], b"<rss>two</rss>")


def test_a_test_leaves_nothing_and_touches_nothing(partner: Partner) -> None:
    partner.push(b"<rss>one</rss>")
    for text in (b"<rss>test</rss>", b"<rss>killed</rss>"):
        answer = partner.push(text, test=True)
        assert (answer.fault, 200 <= answer.status < 300) == (None, True), answer
    assert (partner.store.names(), partner.store.text(NAME)) == ([NAME], b"<rss>one</rss>")


def test_a_document_with_a_killed_text_goes_where_the_new_one_has_no_room(
    caller: Caller, sshd: Sshd, tmp_path: Path
) -> None:
    folder = sshd.files / tmp_path.name
    with small_disk(folder, "size=64k"):
        partner = of_files(caller, sshd, tmp_path.name)
        assert partner.push(b"<rss>one</rss>").status == 200
        fill(folder)
        assert partner.push(b"<rss>two</rss>").status == 507
        assert partner.store.text(NAME) == b"<rss>one</rss>"
        # Its own room is enough for a small one.
        assert partner.push(b"<rss>killed</rss>", kills=True).status == 200
        assert partner.store.text(NAME) == b"<rss>killed</rss>"
        assert partner.push(b"<rss>again</rss>" + b" " * 9000, kills=True).status == 507
        assert partner.store.names() == ["fill"]


def test_an_object_with_a_killed_text_goes_where_the_new_one_is_refused(caller: Caller, bucket: BucketServer) -> None:
    partner = of_bucket(caller, bucket)
    assert partner.push(b"<rss>one</rss>").status == 200

    def full(request: BucketRequest) -> Response | None:
        return Response("<Error><Code>QuotaExceeded</Code></Error>", 507) if request.method == "PUT" else None

    bucket.behave = full
    try:
        assert partner.push(b"<rss>two</rss>").status == 507
        assert partner.store.text(NAME) == b"<rss>one</rss>"
        assert partner.push(b"<rss>killed</rss>", kills=True).status == 507
        assert partner.store.names() == []
    finally:
        bucket.behave = lambda _: None
    assert partner.push(b"<rss>killed</rss>", kills=True).status == 200


def test_it_is_proven_by_what_it_says(partner: Partner) -> None:
    marks = Article.model_construct(
        headline="The harbour is closed for a week after the storm", summary="", body_html=""
    )
    text = f"<rss><item><title>{marks.headline}</title></item></rss>".encode()
    partner.push(text)
    assert judge_document(partner.look(), fingerprints(marks))[0] == "there"
    partner.push(b"<rss><item><title>Something else altogether</title></item></rss>")
    assert judge_document(partner.look(), fingerprints(marks))[0] == "gone"


def test_what_a_dead_worker_has_left_goes(caller: Caller, sshd: Sshd, tmp_path: Path) -> None:
    partner = of_files(caller, sshd, tmp_path.name)
    partner.push(b"<rss>one</rss>")
    left = temporary(Place("out/", "herald.xml"), int(time.time() * 1000), "0" * 8)
    (sshd.files / tmp_path.name / "out" / left.base).write_text("half")
    (sshd.files / tmp_path.name / "out" / "theirs.xml").write_text("theirs")
    assert partner.push(b"<rss>two</rss>", doubtful=True).status == 200
    assert partner.store.names() == [NAME, "out/theirs.xml"]


@pytest.mark.parametrize("kind", ["sftp", "ftp"])
def test_no_cut_leaves_half_of_it_or_an_older_one(
    caller: Caller, request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    server: Any = request.getfixturevalue("sshd" if kind == "sftp" else "ftp")
    proxy = CuttingProxy(server.port)
    proxy.cut_after = random_cuts(random.Random(7), 20_000 if kind == "sftp" else 2_500)
    folder = server.files / tmp_path.name
    partner = of_files(caller, server, tmp_path.name, proxy.port)
    flaws: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.002):
            try:
                content = (folder / NAME).read_bytes()
            except FileNotFoundError:
                continue
            if content != content[:7] * 300:
                flaws.append(len(content))

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    version = 0
    end = time.monotonic() + PATIENCE
    while proxy.cuts < 30:
        version += 1
        text, doubtful, status = f"{version:06} ".encode() * 300, False, 0
        while status != 200:
            assert time.monotonic() < end
            answer = partner.push(text, doubtful=doubtful)
            status, doubtful = answer.status, doubtful or answer.started
        assert (folder / NAME).read_bytes() == text
    ended.set()
    watching.join()
    proxy.close()
    assert (flaws, partner.store.names()) == ([], [NAME])


def test_what_was_held_up_on_its_way_never_lies_on_something_newer(caller: Caller, bucket: BucketServer) -> None:
    partner = of_bucket(caller, bucket)
    partner.push(b"<rss>one</rss>")
    held, go_on = threading.Event(), threading.Event()

    def hold(request: BucketRequest) -> None:
        if request.method == "PUT" and not held.is_set():
            held.set()
            assert go_on.wait(PATIENCE)

    bucket.behave = hold
    late = partner.begin(b"<rss>two</rss>")
    assert held.wait(PATIENCE)
    bucket.lose = lambda request: request.method == "HEAD"
    assert partner.push(b"<rss>three</rss>").fault is not None
    bucket.lose = lambda _: False
    assert partner.push(b"<rss>three</rss>", doubtful=True).status == 200
    # Whoever held that one is dead: its claim has expired, and it makes no further request.
    bucket.behave = lambda request: _nothing if request.method in {"HEAD", "PUT"} and go_on.is_set() else None
    go_on.set()
    assert late.get(timeout=PATIENCE).status != 200
    bucket.behave = lambda _: None
    assert partner.store.text(NAME) == b"<rss>three</rss>"


def _nothing(_: Any, start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return []


def test_what_is_of_somebody_else_is_left_alone(caller: Caller, bucket: BucketServer) -> None:
    partner = of_bucket(caller, bucket)
    prefix = partner.store.prefix  # type: ignore[attr-defined]
    bucket.s3.put_object(Bucket="wholes", Key=prefix + NAME, Body=b"theirs")
    answer = partner.push(b"<rss>one</rss>")
    assert (answer.status, "is not the document of world" in answer.message) == (409, True)
    assert partner.store.text(NAME) == b"theirs"


def test_no_earlier_version_is_kept_where_none_may_be(caller: Caller, bucket: BucketServer) -> None:
    partner = of_bucket(caller, bucket, all_versions=True)
    prefix = partner.store.prefix  # type: ignore[attr-defined]
    for text in (b"<rss>one</rss>", b"<rss>two</rss>"):
        assert partner.push(text).status == 200
    assert bucket.versions(prefix + NAME) == [b"<rss>two</rss>"]
    assert judge_document(partner.look(), ())[1] == "the article was too short to be recognised"
    digest = sha256(b"<rss>two</rss>").hexdigest()
    assert judge_document(partner.look(), (), digest) == ("gone", "it is the document that was put there without it")
    kept = of_bucket(caller, bucket)
    prefix = kept.store.prefix  # type: ignore[attr-defined]
    for text in (b"<rss>one</rss>", b"<rss>two</rss>"):
        kept.push(text)
    assert len(bucket.versions(prefix + NAME)) == 2
