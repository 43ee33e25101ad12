"""Errors: pages for browsers, what they always were for machines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Any

import pytest
import requests
from newsroom import TOKEN, Newsroom, published, start
from receiver import Receiver
from waiting import until

from web.problem_details import wants_page
from worker.store import keys

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
SIGNED_IN = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
MARKUP = b'{"id": "e", "type": "article.published", "article": {"id": "a", "headline": "<b>Harbour</b> opens"}}'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


STRANGER = {"X-Forwarded-For": "203.0.113.9"}
FLOOD = FORM | {"X-Forwarded-For": "203.0.113.77"}
UNSUBSCRIBE = "hub.mode=unsubscribe&hub.callback=https://reader.example/&hub.topic={base}/feeds/s0.atom"
_REQUESTS = 20


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    """A newsroom in which a feed has ended and a record is damaged."""
    variables = {"DATELINE_WEBSUB__REQUESTS_PER_CLIENT": str(_REQUESTS)}
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 1, variables=variables) as newsroom:
        newsroom.store.client.hset(keys.FORMER, "old/desk", 1_767_225_600_000)
        newsroom.store.client.set(keys.feed("s39").members, "no sorted set")
        yield newsroom


def flood(newsroom: Newsroom) -> None:
    """Have one client ask too much of the hub within this minute."""
    data = UNSUBSCRIBE.format(base=newsroom.base_url)

    def full() -> bool:
        answer = requests.post(f"{newsroom.base_url}/hub", data=data, headers=FLOOD, timeout=60)
        # So that the minute does not end before this is looked at.
        return answer.status_code == 429 and newsroom.store.client.persist(keys.hub_window("client", client))

    client = FLOOD["X-Forwarded-For"]
    until(full, "the limit", pause=0)


@pytest.mark.parametrize(
    ("method", "path", "asked", "status", "text"),
    [
        ("GET", "/feeds/s00.rss", {}, 404, "Did you mean s0"),
        ("GET", "/nothing", {}, 404, "There is nothing at this address."),
        ("GET", "/feeds/s0.rss?archive=never", {}, 404, "There is no such archive."),
        ("GET", "/api/articles/x/coverage", {}, 401, "token"),
        ("GET", "/hub", {}, 405, "for programs"),
        ("POST", "/events", {"headers": SIGNED_IN, "data": b"[]"}, 400, "The array has no event in it."),
        ("POST", "/events", {"headers": SIGNED_IN, "data": MARKUP}, 400, "(&lt;b&gt;)"),
        ("POST", "/events", {"headers": SIGNED_IN, "data": b"x" * 2_000_001}, 413, "bytes"),
        ("POST", "/hub", {"data": b"x"}, 415, "The request must be"),
        ("POST", "/hub", {"headers": FORM, "data": b"hub.mode=dance"}, 400, "hub."),
        ("POST", "/events", {"headers": {"Authorization": "Bearer wrong"}, "data": b"{}"}, 401, "token"),
        ("GET", "/metrics", {"headers": STRANGER}, 403, "web.metrics_networks"),
        ("DELETE", "/feeds/s0.rss", {}, 405, "for programs"),
        ("POST", "/hub", {"headers": FLOOD, "data": UNSUBSCRIBE}, 429, "too many requests from you"),
        ("GET", "/feeds/old/desk.atom", {}, 410, "has been removed"),
        ("GET", "/feeds/old/desk", {}, 410, "ended"),
        ("GET", "/feeds/s39.rss", {}, 500, "our fault"),
        ("GET", "/feeds/never-asked-for.rss", {}, 404, "no feed"),
    ],
)
def test_an_error_is_a_page_in_a_browser_and_unchanged_for_machines(
    newsroom: Newsroom, method: str, path: str, asked: dict[str, Any], status: int, text: str
) -> None:
    def answer(accept: str) -> requests.Response:
        headers = asked.get("headers", {}) | {"Accept": accept}
        data = asked.get("data")
        body = data.format(base=newsroom.base_url) if isinstance(data, str) else data
        return requests.request(method, newsroom.base_url + path, headers=headers, data=body, timeout=60)

    if status == HTTPStatus.TOO_MANY_REQUESTS:
        flood(newsroom)
    page, machine = answer(BROWSER), answer("*/*")
    assert [status, status] == [page.status_code, machine.status_code]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert text in page.text
    assert f'href="{newsroom.base_url}/feeds"' in page.text
    # The hub gives reasons as plain text (WebSub, section 5.1.2), and of a feed that has ended there is a last entry.
    other = {"/hub": "text/plain", "/feeds/old/desk.atom": "application/atom+xml"}
    media_type = "application/problem+json" if method == "GET" and path == "/hub" else other.get(path)
    assert machine.headers["content-type"].partition(";")[0] == (media_type or "application/problem+json")
    for response in (page, machine):
        assert "accept" in response.headers["vary"].lower()
    unchanged = ("cache-control", "www-authenticate", "allow")
    assert [page.headers.get(name) for name in unchanged] == [machine.headers.get(name) for name in unchanged]


def test_while_redis_takes_no_writes_it_is_a_page_too(newsroom: Newsroom) -> None:
    newsroom.store.client.config_set("maxmemory", "1mb")
    try:
        for accept, media_type in ((BROWSER, "text/html"), ("*/*", "application/problem+json")):
            headers = SIGNED_IN | {"Accept": accept}
            answer = requests.get(newsroom.base_url + "/readyz", headers=headers, timeout=60)
            assert (503, media_type) == (answer.status_code, answer.headers["content-type"].partition(";")[0])
            assert "the record takes events" in answer.text
        # It takes none while somebody else writes into it.
        assert newsroom.record.file is not None
        with closing(sqlite3.connect(newsroom.record.file, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for accept, media_type in ((BROWSER, "text/html"), ("*/*", "application/problem+json")):
                headers = SIGNED_IN | {"Accept": accept}
                event = published("a", "s2")
                answer = requests.post(newsroom.base_url + "/events", json=event, headers=headers, timeout=60)
                assert (503, media_type) == (answer.status_code, answer.headers["content-type"].partition(";")[0])
                assert "Nothing is lost" in answer.text
    finally:
        newsroom.store.client.config_set("maxmemory", 0)


def test_nothing_of_the_inside_is_in_an_error_of_ours(newsroom: Newsroom) -> None:
    for accept in (BROWSER, "*/*"):
        headers = {"Accept": accept}
        answer = requests.get(newsroom.topic("s39"), headers=headers, timeout=60)
        assert answer.status_code == 500
        for inside in ("Traceback", "WRONGTYPE", "Error:", "redis", "worker", ".py"):
            assert inside not in answer.text


def test_what_is_no_error_is_no_such_page(newsroom: Newsroom) -> None:
    for path in ("/feeds/s0.rss", "/feeds/s0.json", "/metrics"):
        answer = requests.get(newsroom.base_url + path, headers={"Accept": BROWSER}, timeout=60)
        assert answer.status_code == 200
        assert "html" not in answer.headers["content-type"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html;q=0.5, */*;q=0.1", True),
        ("", False),
        ("*/*", False),
        ("application/json, text/plain, */*", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html, application/json", False),
        ("application/atom+xml, text/html;q=0.5, */*;q=0.1", False),
        ("text/*", False),
        ("text/html;q=0", False),
        ("text/html;q=much, ,;", False),
    ],
)
def test_who_is_a_browser(accept: str, expected: bool) -> None:
    assert wants_page(accept) is expected
