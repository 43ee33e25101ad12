"""The API as a client meets it: who may ask what, errors, pages, limits, repetitions, the OpenAPI document."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from api_process import ROOT, TOKEN, ApiProcess, api_process
from receiver import Receiver
from requests.utils import parse_header_links
from sqlalchemy import update

from web import wrong_keys
from web.api.application import operations, scopes_of
from worker.management.callers import Bounds
from worker.management.scopes import ALL, SCOPES
from worker.record import tables
from worker.store.refusals import Refusal

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    patch = pytest.MonkeyPatch()
    patch.setattr(wrong_keys, "_SLOW_SECONDS", 0.02)
    with api_process(tmp_path_factory.mktemp("api"), redis_url, receiver, "[api]\nrequests = 100000") as process:
        process.publish("hh-1")
        process.publish("hh-2", "sport")
        yield process
    patch.undo()
    receiver.close()


def document(api: ApiProcess) -> dict[str, Any]:
    answer = api.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


VALUES = {
    "event": "evt-none",
    "article": "hh-1",
    "version": "1",
    "name": "Editor Picks",
    "feed": "world",
    "endpoint": "portal",
    "key": "none",
    "partner": "none",
    "user": "none",
    "link": "none",
    "alarm": "none",
    "attempt": "none",
    "format": "none",
}
"""Of the parameters in addresses."""


def every_route(api: ApiProcess) -> Iterator[tuple[str, str, list[str]]]:
    """Every operation with its address and its scopes, as the document says."""
    for path, item in document(api)["paths"].items():
        if path == "/events":
            # It is outside of the API, and may be signed instead.
            continue
        for method, operation in item.items():
            address = path.removeprefix("/api/v1")
            for name, value in VALUES.items():
                address = address.replace(f"{{{name}}}", value)
            assert "{" not in address, address
            yield method.upper(), address, scopes_of(operation)


GIVEN = {"POST /partners/none/links": ("endpoints:operate", "endpoints:read", "endpoints:write")}
"""What a route gives to others, which nobody can give without having it."""


def test_every_route_needs_its_scope_and_no_other(api: ApiProcess) -> None:
    scopes_used = set()
    for method, address, scopes in every_route(api):
        if address == "/live":
            continue
        what = f"{method} {address}"
        assert api.client.request(method, f"/api/v1{address}").status_code == 401, what
        assert api.ask(method, address, "dl_none_" + "x" * 43).status_code == 401, what
        if address in {"/me", "/newsroom"}:
            assert scopes == []
            continue
        assert len(scopes) == 1, what
        scopes_used |= set(scopes)
        without = api.ask(method, address, keys_without(api, scopes[0]))
        assert without.status_code == 403, what
        assert (without.headers["content-type"], without.json()["scope"]) == (PROBLEM, scopes[0])
        having = api.ask(method, address, keys_with(api, scopes[0], *GIVEN.get(what, ())))
        assert having.status_code not in {401, 403}, f"{what}: {having.text}"
        assert having.status_code < 500, f"{what}: {having.text}"
    assert scopes_used <= set(SCOPES)


_tokens: dict[tuple[str, bool], str] = {}


def keys_with(api: ApiProcess, *scopes: str) -> str:
    if (" ".join(scopes), True) not in _tokens:
        _tokens[" ".join(scopes), True] = api.key(*scopes)
    return _tokens[" ".join(scopes), True]


def keys_without(api: ApiProcess, scope: str) -> str:
    if (scope, False) not in _tokens:
        _tokens[scope, False] = api.key(*(ALL - {scope}))
    return _tokens[scope, False]


def test_a_token_of_the_file_may_do_everything(api: ApiProcess) -> None:
    assert api.get("/me") == {
        "name": "file",
        "scopes": sorted(ALL),
        "feeds": None,
        "partners": None,
        "adapters": None,
    }


def test_every_error_is_a_problem_that_names_the_field(api: ApiProcess) -> None:
    for method, path, status, field in (
        ("GET", "/nowhere", 404, None),
        ("DELETE", "/articles", 405, None),
        ("GET", "/articles?limit=101", 422, "limit"),
        ("GET", "/articles?limit=0", 422, "limit"),
        ("GET", "/articles?after=nonsense", 422, "after"),
        ("GET", "/articles?since=2026-03-01T10:00:00", 422, "since"),
        ("GET", "/endpoints?after=!!", 422, "after"),
        ("GET", "/events/evt-none", 404, None),
        ("GET", "/events/evt-none?wait=long", 422, "wait"),
        ("GET", "/articles/hh-1/preview", 422, "format"),
        ("GET", "/articles/hh-1/preview?format=word", 422, "format"),
        ("GET", "/articles/none", 404, None),
        ("DELETE", "/keys/none", 428, None),
    ):
        answer = api.ask(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), path
        body = answer.json()
        assert (body["status"], bool(body["detail"])) == (status, True)
        assert ([field] if field else []) == [wrong["field"] for wrong in body.get("errors", [])], path
    answer = api.ask("POST", "/keys", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    answer = api.ask("POST", "/keys", json={"name": "Web", "scopes": ["fly"], "more": 1})
    assert [wrong["field"] for wrong in answer.json()["errors"]] == ["more"]
    answer = api.ask("POST", "/keys", json={"name": "Web", "scopes": ["fly"]})
    assert {wrong["field"] for wrong in answer.json()["errors"]} == {"name", "scopes"}
    large = api.ask("POST", "/keys", content=b"x" * 2_100_000)
    assert (large.status_code, large.headers["content-type"]) == (413, PROBLEM)


def test_a_body_that_is_no_json_is_called_so(api: ApiProcess) -> None:
    def answer(body: bytes, media_type: str = "application/json", **headers: str) -> Any:
        sent = api.ask("POST", "/partners", content=body, headers={"Content-Type": media_type, **headers})
        assert sent.headers["content-type"] == "application/problem+json"
        return sent.status_code, sent.json().get("errors"), sent.json()["detail"]

    status, errors, _ = answer(b'{"name": oops}')
    assert (status, errors) == (422, [{"field": "", "message": "is no JSON: Expecting value at character 10"}])
    for body in (b"[" * 100_000, b'{"name": ' + b"9" * 5000 + b"}"):
        status, errors, _ = answer(body)
        assert (status, [error["field"] for error in errors]) == (422, [""])
        assert "nested too deeply, or a number in it is too long" in errors[0]["message"]
    for media_type in ("application/x-www-form-urlencoded", "text/plain"):
        status, _, detail = answer(b'{"name": "curl"}', media_type)
        assert (status, detail) == (415, "Send the body as JSON, with Content-Type: application/json.")
    status, errors, _ = answer(b'{"name": "long"}', **{"Idempotency-Key": "k" * 256})
    assert (status, errors) == (422, [{"field": "Idempotency-Key", "message": "must have 1 to 255 characters"}])


@pytest.mark.parametrize("path", ["/api/v1/partners", "/events", "/hub", "/desk/sign-in"])
def test_a_body_that_breaks_off_is_no_error_of_ours(api: ApiProcess, path: str) -> None:
    parts = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(parts)

    fields = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://testserver"}
    status = api.status_of("POST", path, fields | {"Authorization": f"Bearer {TOKEN}"}, receive)
    assert status == 400


def test_lists_have_pages_that_link_to_the_next(api: ApiProcess) -> None:
    names = []
    path = "/endpoints?limit=1"
    while path:
        answer = api.ask("GET", path)
        names += [row["name"] for row in answer.json()["items"]]
        link = answer.headers.get("link", "")
        assert bool(link) == (answer.json()["next"] is not None)
        path = link.partition(">")[0].removeprefix("</api/v1")
    assert names == ["arena", "portal", "reader"]


@pytest.mark.parametrize("name", ["مقال-١", "a?b#c", 'c>d;e="f', "world/preview", "x/revisions", "x/revisions/2"])
def test_an_article_is_reached_by_any_name(api: ApiProcess, name: str) -> None:
    address = f"/articles/{quote(name, safe='')}"
    for version in (1, 2):
        event = api.publish(name, version=version)
    api.get(f"/events/{event['id']}?wait=60s")
    assert api.get(address)["id"] == name
    first = api.ask("GET", f"{address}/revisions?limit=1")
    assert [row["version"] for row in first.json()["items"]] == [1]
    link = str(parse_header_links(first.headers["link"])[0]["url"])
    assert link.isascii()
    following = api.ask("GET", link.removeprefix("/api/v1"))
    assert [row["version"] for row in following.json()["items"]] == [2]
    assert api.get(f"{address}/revisions/2")["id"] == name
    assert api.get(f"{address}/coverage")["article"]["id"] == name
    assert api.get(f"{address}/preview?format=json")["refused"] == []
    killed = api.ask("POST", f"{address}/kill")
    assert (killed.status_code, killed.json()["article"]) == (202, name)


def test_an_endpoint_and_a_partner_are_reached_by_a_name_with_a_slash(api: ApiProcess) -> None:
    current = {"If-Match": "*"}
    settings = {"feed": "world", "format": "json", "url": f"{api.receiver.url}/slashed"}
    assert api.ask("POST", "/partners", json={"name": "north/radio"}).status_code == 201
    endpoint = {"name": "north/radio/en", "partner": "north/radio", "settings": settings}
    made = api.ask("POST", "/endpoints", json=endpoint)
    assert made.status_code == 201, made.text
    address = made.headers["location"].removeprefix("/api/v1")
    assert address == "/endpoints/north%2Fradio%2Fen"
    receivers = api.services.store.receivers
    api.until(lambda: receivers.exists("world", "endpoint:north/radio/en"), "the receiver")
    assert api.get(address)["name"] == "north/radio/en"
    assert api.get(f"{address}/attempts")["items"] == []
    for order in ("pause", "resume", "rotate"):
        assert api.ask("POST", f"{address}/{order}", json={}).status_code == 200, order
    ordered = api.ask("POST", f"{address}/replays", json={"article": "hh-1"})
    assert (ordered.status_code, ordered.headers["location"]) == (202, f"/api/v1{address}/replays")
    assert api.ask("DELETE", address, headers=current).status_code == 204
    assert api.ask("POST", f"{address}/restore").status_code == 200
    assert api.ask("DELETE", address, headers=current).status_code == 204
    assert api.get("/partners/north%2Fradio")["name"] == "north/radio"
    assert api.ask("DELETE", "/partners/north%2Fradio", headers=current).status_code == 204
    # A slash elsewhere is of nothing that there is.
    for path in ("/endpoints/portal/attempts/a%2Fb", "/articles/hh-1/revisions/1%2F2"):
        assert api.ask("GET", path).status_code in {404, 422}, path


def test_what_the_gate_keeps_out_is_listed(api: ApiProcess) -> None:
    refusals = api.services.store.refusals
    for article_id in ("kept-1", "kept-2"):
        api.publish(article_id)
    for name in ("rss", "atom"):
        for article_id, version in (("kept-1", 1), ("kept-2", 1)):
            refusals.note(name, article_id, Refusal(version, 1_772_000_000_000, ["it is too short"]))
    # One that is cold or forgotten is in no document.
    refusals.note("rss", "gone", Refusal(1, 1_772_000_000_000, ["it is too short"]))
    first = api.ask("GET", "/parked?limit=3").json()
    rows = [*first["items"], *api.get(f"/parked?after={quote(first['next'])}")["items"]]
    assert [(row["format"], row["article"]) for row in rows] == [
        *(("atom", "kept-1"), ("atom", "kept-2"), ("rss", "kept-1"), ("rss", "kept-2")),
    ]
    assert rows[0] == {
        "format": "atom",
        "article": "kept-1",
        "version": 1,
        "since": "2026-02-25T06:13:20Z",
        "reasons": ["it is too short"],
    }
    assert api.ask("GET", "/parked", api.key(*ALL, bounds=Bounds(feeds=("sport",)))).status_code == 403
    for name in ("rss", "atom"):
        refusals.drop(name, ["kept-1", "kept-2", "gone"])


BEYOND = ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z")


@pytest.mark.parametrize("time", [*BEYOND, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_no_time_is_too_early_or_too_late_for_an_answer(api: ApiProcess, time: str) -> None:
    key = api.ask("POST", "/keys", json={"name": "long", "scopes": ["articles:read"], "expires": time})
    assert (key.status_code, key.json()["errors"][0]["field"]) == (422, "expires")
    replay = api.ask("POST", "/endpoints/portal/replays", json={"since": time, "dry_run": True})
    assert (replay.status_code, replay.json().get("errors")) != (500, None)
    assert replay.status_code == (202 if time == "9999-12-31T23:59:59Z" else 422)
    assert api.ask("GET", "/articles", params={"since": time}).status_code in {200, 422}


def test_a_key_that_was_made_to_end_later_than_answers_can_say_is_listed(api: ApiProcess) -> None:
    made = api.services.management.keys.create(ROOT, "for-good", ["articles:read"])
    with api.services.record.write() as connection:
        row = {"expires": 253_402_300_799_999}
        connection.execute(update(tables.keys).where(tables.keys.c.id == made.key.id).values(row))
    assert api.get(f"/keys/{made.key.id}")["expires"] == "9000-01-01T00:00:00Z"


def test_a_subject_is_one_of_a_provider(api: ApiProcess) -> None:
    for subject in ("", "0001", "https://login.example", "login 0001", f"https://login.example {'x' * 1000}"):
        wrong = api.ask("POST", "/users", json={"name": "ola", "role": "viewer", "subject": subject})
        assert (wrong.status_code, [error["field"] for error in wrong.json()["errors"]]) == (422, ["subject"]), subject
    subject = "https://login.example/realms/newsroom 0001"
    made = api.ask("POST", "/users", json={"name": "ola", "role": "viewer", "subject": subject})
    assert (made.status_code, made.json()["subject"]) == (201, subject)
    changed = api.ask("PATCH", "/users/ola", json={"subject": "0002"}, headers={"If-Match": "*"})
    assert (changed.status_code, changed.json()["errors"][0]["field"]) == (422, "subject")


def test_a_link_that_signs_in_is_shown_once_and_gives_nobody_more(api: ApiProcess) -> None:
    api.ask("POST", "/users", json={"name": "rita", "role": "admin", "password": "a long enough password"})
    api.until(lambda: api.ask("POST", "/users/rita/links").status_code == 201, "rita everywhere")
    headers = {"Idempotency-Key": "link-of-rita"}
    made = api.ask("POST", "/users/rita/links", headers=headers)
    assert (made.status_code, made.json()["seconds"]) == (201, 900)
    assert "/desk/sign-in/link/" in made.json()["url"]
    assert api.ask("POST", "/users/rita/links", headers=headers).status_code == 409
    less = api.ask("POST", "/users/rita/links", api.key("people:write"))
    assert (less.status_code, "may also do" in less.json()["detail"]) == (403, True)
    newest = api.get("/audit?target=rita&limit=1")["items"][0]
    assert (newest["action"], newest["actor"]) == ("person.link_made", "file")
    assert made.json()["url"].rpartition("/")[2] not in api.ask("GET", "/audit?target=rita").text


def test_an_order_with_an_idempotency_key_is_carried_out_once(api: ApiProcess) -> None:
    headers = {"Idempotency-Key": "once"}
    first = api.ask("POST", "/articles/hh-2/repeat", headers=headers)
    again = api.ask("POST", "/articles/hh-2/repeat", headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert api.ask("POST", "/articles/hh-1/repeat", headers=headers).status_code == 422
    # Another key has other orders.
    other = api.ask("POST", "/articles/hh-2/repeat", api.key(every=True), headers=headers)
    assert other.json()["event"] != first.json()["event"]


def test_what_was_refused_is_not_said_to_have_been_done(api: ApiProcess) -> None:
    headers = {"Idempotency-Key": "a-wrong-key"}
    first, again = (
        api.ask("POST", "/keys", json={"name": "cms", "scopes": ["events:nope"]}, headers=headers) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (422, 422)
    assert first.json() == again.json()


def test_a_key_is_shown_once_and_never_kept(api: ApiProcess) -> None:
    headers = {"Idempotency-Key": "a-new-key"}
    wanted = {"name": "cms", "scopes": ["events:write"]}
    created = api.ask("POST", "/keys", json=wanted, headers=headers)
    assert created.status_code == 201, created.text
    token = created.json()["key"]
    again = api.ask("POST", "/keys", json=wanted, headers=headers)
    assert again.status_code == 409
    assert "shown only once" in again.json()["detail"]
    key_id = created.json()["id"]
    shown = api.ask("GET", f"/keys/{key_id}")
    assert token not in shown.text
    client = api.services.store.client
    kept = [client.get(key) for key in client.scan_iter("dateline:api:*")]
    assert token not in json.dumps(kept)
    assert api.ask("DELETE", f"/keys/{key_id}", headers={"If-Match": '"99999"'}).status_code == 412
    gone = api.ask("DELETE", f"/keys/{key_id}", headers={"If-Match": shown.headers["etag"]})
    assert (gone.status_code, gone.json()["revoked"] is not None) == (200, True)
    api.until(lambda: api.ask("GET", "/me", token).status_code == 401, "end of the key")


def test_a_key_sees_no_more_than_its_feeds(api: ApiProcess) -> None:
    token = api.key(*ALL, bounds=Bounds(feeds=("sport",)))
    assert [row["name"] for row in api.get("/feeds", token)["items"]] == ["sport"]
    assert [row["name"] for row in api.get("/endpoints", token)["items"]] == ["arena"]
    api.until(lambda: api.ask("GET", "/articles/hh-2", token).status_code == 200, "hh-2 in the record")
    others = ("/articles/hh-1", "/articles/hh-1/coverage", "/feeds/world", "/endpoints/portal", "/lists/Editor Picks")
    for path in others:
        assert api.ask("GET", path, token).status_code == 404, path
    assert api.ask("GET", "/articles", token).status_code == 403
    assert [row["id"] for row in api.get("/articles?feed=sport", token)["items"]] == ["hh-2"]
    for path in ("/articles/hh-1/kill", "/articles/hh-1/hold"):
        assert api.ask("POST", path, token).status_code == 403, path
    assert api.ask("POST", "/endpoints/portal/pause", token).status_code == 404


def test_the_document_is_openapi_3_1_and_the_page_asks_no_other_host(api: ApiProcess) -> None:
    content = document(api)
    assert content["openapi"].startswith("3.1")
    assert all(operation["responses"]["default"] for operation in operations(content))
    page = api.client.get("/api/v1/")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "://" not in page.text
    assert api.client.get("/api/v1", follow_redirects=False).headers["location"] == "/api/v1/"
    script = api.client.get("/api/v1/reference.js")
    assert (script.status_code, script.headers["content-type"].partition(";")[0]) == (200, "text/javascript")


def test_wrong_keys_are_slowed_and_right_ones_are_not(api: ApiProcess) -> None:
    begun = time.monotonic()
    for number in range(wrong_keys._FREE + 20):
        assert api.ask("GET", "/me", f"dl_wrong_{number}").status_code == 401
    assert time.monotonic() - begun > 20 * wrong_keys._SLOW_SECONDS
    assert api.ask("GET", "/me", TOKEN).status_code == 200


def test_every_operation_has_a_name_of_its_own(api: ApiProcess) -> None:
    names = [operation["operationId"] for operation in operations(document(api))]
    assert len(names) == len(set(names))
    assert [name for name in names if "api_v1" in name or name.count("_") > 3] == []
