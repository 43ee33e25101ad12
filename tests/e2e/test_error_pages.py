"""Errors: pages for browsers, what they always were for machines."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from newsroom import TOKEN, Newsroom

from web.problem_details import wants_page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
SIGNED_IN = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
MARKUP = b'{"id": "e", "type": "article.published", "article": {"id": "a", "headline": "<b>Harbour</b> opens"}}'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


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
    ],
)
def test_an_error_is_a_page_in_a_browser_and_unchanged_for_machines(
    newsroom: Newsroom, method: str, path: str, asked: dict[str, Any], status: int, text: str
) -> None:
    def answer(accept: str) -> requests.Response:
        headers = asked.get("headers", {}) | {"Accept": accept}
        return requests.request(method, newsroom.base_url + path, **(asked | {"headers": headers}), timeout=10)

    page, machine = answer(BROWSER), answer("*/*")
    assert [status, status] == [page.status_code, machine.status_code]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert text in page.text
    assert f'href="{newsroom.base_url}/feeds"' in page.text
    assert machine.headers["content-type"].partition(";")[0] in {"application/problem+json", "text/plain"}
    for one in (page, machine):
        assert "accept" in one.headers["vary"].lower()
    kept = ("cache-control", "www-authenticate", "allow")
    assert [page.headers.get(name) for name in kept] == [machine.headers.get(name) for name in kept]


def test_what_is_no_error_is_no_such_page(newsroom: Newsroom) -> None:
    for path in ("/feeds/s0.rss", "/feeds/s0.json", "/metrics"):
        answer = requests.get(newsroom.base_url + path, headers={"Accept": BROWSER}, timeout=10)
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
