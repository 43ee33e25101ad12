"""What the API sets in motion, from the request to the partner: receipts, orders, replays, endpoints."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import feedparser
import pytest
from api_process import SECRET, ApiProcess, api_process
from newsroom import published
from receiver import Receiver, Request
from standardwebhooks import Webhook

from worker import clock
from worker.management.callers import Bounds
from worker.store import keys


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    more = f'[api]\nrequests = 100000\n[receipts]\nurl = "{receiver.url}/receipts"\nsecret = "{SECRET}"'
    with api_process(tmp_path_factory.mktemp("api"), redis_url, receiver, more) as process:
        yield process
    receiver.close()


def standings(receipt: dict[str, Any]) -> dict[str, str]:
    (event,) = receipt["events"]
    return {receiver["receiver"]: receiver["standing"] for receiver in event["receivers"]}


def test_a_receipt_is_done_when_every_receiver_has_it(api: ApiProcess) -> None:
    event = api.publish("receipt-1")
    receipt = api.get(f"/events/{event['id']}?wait=60s")
    assert receipt["done"] is True
    assert standings(receipt) == {"portal": "delivered", "reader": "delivered"}
    (entry,) = receipt["events"]
    assert (entry["result"], entry["article"], entry["version"]) == ("published", "receipt-1", 1)


def test_whoever_waits_hears_of_an_event_that_comes_later(api: ApiProcess) -> None:
    later = {**published("receipt-2", "world"), "id": "evt-later"}

    def send() -> None:
        time.sleep(0.5)
        api.services.intake.accept([later], clock.agreed())
        api.consume()

    sender = threading.Thread(target=send)
    sender.start()
    receipt = api.get("/events/evt-later?wait=60s")
    sender.join()
    assert (receipt["done"], standings(receipt)["portal"]) == (True, "delivered")
    begun = time.monotonic()
    assert api.ask("GET", "/events/evt-never?wait=300ms").status_code == 404
    assert time.monotonic() - begun >= 0.3


def test_a_paused_endpoint_does_not_keep_a_receipt_open(api: ApiProcess) -> None:
    paused = api.ask("POST", "/endpoints/arena/pause")
    assert (paused.status_code, paused.json()["health"]["state"]) == (200, "paused")
    assert api.ask("POST", "/endpoints/arena/pause").status_code == 409
    event = api.publish("receipt-3", "sport")
    receipt = api.get(f"/events/{event['id']}?wait=60s")
    assert (receipt["done"], standings(receipt)) == (True, {"arena": "paused"})
    assert api.ask("POST", "/endpoints/arena/resume").status_code == 200
    api.until(lambda: standings(api.get(f"/events/{event['id']}")) == {"arena": "delivered"}, "delivery")


def test_a_kill_is_carried_out_and_proven(api: ApiProcess) -> None:
    event = api.publish("kill-1", "sport")
    api.get(f"/events/{event['id']}?wait=60s")
    order = api.ask("POST", "/articles/kill-1/kill")
    assert order.status_code == 202, order.text
    receipt = api.get(order.json()["receipt"].removeprefix("/api/v1") + "?wait=60s")
    (entry,) = receipt["events"]
    assert (entry["result"], entry["way"], entry["sender"]) == ("killed", "api", "file")
    assert (receipt["done"], entry["proven"], standings(receipt)) == (True, True, {"arena": "delivered"})
    assert api.ask("POST", "/articles/nobody-knows/kill").status_code == 404
    assert api.ask("POST", "/articles/nobody-knows/kill", json={"unknown_too": True}).status_code == 202
    entries = api.get("/audit?action=article.killed")["items"]
    assert {"kill-1", "nobody-knows"} <= {entry["target"] for entry in entries}


def test_an_article_is_held_released_and_put_under_embargo(api: ApiProcess) -> None:
    api.publish("hold-1", headline="1 < 2 & more")

    def state() -> Any:
        return api.get("/articles/hold-1")

    api.until(lambda: api.ask("GET", "/articles/hold-1").status_code == 200, "the article in the record")
    headline = state()["headline"]
    for order, pubstatus, version, within in (("hold", "withheld", 2, "out"), ("release", "usable", 3, "in")):
        assert api.ask("POST", f"/articles/hold-1/{order}").status_code == 202
        api.consume()
        api.until(lambda version=version: state()["version"] == version, order)
        assert (state()["pubstatus"], state()["headline"]) == (pubstatus, headline)
        assert [feed["state"] for feed in state()["feeds"] if feed["feed"] == "world"] == [within]
    assert api.ask("PUT", "/articles/hold-1/embargo", json={"until": "2099-01-01T00:00:00Z"}).status_code == 202
    api.consume()
    api.until(lambda: state()["version"] == 4, "the embargo")
    assert state()["document"]["embargoed"].startswith("2099-01-01")
    preview = api.get("/articles/hold-1/preview?endpoint=portal")
    assert "embargoed until 2099" in preview["notes"][0]
    assert json.loads(preview["document"])["article"]["id"] == "hold-1"
    revisions = api.get("/articles/hold-1/revisions?limit=2")
    assert [row["version"] for row in revisions["items"]] == [1, 2]
    rest = api.get(f"/articles/hold-1/revisions?limit=2&after={revisions['next']}")
    assert [row["version"] for row in rest["items"]] == [3, 4]
    assert "pubstatus" in [change["field"] for change in rest["items"][0]["changes"]]
    assert api.get("/articles/hold-1/revisions/1")["version"] == 1


def test_a_list_is_arranged_and_shown(api: ApiProcess) -> None:
    api.publish("pick-1", "sport")
    order = api.ask("PUT", "/lists/Editor Picks", json={"articles": ["pick-1", "not-yet"]})
    assert order.status_code == 202, order.text
    api.consume()
    entries = api.get("/lists/Editor Picks")["articles"]
    assert [(entry["article"], entry["headline"] is None) for entry in entries] == [
        ("pick-1", False),
        ("not-yet", True),
    ]
    assert api.ask("PUT", "/lists/Nobody", json={"articles": []}).status_code == 404


def test_a_replay_is_counted_ordered_and_watched(api: ApiProcess) -> None:
    event = api.publish("replay-1", "sport")
    api.get(f"/events/{event['id']}?wait=60s")
    dry = api.ask("POST", "/endpoints/arena/replays", json={"article": "replay-1", "dry_run": True})
    assert dry.json() == {"articles": 1, "dry_run": True, "waits": False}
    before = len(api.receiver.at("/arena"))
    assert api.ask("POST", "/endpoints/arena/replays", json={"article": "replay-1"}).json()["articles"] == 1
    api.until(lambda: len(api.receiver.at("/arena")) > before, "the replay")
    api.until(lambda: api.get("/endpoints/arena/replays")["state"] == "done", "its end")
    assert api.get("/endpoints/arena/replays")["total"] == 1
    assert api.ask("DELETE", "/endpoints/arena/replays").json() == {"articles": 0}
    assert api.ask("POST", "/endpoints/reader/replays", json={"parked": True}).status_code == 409
    assert api.ask("POST", "/endpoints/arena/replays", json={}).status_code == 422
    attempts = api.until(lambda: api.get("/endpoints/arena/attempts?limit=1")["items"], "attempts")
    assert (attempts[0]["outcome"], attempts[0]["status"]) == ("delivered", 204)


def test_a_partner_is_added_changed_and_removed_while_all_runs(api: ApiProcess) -> None:
    partner = api.ask("POST", "/partners", json={"name": "gazette", "rights": {"text": "summary"}})
    assert partner.status_code == 201, partner.text
    settings = {"feed": "world", "format": "json", "url": f"{api.receiver.url}/gazette"}
    created = api.ask("POST", "/endpoints", json={"name": "gazette-1", "partner": "gazette", "settings": settings})
    assert created.status_code == 201, created.text
    secret, tag = created.json()["secret"], created.headers["etag"]
    assert secret.startswith("whsec_")
    api.until(lambda: api.ask("GET", "/endpoints/gazette-1").status_code == 200, "the endpoint")
    api.until(lambda: api.get("/endpoints/gazette-1")["health"]["state"] == "settled", "its enrolment")
    shown = api.ask("GET", "/endpoints/gazette-1")
    assert secret not in shown.text
    assert (shown.json()["managed_by"], shown.json()["partner"], shown.headers["etag"]) == ("api", "gazette", tag)
    event = api.publish("gazette-a1")
    assert standings(api.get(f"/events/{event['id']}?wait=60s"))["gazette-1"] == "delivered"
    changed = {"partner": "gazette", "settings": {**shown.json()["settings"], "rate": 5}}
    assert api.ask("PUT", "/endpoints/gazette-1", json=changed).status_code == 428
    assert api.ask("PUT", "/endpoints/gazette-1", json=changed, headers={"If-Match": tag}).status_code == 200
    lost = api.ask("PUT", "/endpoints/gazette-1", json=changed, headers={"If-Match": tag})
    assert (lost.status_code, lost.headers["etag"] != tag) == (412, True)
    wrong = {"feed": "nowhere", "format": "word", "url": "gopher:"}
    refused = api.ask("POST", "/endpoints", json={"name": "wrong", "settings": wrong})
    assert refused.status_code == 422
    assert {"feed", "format", "url"} <= {error["field"] for error in refused.json()["errors"]}
    assert api.ask("POST", "/endpoints/gazette-1/rotate").json()["secret"] != secret
    for_it_alone = api.key("endpoints:read", "partners:read", bounds=Bounds(partners=("gazette",)))
    assert [row["name"] for row in api.get("/endpoints", for_it_alone)["items"]] == ["gazette-1"]
    assert [row["name"] for row in api.get("/partners", for_it_alone)["items"]] == ["gazette"]
    assert api.ask("DELETE", "/partners/gazette", headers={"If-Match": "*"}).status_code == 409
    assert api.ask("DELETE", "/endpoints/gazette-1", headers={"If-Match": "*"}).status_code == 204
    api.until(lambda: api.ask("GET", "/endpoints/gazette-1").status_code == 404, "its end")
    in_file = api.ask("PUT", "/endpoints/portal", json={"settings": settings}, headers={"If-Match": "*"})
    assert in_file.status_code == 409


def test_keys_send_events_if_they_may(api: ApiProcess) -> None:
    event = {"id": "evt-key", "type": "article.killed", "article": {"id": "unknown-1"}}
    for token, status in ((api.key("events:write"), 202), (api.key("events:read"), 403), ("dl_no_key", 401)):
        answer = api.client.post("/events", json=event, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, answer.text


def about(api: ApiProcess, event_id: str) -> list[Request]:
    """The requests to the CMS about an event."""
    return [request for request in api.receiver.at("/receipts") if event_id.encode() in request.body]


def called_back(api: ApiProcess, event_id: str) -> dict[str, dict[str, Any]]:
    """The receipts that the CMS was sent of an event, by their types."""
    messages = [json.loads(request.body) for request in api.receiver.at("/receipts")]
    return {message["type"]: message for message in messages if message["receipt"]["event"] == event_id}


def test_the_cms_is_sent_receipts_that_it_can_verify(api: ApiProcess) -> None:
    event = api.publish("callback-1", "sport")
    api.until(lambda: called_back(api, event["id"]), "the receipt")
    (request,) = about(api, event["id"])
    message = Webhook(SECRET).verify(request.body, request.headers)
    assert (message["type"], message["receipt"]["done"]) == ("receipt.done", True)
    order = api.ask("POST", "/articles/callback-1/kill").json()["event"]
    api.until(lambda: len(called_back(api, order)) == 2, "the proof")
    assert set(called_back(api, order)) == {"receipt.done", "receipt.kill_proven"}


def test_a_receipt_that_is_not_taken_survives_the_worker(api: ApiProcess) -> None:
    store = api.services.store
    api.receiver.behave["/receipts"] = lambda _: (500, b"")
    event = api.publish("callback-2", "sport")
    api.until(lambda: called_back(api, event["id"]), "the first try")
    (first,) = {request.headers["webhook-id"] for request in about(api, event["id"])}
    # All that is known of it is in Redis: another worker goes on with it.
    assert event["id"] in store.client.hgetall(keys.WATCHED_EVENTS)
    del api.receiver.behave["/receipts"]
    api.until(lambda: event["id"] not in store.client.hgetall(keys.WATCHED_EVENTS), "the second try")
    assert {request.headers["webhook-id"] for request in about(api, event["id"])} == {first}


def test_an_endpoint_is_tested_as_it_is_pushed_to(api: ApiProcess) -> None:
    result = api.ask("POST", "/endpoints/portal/test")
    assert result.status_code == 200, result.text
    test = result.json()
    assert (test["answer"]["accepted"], test["answer"]["status"], test["kill"]["status"]) == (True, 204, 204)
    sent = [request for request in api.receiver.at("/portal") if test["article"].encode() in request.body]
    assert [request.headers["dateline-test"] for request in sent] == ["1", "1"]
    types = [Webhook(SECRET).verify(request.body, request.headers)["type"] for request in sent]
    assert types == ["article.published", "article.killed"]
    assert test["document"].encode() == sent[0].body
    api.receiver.behave["/portal"] = lambda _: (422, b"no thanks")
    refused = api.ask("POST", "/endpoints/portal/test").json()
    del api.receiver.behave["/portal"]
    assert (refused["answer"]["status"], refused["answer"]["body"], refused["kill"]) == (422, "no thanks", None)


def test_an_endpoint_that_gets_feeds_is_tested_with_a_feed(api: ApiProcess) -> None:
    test = api.ask("POST", "/endpoints/reader/test").json()
    assert (test["answer"]["accepted"], test["kill"]["accepted"]) == (True, True)
    sent = [request for request in api.receiver.at("/reader") if "dateline-test" in request.headers]
    published, killed = (feedparser.parse(request.body) for request in sent)
    assert sent[0].body == test["document"].encode()
    assert sent[0].headers["content-type"].startswith("application/atom+xml")
    assert published.feed.title == "World"
    assert [entry.title for entry in published.entries] == ["Test: please ignore"]
    # Readers that know no tombstones get a notice under the same id, without the words.
    assert [entry.id for entry in killed.entries] == [published.entries[0].id]
    assert b"please ignore" not in sent[1].body
    assert b"deleted-entry" in sent[1].body


def test_the_past_of_a_feed_is_ordered(api: ApiProcess) -> None:
    dry = api.ask("POST", "/feeds/world/orders", json={"action": "push", "dry_run": True})
    assert dry.status_code == 202, dry.text
    assert (dry.json()["articles"], set(dry.json()["endpoints"]) >= {"portal", "reader"}) == (0, True)
    assert api.ask("GET", "/feeds/world/orders").status_code == 404
    api.services.store.feed_orders.give("picks", "push", {"none": 1}, 1, 0)
    assert api.get("/feeds/picks/orders")["action"] == "push"
    for_sport = api.key("feeds:write", bounds=Bounds(feeds=("sport",)))
    assert api.ask("POST", "/feeds/world/orders", for_sport, json={"action": "push"}).status_code == 404
