"""Odd requests to the desk: whatever comes, it is answered by a page that says what to do, and nothing breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from api_process import ApiProcess, api_process
from desk_visitor import ORIGIN, DeskVisitor, visitor
from receiver import Receiver

from web.desk.routes import ROUTES

ODD = (
    *("%00", "\x00\n", "'\"><script>alert(1)</script>", "المرفأ \u202e🦆", "../../x", '"unended', "AND OR (", " "),
    *("9" * 400, "-1", "NaN"),
)
NAMES_OF_FIELDS = (
    *("q", "after", "since", "until", "feed", "edition", "section", "author", "state", "span", "format", "endpoint"),
    *("part", "all", "event", "ordered", "kind", "outcome", "actor", "action", "object", "troubled", "next", "days"),
)
METHODS = ("HEAD", "PUT", "BREW")
FORMS = (
    (b"", "application/x-www-form-urlencoded"),
    (b"typed=%ff%fe&until=%80", "application/x-www-form-urlencoded"),
    (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
    (b"{not json", "application/json"),
    (b'{"a": 1}', "application/json"),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    (b"until=a&until=b&name=&name=%00&role=&password=&ids=&order=&days=-1&seconds=x&settings=%7B", "text/plain"),
    (b"name=" + b"x" * 5_000 + b"&role=nobody&days=" + b"9" * 500, "application/x-www-form-urlencoded"),
    (b"&".join(b"f%d=1" % number for number in range(4_000)), "application/x-www-form-urlencoded"),
    (
        "name=\u202eأ&title=🦆&revision=zz&settings=[]&rights=nope&contacts=|||||&scopes=x&expires=yesterday".encode(),
        "",
    ),
    (b"settings=%7B%22a%22%3A1e999%7D&feed=%00&url=javascript:alert(1)&format=%2e%2e&mode=7&days=1.5", ""),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("odd"), redis_url, receiver, "[api]\nrequests = 100000") as process:
        process.publish("hh-1", headline="The ferry is late")
        process.publish("a/b-🦆", headline="A slash and a bird", url="https://herald.example/bird")
        yield process
    receiver.close()


@pytest.fixture(scope="module")
def desk(api: ApiProcess) -> DeskVisitor:
    return visitor(api, "ada", "admin")


def paths(name: str) -> list[str]:
    """The address of each page, with a name in its place."""
    addresses = {re.sub(r"\{[^}]*\}", quote(name, safe=""), route.path) for route in ROUTES}
    return sorted(address for address in addresses if not address.endswith(("/live", "/sign-out")))


def wrong_with(answer: Any, what: str, *, method: str = "GET") -> list[str]:
    """What is wrong with an answer; nothing if it is fine."""
    if answer.status_code >= 500 or "Traceback" in answer.text:
        return [f"{what}: {answer.status_code} {answer.text[-300:]}"]
    if "<script>alert(1)" in answer.text:
        return [f"{what}: a script stands in it"]
    if method == "HEAD":
        return [f"{what}: HEAD has a body"] if answer.content else []
    if answer.status_code >= 400 and "<h1" not in answer.text:
        return [f"{what}: {answer.status_code} is no page: {answer.text[:200]!r}"]
    return []


NAMES = ("hh-1", "a/b-🦆", "<script>alert(1)</script>", "%00", "x" * 2_000)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_every_page_answers_of_whatever_it_is_asked(desk: DeskVisitor, name: str) -> None:
    wrong = []
    for path in paths(name):
        wrong += wrong_with(desk.client.get(path), path)
        for method in METHODS:
            answer = desk.client.request(method, path, headers={"Origin": ORIGIN})
            wrong += wrong_with(answer, f"{method} {path}", method=method)
    assert wrong == []


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_odd_words_find_nothing_and_break_nothing(desk: DeskVisitor, value: str) -> None:
    wrong = []
    every = "&".join(f"{name}={quote(value, safe='')}" for name in NAMES_OF_FIELDS)
    for path in paths("hh-1"):
        wrong += wrong_with(desk.client.get(f"{path}?{every}"), f"{path}, all {value[:30]!r}")
    for name in NAMES_OF_FIELDS:
        address, what = f"/articles?{name}={quote(value, safe='')}", f"{name}={value[:30]!r}"
        wrong += wrong_with(desk.get(address), what)
        wrong += wrong_with(desk.get(address, **{"HX-Request": "true"}), f"{what} as a part")
    assert wrong == []


@pytest.mark.parametrize("form", FORMS, ids=range(len(FORMS)))
def test_a_form_that_is_none_is_answered_by_a_page(desk: DeskVisitor, form: tuple[bytes, str]) -> None:
    content, kind = form
    headers = {"Origin": ORIGIN, **({"Content-Type": kind} if kind else {})}
    wrong = []
    for path in paths("portal"):
        if path.endswith(("/sign-in/language", "/end")):
            continue
        answer = desk.client.post(path, content=content, headers=headers)
        wrong += wrong_with(answer, f"POST {path} {content[:40]!r}")
    assert wrong == []
