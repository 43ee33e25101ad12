"""An answer that was waited for goes by what holds when it is given, not by what held when it was asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from api_process import ApiProcess, api_process
from receiver import Receiver
from waiting import until

from web.api import events, pull
from worker.management.callers import Bounds
from worker.management.scopes import ARTICLES_PULL, EVENTS_READ, EVENTS_WRITE, LISTS_WRITE


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("waits"), redis_url, receiver, "[api]\nrequests = 100000") as process:
        receivers = process.services.store.receivers
        for name in ("acme", "bravo"):
            process.ask("POST", "/partners", json={"name": name})
            settings = {"kind": "pull", "feed": "world", "format": "json"}
            made = process.ask("POST", "/endpoints", json={"name": name, "partner": name, "settings": settings})
            assert made.status_code == 201, made.text
            process.until(lambda name=name: receivers.exists("world", f"endpoint:{name}"), "the receiver")
        yield process
    receiver.close()


def asked(api: ApiProcess, path: str, key: str, is_waiting: Callable[[], int]) -> tuple[threading.Thread, list[Any]]:
    """Ask, in a thread; return it when the request waits, and where its answer comes."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(api.ask("GET", path, key)))
    before = is_waiting()
    thread.start()
    until(lambda: is_waiting() > before, "the request waits")
    return thread, answers


def test_a_revoked_key_is_answered_nothing_more(api: ApiProcess) -> None:
    # One article is delivered to nobody in this process, so its receipt is waited for.
    event = api.publish("waited-for")["id"]
    acme = api.key(ARTICLES_PULL, bounds=Bounds(partners=("acme",)))
    last = api.get("/partners/acme/articles", acme)["next"]
    assert api.ask("POST", "/partners/acme/articles/ack", acme, json={"cursor": last}).status_code == 200
    key = api.key(ARTICLES_PULL, EVENTS_READ)
    (key_id,) = (row["id"] for row in api.get("/keys?limit=100")["items"] if row["id"] == key.split("_")[1])
    pulling, pulled = asked(api, "/partners/acme/articles?wait=60s", key, lambda: pull._waiting)
    asking, receipts = asked(api, f"/events/{event}?wait=2s", key, lambda: events._waiting)
    assert api.ask("DELETE", f"/keys/{key_id}", headers={"If-Match": "*"}).status_code == 200
    api.publish("after-the-end")
    for thread, answers in ((pulling, pulled), (asking, receipts)):
        thread.join(90)
        assert [answer.status_code for answer in answers] == [401]
        assert "after-the-end" not in answers[0].text
        assert answers[0].headers["content-type"] == "application/problem+json"


def test_rights_are_those_of_the_moment_when_an_article_leaves(api: ApiProcess) -> None:
    key = api.key(ARTICLES_PULL, bounds=Bounds(partners=("bravo",)))
    last = api.get("/partners/bravo/articles", key)["next"]
    assert api.ask("POST", "/partners/bravo/articles/ack", key, json={"cursor": last}).status_code == 200
    pulling, pulled = asked(api, "/partners/bravo/articles?wait=60s", key, lambda: pull._waiting)
    terms = {"rights": {"text": "headline"}}
    assert api.ask("PUT", "/partners/bravo", json=terms, headers={"If-Match": "*"}).status_code == 200
    api.publish("headline-only", body_html="<p>All of its words.</p>")
    pulling.join(90)
    (item,) = pulled[0].json()["items"]
    assert item["article"] == "headline-only"
    assert "All of its words" not in pulled[0].text


@pytest.mark.parametrize("path", ["/events", "/api/v1/lists/Editor Picks"])
def test_what_comes_slowly_is_not_taken_from_a_key_that_was_revoked_meanwhile(api: ApiProcess, path: str) -> None:
    key = api.key(EVENTS_WRITE, LISTS_WRITE)
    article = {"id": "too-late", "version": 1, "section": "world", "headline": "Late", "body_html": "<p>Late.</p>"}
    event = {"id": "evt-too-late", "type": "article.published", "article": article}
    body = json.dumps(event if path == "/events" else {"articles": ["too-late"]}).encode()

    async def receive() -> dict[str, Any]:
        revoked = api.ask("DELETE", f"/keys/{key.split('_')[1]}", headers={"If-Match": "*"})
        assert revoked.status_code == 200
        return {"type": "http.request", "body": body}

    fields = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    assert api.status_of("POST" if path == "/events" else "PUT", path, fields, receive) == 401
