"""Endpoints that hold a whole feed, in a newsroom that runs: what readers see lies there, without what was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest
import requests
from bucket_server import BucketServer
from command_line import dateline
from file_servers import FtpServer, Sshd
from newsroom import TOKEN, Newsroom, start
from receiver import Receiver


@pytest.fixture(scope="module")
def bucket() -> Iterator[BucketServer]:
    server = BucketServer("feeds")
    yield server
    server.close()


def endpoint(name: str, section: str, kind: str, url: str, own: str, more: str = "") -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "{kind}"\nmode = "feed"\nurl = "{url}"\n{more}\n'
        f"[endpoints.{kind}]\n{own}\n"
    )


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory,
    shared_receiver: Receiver,
    bucket: BucketServer,
    sshd: Sshd,
    ftp: FtpServer,
) -> Iterator[Newsroom]:
    keys = f'key_id = "{bucket.key_id}"\nsecret = "{bucket.secret}"\nall_versions = true'
    login = f"username = \"{sshd.user}\"\nkey = '''{sshd.key}'''\nhost_keys = [\"{sshd.fingerprint}\"]"
    more = "".join(
        (
            endpoint("portal", "s20", "s3", f"{bucket.url}/feeds", keys, 'format = "rss"'),
            endpoint(
                "library", "s20", "sftp", f"{sshd.url}/in", f'{login}\ndocument = "herald/all.xml"', 'format = "atom"'
            ),
            endpoint(
                *("screens", "s20", "ftp", f"ftp://127.0.0.1:{ftp.port}/in"),
                'username = "herald"\npassword = "pass"',
                'format = "json"\nrights = { text = "headline" }',
            ),
        )
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def rows(newsroom: Newsroom, article_id: str) -> dict[str, Any]:
    """What coverage says of each endpoint."""
    url = f"{newsroom.base_url}/api/articles/{article_id}/coverage"
    report = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()
    return {row["receiver"]: row for row in report["receivers"]}


def test_what_readers_see_lies_there_and_what_is_killed_does_not(
    newsroom: Newsroom, bucket: BucketServer, sshd: Sshd, ftp: FtpServer
) -> None:
    def in_bucket() -> bytes:
        return bucket.text("s20.xml") if "s20.xml" in bucket.names() else b""

    def read(path: Path) -> Callable[[], bytes]:
        return lambda: path.read_bytes() if path.exists() else b""

    at_library, at_screens = read(sshd.files / "in/herald/all.xml"), read(ftp.files / "in/s20.json")
    documents = (in_bucket, at_library, at_screens)

    def until(text: bytes, *, there: bool) -> None:
        newsroom.receiver.until(
            lambda: all((text in document()) == there and document() for document in documents), 60, f"{text!r}"
        )

    for number in (1, 2):
        newsroom.publish(f"w-{number}", "s20")
    until(b"w-2, version 1", there=True)
    newsroom.publish("w-1", "s20", 2)
    until(b"w-1, version 2", there=True)
    until(b"w-1, version 1", there=False)
    for document, fmt in ((in_bucket, "rss"), (at_library, "atom")):
        assert document() == newsroom.until_in_feed("s20", "w-1, version 2", fmt=fmt).content
    assert b"This is the text" not in at_screens()
    assert bucket.head("s20.xml")["ContentType"] == "application/rss+xml; charset=utf-8"

    newsroom.kill("w-1")
    until(b"w-1, version 2", there=False)
    assert all(b"w-2, version 1" in document() for document in documents)
    bucket.until(lambda: len(bucket.versions("s20.xml")) == 1, "no earlier version to be kept")
    assert [entry.title for entry in feedparser.parse(at_library()).entries].count("w-2, version 1") == 1

    def proven() -> bool:
        pages = [row.get("page") or {} for row in rows(newsroom, "w-1").values()]
        return [page.get("verdict") for page in pages] == ["gone"] * 3

    newsroom.receiver.until(proven, 60, "the proof")
    assert {row["status"] for row in rows(newsroom, "w-1").values()} == {"killed"}
    assert rows(newsroom, "w-1").keys() == {"portal", "library", "screens"}


def test_what_was_sent_is_made_anew_until_the_feed_changes(newsroom: Newsroom, sshd: Sshd) -> None:
    newsroom.publish("v-1", "s20")
    lies = sshd.files / "in/herald/all.xml"
    newsroom.receiver.until(lambda: lies.exists() and b"v-1" in lies.read_bytes(), 60, "the article")

    def attempts(path: str = "") -> Any:
        url = f"{newsroom.base_url}/api/v1/endpoints/library/attempts{path}"
        return requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()

    def is_shown() -> bool:
        newest = attempts("?limit=1")["items"]
        document = attempts(f"/{newest[0]['id']}")["document"] if newest else None
        return document is not None and document.encode() == lies.read_bytes()

    newsroom.receiver.until(is_shown, 60, "the document")


def test_a_test_leaves_the_document_as_it_is(newsroom: Newsroom, bucket: BucketServer, sshd: Sshd) -> None:
    newsroom.publish("t-1", "s20")
    bucket.until(lambda: "s20.xml" in bucket.names() and b"t-1" in bucket.text("s20.xml"), "the article")
    newsroom.receiver.until(lambda: b"t-1" in (sshd.files / "in/herald/all.xml").read_bytes(), 60, "the article")
    before = bucket.text("s20.xml"), (sshd.files / "in/herald/all.xml").read_bytes()
    for name in ("portal", "library"):
        done = dateline("endpoints", "test", name, "--config", str(newsroom.config))
        assert done.returncode == 0, done.stdout + done.stderr
    assert (bucket.text("s20.xml"), (sshd.files / "in/herald/all.xml").read_bytes()) == before
    assert bucket.names() == ["s20.xml"]
    assert sshd.names() == ["in/herald/all.xml"]
