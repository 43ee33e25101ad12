"""What is told of an attempt: what was sent, without secrets, what was answered, and how long each part took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from api_process import SECRET, ApiProcess, api_process
from desk_visitor import visitor
from receiver import Receiver

from worker.management.scopes import ALL
from worker.outbound.auth import shown_headers

TOKEN_SENT = "a-token-that-nobody-may-see"
HEADER_SENT = "a-header-that-nobody-may-see"
MORE = f"""
[api]
requests = 100000
[[endpoints]]
name = "shielded"
feed = "sport"
format = "json"
url = "URL/shielded"
gzip = true
headers = {{ X-Api-Key = "{HEADER_SENT}" }}
auth = {{ type = "bearer", token = "{TOKEN_SENT}" }}
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str, receiver: Receiver) -> Iterator[ApiProcess]:
    more = MORE.replace("URL", receiver.url)
    with api_process(tmp_path_factory.mktemp("attempts"), redis_url, receiver, more) as process:
        yield process


def attempts_at(api: ApiProcess, endpoint: str, article: str | None) -> list[dict[str, Any]]:
    rows = api.get(f"/endpoints/{endpoint}/attempts")["items"]
    return [row for row in rows if row["article"] == article]


def whole(api: ApiProcess, endpoint: str, row: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(f"/endpoints/{endpoint}/attempts/{row['id']}")
    # Of what was killed or forgotten since, they are gone.
    shown = {name for name in row if name not in {"headline", "edition"} or answer[name] is not None}
    assert {name: answer[name] for name in shown} == {name: row[name] for name in shown}
    return answer


def test_an_attempt_has_the_headers_the_document_and_the_times(api: ApiProcess, receiver: Receiver) -> None:
    api.publish("hh-1", headline="The ferry is late")
    (row,) = api.until(lambda: attempts_at(api, "portal", "hh-1"), "the attempt")
    (request,) = receiver.wait("/portal")
    sent = dict(line.split(": ", 1) for line in row["request_headers"])
    assert sent == {
        "Content-Type": "application/json",
        **{name: request.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")},
    }
    assert sent["webhook-signature"].startswith("v1,")
    phases = row["phases"]
    assert phases["first_byte"] > 0
    assert phases["tls"] == 0
    assert phases["name"] + phases["connect"] + phases["first_byte"] <= row["milliseconds"] + 1
    one = whole(api, "portal", row)
    assert one["document"].encode() == request.body
    assert sha256(request.body).hexdigest() == row["sha256"]
    assert one["no_document"] is None


def test_what_may_be_a_secret_is_not_shown(api: ApiProcess, receiver: Receiver) -> None:
    receiver.behave["/shielded"] = lambda request: (500, json.dumps(request.headers).encode(), {})
    api.publish("hh-s", "sport")
    (row, *_) = api.until(lambda: attempts_at(api, "shielded", "hh-s"), "the attempt")
    request = receiver.wait("/shielded")[0]
    assert request.headers["authorization"] == f"Bearer {TOKEN_SENT}"
    assert request.headers["x-api-key"] == HEADER_SENT
    one = whole(api, "shielded", row)
    assert row["outcome"] == "retry"
    assert {"Authorization: Bearer ***", "X-Api-Key: ***", "Content-Encoding: gzip"} <= set(row["request_headers"])
    assert "hh-s" in one["document"]
    assert "x-api-key" in one["answer"]
    for secret in (TOKEN_SENT, HEADER_SENT, SECRET):
        assert secret not in json.dumps(one)
    receiver.behave.pop("/shielded")


def test_a_header_that_is_not_known_may_be_a_secret() -> None:
    lines = ["Cookie: a=b", "Authorization: word", "Authorization: Basic YTpi", "Content-Type: text/plain", "X-Key;"]
    assert shown_headers(lines).split("\n") == [
        "Cookie: ***",
        "Authorization: ***",
        "Authorization: Basic ***",
        "Content-Type: text/plain",
        "X-Key;: ***",
    ]


def test_a_document_is_shown_as_it_was_sent_or_not_at_all(api: ApiProcess) -> None:
    api.publish("hh-2", headline="A first version", version=1)
    api.until(lambda: attempts_at(api, "portal", "hh-2"), "the first version")
    api.publish("hh-2", headline="A second version", version=2)
    second, first = api.until(lambda: len(rows := attempts_at(api, "portal", "hh-2")) == 2 and rows, "the second")
    assert (first["version"], second["version"]) == (1, 2)
    # The headline of what was sent, and not of what it is now.
    assert (first["headline"], second["headline"]) == ("A first version", "A second version")
    assert "A first version" in whole(api, "portal", first)["document"]
    assert "A second version" in whole(api, "portal", second)["document"]
    kill = api.ask("POST", "/articles/hh-2/kill")
    assert kill.status_code == 202
    api.consume()
    notice = api.until(
        lambda: (rows := attempts_at(api, "portal", "hh-2")) and rows[0]["action"] == "killed" and rows[0], "the kill"
    )
    assert json.loads(whole(api, "portal", notice)["document"])["type"] == "article.killed"

    def gone() -> bool:
        one = api.get(f"/endpoints/portal/attempts/{first['id']}")
        headlines = {row["headline"] for row in attempts_at(api, "portal", "hh-2")}
        return (
            headlines == {None} and one["document"] is None and one["no_document"] == "its text was killed or forgotten"
        )

    api.until(gone, "the end of the text")


ANOTHER = "the feed, the endpoint, the newsroom or Dateline is another than when it was sent"


def test_a_push_of_a_feed_is_made_anew_until_what_was_in_it_changes(api: ApiProcess, receiver: Receiver) -> None:
    def pushes() -> list[Any]:
        return attempts_at(api, "reader", None)

    before = len(pushes())
    api.publish("hh-3", headline="A first version")
    (first,) = api.until(lambda: len(rows := pushes()) > before and rows[:1], "the push")
    api.publish("hh-7", headline="Another one")
    (second,) = api.until(lambda: len(rows := pushes()) > before + 1 and rows[:1], "the next push")
    # As soon as the ledger is in the record, too.
    api.until(lambda: whole(api, "reader", first)["document"], "the document")
    shown = [whole(api, "reader", row)["document"].encode() for row in (first, second)]
    assert shown == [request.body for request in receiver.at("/reader")[-2:]]
    assert b"A first version" in shown[0]
    assert b"Another one" not in shown[0]
    assert whole(api, "reader", first)["phases"]["first_byte"] > 0
    api.publish("hh-3", headline="A second version", version=2)
    api.until(lambda: len(pushes()) > before + 2, "the push of the second version")
    api.until(lambda: whole(api, "reader", first)["no_document"] == ANOTHER, "the change")
    assert whole(api, "reader", second)["document"].encode() == shown[1]
    api.ask("POST", "/articles/hh-3/kill")
    api.consume()
    (notice,) = api.until(lambda: len(rows := pushes()) > before + 3 and rows[:1], "the push of the kill")
    document = api.until(lambda: whole(api, "reader", notice)["document"], "the document")
    assert "A second version" not in document
    assert document.encode() == receiver.at("/reader")[-1].body


def test_a_push_of_a_feed_that_failed_is_made_anew(api: ApiProcess, receiver: Receiver) -> None:
    receiver.behave["/failing"] = lambda _: (500, b"")
    settings = {"feed": "world", "mode": "feed", "format": "atom", "url": f"{receiver.url}/failing", "secret": []}
    assert api.ask("POST", "/endpoints", json={"name": "failing", "settings": settings}).status_code == 201
    api.until(lambda: api.get("/endpoints/failing")["health"]["state"], "its enrolment")
    api.publish("hh-8", headline="Not taken")
    (row, *_) = api.until(lambda: attempts_at(api, "failing", None), "the attempt")
    one = api.until(lambda: (shown := whole(api, "failing", row))["document"] and shown, "the document")
    assert one["document"].encode() == receiver.at("/failing")[0].body


def test_of_another_format_it_is_said_so(api: ApiProcess, receiver: Receiver) -> None:
    settings = {"feed": "world", "format": "json", "url": f"{receiver.url}/changing", "secret": []}
    assert api.ask("POST", "/endpoints", json={"name": "changing", "settings": settings}).status_code == 201
    api.until(lambda: api.get("/endpoints/changing")["health"]["state"], "its enrolment")
    api.publish("hh-4")
    (row,) = api.until(lambda: attempts_at(api, "changing", "hh-4"), "the attempt")
    assert whole(api, "changing", row)["document"] is not None
    changed = {"settings": {**settings, "format": "ninjs31"}}
    assert api.ask("PUT", "/endpoints/changing", json=changed, headers={"If-Match": "*"}).status_code == 200
    reason = "the endpoint, the newsroom or Dateline is another than when it was sent"
    api.until(lambda: whole(api, "changing", row)["no_document"] == reason, "the change")


def test_who_may_not_read_articles_does_not_see_the_document(api: ApiProcess) -> None:
    api.publish("hh-5")
    (row,) = api.until(lambda: attempts_at(api, "portal", "hh-5"), "the attempt")
    token = api.key(*(ALL - {"articles:read"}))
    one = api.get(f"/endpoints/portal/attempts/{row['id']}", token)
    assert one["document"] is None
    assert one["no_document"].endswith("lacks the scope articles:read")
    rows = [one, *api.get("/endpoints/portal/attempts", token)["items"]]
    assert {(row["headline"], row["edition"]) for row in rows} == {(None, None)}
    # An id stands for an attempt at one endpoint alone.
    for path in (
        f"/endpoints/arena/attempts/{row['id']}",
        "/endpoints/portal/attempts/WzFd",
        "/endpoints/x/attempts/a",
    ):
        assert api.ask("GET", path).status_code == 404, path


def test_the_desk_shows_it(api: ApiProcess) -> None:
    api.publish("hh-6", headline="The tram stands still")
    (row,) = api.until(lambda: attempts_at(api, "portal", "hh-6"), "the attempt")
    desk = visitor(api, "ada", "admin")
    listed = desk.page("/endpoints/portal")
    assert f'href="/desk/endpoints/portal/attempts/{row["id"]}"' in listed
    assert '<a href="/desk/articles/hh-6" dir="auto" lang="en">The tram stands still</a>' in listed
    page = desk.page(f"/endpoints/portal/attempts/{row['id']}")
    assert "The tram stands still" in page
    assert "webhook-signature: v1," in page
    assert "The answer began" in page
    assert desk.get("/endpoints/portal/attempts/none").status_code == 404
