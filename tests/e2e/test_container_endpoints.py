"""Endpoints that are containers of Azure, in a newsroom that runs: order, kills and their proof, outages, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from blob_server import ACCOUNT, KEY, BlobServer
from newsroom import TOKEN, Newsroom, start
from receiver import Receiver
from werkzeug.wrappers import Response

WRONG = "bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50"


def endpoint(name: str, section: str, url: str, key: str = KEY, more: str = "") -> str:
    return (
        f'\n[[endpoints]]\nname = "{name}"\nfeed = "{section}"\nkind = "azure-blob"\nformat = "json"\nurl = "{url}"\n'
        f'[endpoints.azure_blob]\naccount = "{ACCOUNT}"\nkey = "{key}"\nname = "{name}/{{id}}.{{ext}}"\n{more}\n'
    )


@pytest.fixture(scope="module")
def server() -> Iterator[BlobServer]:
    server = BlobServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def newsroom(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver, server: BlobServer
) -> Iterator[Newsroom]:
    more = "".join(
        (
            endpoint("notice", "s20", server.url),
            endpoint("remove", "s21", server.url, more='on_kill = "remove"'),
            endpoint("closed", "s22", server.url, WRONG),
            endpoint("inside", "s23", "http://10.0.0.1/container"),
            endpoint("away", "s25", server.url),
        )
    )
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, more) as newsroom:
        yield newsroom


def at(server: BlobServer, key: str) -> tuple[str, int]:
    """What lies under a name: type and version; ("", 0) when nothing does."""
    blob = server.blobs.get(key)
    if blob is None:
        return "", 0
    event = json.loads(blob.content)
    return event["type"].removeprefix("article."), event["article"]["version"]


def verdict(newsroom: Newsroom, article_id: str) -> str:
    """What coverage says of the one endpoint that had an article which was killed."""
    url = f"{newsroom.base_url}/api/articles/{article_id}/coverage"
    report = requests.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60).json()
    rows: list[dict[str, Any]] = report.get("receivers", [])
    page: dict[str, Any] = (rows[0].get("page") if rows else None) or {}
    return str(page.get("verdict", ""))


@pytest.mark.parametrize(("name", "section", "left"), [("notice", "s20", ("killed", 3)), ("remove", "s21", ("", 0))])
def test_an_article_its_correction_and_its_kill(
    newsroom: Newsroom, server: BlobServer, name: str, section: str, left: tuple[str, int]
) -> None:
    key = f"{name}/b-1{section}.json"
    article = f"b-1{section}"
    newsroom.publish(article, section)
    server.until(lambda: at(server, key) == ("published", 1), "the article")
    newsroom.publish(article, section, 2)
    server.until(lambda: at(server, key) == ("corrected", 2), "the correction")
    newsroom.kill(article)
    server.until(lambda: at(server, key) == left, "the kill")
    server.until(lambda: verdict(newsroom, article) == "gone", "the proof")


def test_after_an_outage_everything_lies_there_as_it_is_now(newsroom: Newsroom, server: BlobServer) -> None:
    server.behave = lambda request: Response(status=503) if "/away/" in request.path else None
    for number in range(3):
        newsroom.publish(f"c-{number}", "s25")
    server.until(lambda: newsroom.store.changes.head("s25").seq == 3, "the articles")
    newsroom.publish("c-1", "s25", 2)
    newsroom.kill("c-2")
    # A kill that the store takes at once, because it is back, would be followed by what is not corrected yet.
    server.until(lambda: newsroom.store.changes.head("s25").seq == 5, "the correction and the kill")
    server.until(lambda: newsroom.store.receivers.counts("s25")["backoff"] == 1, "the failure")
    server.behave = lambda _: None
    expected = {"c-0": ("published", 1), "c-1": ("published", 2), "c-2": ("killed", 2)}
    server.until(lambda: {key: at(server, f"away/{key}.json") for key in expected} == expected, "all of it")


@pytest.mark.parametrize(
    ("name", "section", "reason"), [("closed", "s22", "AuthenticationFailed"), ("inside", "s23", "")]
)
def test_who_is_not_let_in_or_is_inside_gets_nothing(
    newsroom: Newsroom, server: BlobServer, name: str, section: str, reason: str
) -> None:
    newsroom.publish(f"d-{section}", section)

    def standing() -> Any:
        return next(iter(newsroom.receivers(section)))

    if reason:
        server.until(lambda: standing().state == "paused", "the pause")
        assert reason in standing().remembered.reason
        assert WRONG not in standing().remembered.reason
    else:
        server.until(lambda: newsroom.store.receivers.counts(section)["backoff"] == 1, "the refusal")
    assert not [key for key in server.names() if key.startswith(f"{name}/")]
