"""What is reached over HTTP: events in, feeds out, health and metrics; and that no input makes a 500."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest
import requests
from lxml import etree
from newsroom import SECRET, TOKEN, Newsroom
from prometheus_client.parser import text_string_to_metric_families

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
ARTICLE = {"id": "web-1", "headline": "A headline", "url": "https://herald.example/web-1", "section": "none"}
EVENT = {"id": "evt-web-1", "type": "article.published", "time": "2026-03-01T08:00:00Z", "article": ARTICLE}
AUTH = {"Authorization": f"Bearer {TOKEN}"}


def event(**article: Any) -> dict[str, Any]:
    return {**EVENT, "id": f"evt-{time.monotonic_ns()}", "article": {**ARTICLE, **article}}


def post(newsroom: Newsroom, body: bytes, **headers: str) -> requests.Response:
    return requests.post(
        f"{newsroom.base_url}/events",
        body,
        headers={"Content-Type": "application/json", **AUTH, **{k.replace("_", "-"): v for k, v in headers.items()}},
        timeout=60,
    )


def test_one_event_is_accepted_and_its_repetition_is_a_duplicate(newsroom: Newsroom) -> None:
    value = event()
    first, second = newsroom.post(value), newsroom.post(value)
    assert (202, {"id": value["id"], "status": "accepted"}) == (first.status_code, first.json())
    assert (202, {"id": value["id"], "status": "duplicate"}) == (second.status_code, second.json())


def test_good_events_beside_a_bad_one_are_told_apart(newsroom: Newsroom) -> None:
    good, bad = event(), event(headline="<b>bold</b>")
    answer = newsroom.post([good, bad])
    assert answer.status_code == 207
    accepted, invalid = answer.json()["events"]
    assert {"id": good["id"], "status": "accepted"} == accepted
    assert ["article.headline"] == [error["field"] for error in invalid["errors"]]
    assert newsroom.post([bad, {}]).status_code == 400
    assert newsroom.post([]).status_code == 400


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (event() | {"type": "article.sung"}, "type"),
        ({"id": "x", "type": "article.published"}, "article"),
        (event(headline=7), "article.headline"),
        (event(headline="bell\x07"), "article.headline"),
        (event(headline="AT&amp;T"), "article.headline"),
        (event(published="tomorrow"), "article.published"),
        (event(published="٢٠٢٥-٠١-٠١T00:00:00Z"), "article.published"),
        (event(url="/relative"), "article.url"),
        (event(colour="blue"), "article.colour"),
        (event(images=[{"url": "ftp://x.example/"}]), "article.images.0.url"),
        (event(id="\ud800"), "article.id"),
        ("not an object", ""),
    ],
)
def test_bad_input_names_its_field(newsroom: Newsroom, value: Any, field: str) -> None:
    answer = newsroom.post(value)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert [field] == [error.get("field") for error in errors]
    assert all(error["problem"] for error in errors)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": NaN}',
        b"null",
        b'"\\ud800"',
        b'[{"id": "\\ud800"}]',
        b"[1, null, []]",
    ],
)
def test_no_body_makes_a_500(newsroom: Newsroom, body: bytes) -> None:
    answer = post(newsroom, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_long_is_refused(newsroom: Newsroom) -> None:
    assert post(newsroom, b"[" + b" " * 2_000_000 + b"]").status_code == 413

    def parts() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    answer = requests.post(f"{newsroom.base_url}/events", parts(), headers=AUTH, timeout=60)
    assert answer.status_code == 413


def test_a_compressed_body_is_taken_whether_signed_before_or_after(newsroom: Newsroom) -> None:
    url = f"{newsroom.base_url}/events"
    body = json.dumps(event()).encode()
    sent = gzip.compress(body)
    assert 202 == post(newsroom, sent, Content_Encoding="gzip").status_code
    for signed_text in (body, sent):
        answer = requests.post(url, sent, headers={"Content-Encoding": "gzip", **signed(signed_text)}, timeout=60)
        assert 202 == answer.status_code, answer.text
    assert 401 == requests.post(url, sent, headers={"Content-Encoding": "gzip", **signed(b"x")}, timeout=60).status_code
    assert 413 == post(newsroom, gzip.compress(b" " * 2_000_001), Content_Encoding="gzip").status_code
    other = post(newsroom, sent, Content_Encoding="br")
    assert (415, "gzip, deflate") == (other.status_code, other.headers["accept-encoding"])


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/events", {}),
        ("/events", {"Authorization": "Bearer wrong"}),
        ("/events", {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}),
        ("/events/ninjs", {}),
        ("/events/ghost", {"Authorization": "Bearer wrong"}),
    ],
)
def test_who_has_no_right_is_told_so_before_the_body_is_there(
    newsroom: Newsroom, path: str, fields: dict[str, str]
) -> None:
    with stalled(newsroom, path, fields) as connection:
        answer = received(connection)
    assert answer.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 404 "))


def test_an_adapter_is_off_until_it_has_a_secret(newsroom: Newsroom) -> None:
    answer = requests.post(f"{newsroom.base_url}/events/ghost", b"{}", timeout=60)
    assert 404 == answer.status_code
    said = "The adapter ghost is off. To turn it on, set secret in [adapters.ghost] of the settings."
    assert said == answer.json()["detail"]


def test_a_body_that_does_not_come_is_not_waited_for(newsroom: Newsroom) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with stalled(newsroom, "/events", AUTH) as to_events, stalled(newsroom, "/hub", form) as to_hub:
        assert received(to_events).startswith(b"HTTP/1.1 408 ")
        assert received(to_hub).startswith(b"HTTP/1.1 408 ")


def stalled(newsroom: Newsroom, path: str, fields: Mapping[str, str]) -> socket.socket:
    """A request of which only the head and a few bytes are sent."""
    address = urlsplit(newsroom.base_url)
    connection = socket.create_connection((address.hostname, address.port), 40)
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n{head}\r\n[".encode())
    return connection


def received(connection: socket.socket) -> bytes:
    """All that comes until the other side closes the connection."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def signed(body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.digest(key, f"msg_1.{at}.".encode() + body, hashlib.sha256)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,{digest}"}


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer é"}]
)
def test_without_the_right_token_it_is_401_without_detail(newsroom: Newsroom, header: dict[str, str]) -> None:
    encoded = {name: value.encode() for name, value in header.items()}
    answer = requests.post(f"{newsroom.base_url}/events", b"{", headers=encoded, timeout=60)
    assert answer.status_code == 401
    assert {"type": "about:blank", "title": "Unauthorized", "status": 401} == answer.json()


def test_a_standard_webhooks_signature_is_as_good_as_a_token(newsroom: Newsroom) -> None:
    body = json.dumps(event()).encode()
    headers = signed(body)
    url = f"{newsroom.base_url}/events"
    assert requests.post(url, body, headers=headers, timeout=60).status_code == 202
    assert requests.post(url, body + b" ", headers=headers, timeout=60).status_code == 401
    assert requests.post(url, body, headers={**headers, "webhook-timestamp": "1"}, timeout=60).status_code == 401


def test_cloudevents_in_all_modes(newsroom: Newsroom) -> None:
    own = event()
    structured = {
        "specversion": "1.0",
        "source": "/cms",
        "id": "ce-1",
        "type": "article.published",
        "data": {"article": ARTICLE},
    }
    content = "application/cloudevents+json"
    answer = post(newsroom, json.dumps(structured).encode(), Content_Type=content)
    assert (202, "ce-1") == (answer.status_code, answer.json()["id"])
    answer = post(newsroom, json.dumps({**structured, "data": own}).encode(), Content_Type=content)
    assert (202, own["id"]) == (answer.status_code, answer.json()["id"])
    batch = [{**structured, "id": "ce-2"}, {**structured, "specversion": "0.3"}]
    answer = post(newsroom, json.dumps(batch).encode(), Content_Type="application/cloudevents-batch+json")
    assert (207, ["accepted", "invalid"]) == (
        answer.status_code,
        [event["status"] for event in answer.json()["events"]],
    )
    answer = post(
        newsroom,
        json.dumps({"article": ARTICLE}).encode(),
        ce_specversion="1.0",
        ce_id="ce-3",
        ce_type="article.published",
        ce_source="/cms",
    )
    assert (202, "ce-3") == (answer.status_code, answer.json()["id"])
    answer = post(newsroom, b"{}", ce_specversion="1.0", ce_id="ce-4", ce_source="/cms")
    assert (400, "ce-type") == (answer.status_code, answer.json()["errors"][0]["field"])


def test_a_feed_has_validators_and_304(newsroom: Newsroom, section: str) -> None:
    newsroom.publish("cond-1", section)
    newsroom.until_in_feed(section, "cond-1")
    time.sleep(1.1)  # Last-Modified moves on once its second is over
    url = newsroom.topic(section)
    first = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=60)
    assert first.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert first.headers["vary"] == "Accept-Encoding"
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    for header in ({"If-None-Match": tag}, {"If-None-Match": f"W/{tag}"}, {"If-Modified-Since": modified}):
        again = requests.get(url, headers={"Accept-Encoding": "identity", **header}, timeout=60)
        assert again.status_code == 304, header
        assert again.content == b""
        assert (tag, first.headers["cache-control"]) == (again.headers["etag"], again.headers["cache-control"])
        assert first.headers["link"] == again.headers["link"]
    other = {"If-None-Match": '"other"', "If-Modified-Since": modified}
    assert requests.get(url, headers=other, timeout=60).status_code == 200
    newsroom.publish("cond-1", section, 2)
    newsroom.until_in_feed(section, "cond-1, version 2")
    assert requests.get(url, headers={"If-None-Match": tag}, timeout=60).status_code == 200
    assert requests.get(url, headers={"If-Modified-Since": modified}, timeout=60).status_code == 200


def test_gzip_has_a_tag_of_its_own_and_head_has_no_body(newsroom: Newsroom) -> None:
    url = newsroom.topic("s0", "rss")
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=60)
    coded = requests.get(url, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=60)
    assert coded.headers["content-encoding"] == "gzip"
    assert plain.content == gzip.decompress(coded.raw.read())
    assert plain.headers["etag"] != coded.headers["etag"]
    head = requests.head(url, headers={"Accept-Encoding": "identity"}, timeout=60)
    assert (200, b"", plain.headers["etag"]) == (head.status_code, head.content, head.headers["etag"])
    assert str(len(plain.content)) == head.headers["content-length"]
    refused = requests.get(url, headers={"Accept-Encoding": "gzip;q=0"}, timeout=60)
    assert "content-encoding" not in refused.headers


def test_feedparser_reads_the_feed_back(newsroom: Newsroom, section: str) -> None:
    newsroom.publish("read-1", section, summary="In short.", authors=["Ada Quill"], subjects=["weather"])
    for fmt in ("rss", "atom"):
        parsed = feedparser.parse(newsroom.until_in_feed(section, "read-1", fmt=fmt).content)
        assert not parsed.bozo
        (entry,) = parsed.entries
        assert ("read-1, version 1", "In short.", "Ada Quill") == (entry.title, entry.summary, entry.author)
        assert entry.id == "tag:herald.example,2026:article/read-1"


@pytest.mark.parametrize("path", ["/feeds/none.rss", "/feeds/s0.pdf", "/feeds/s0.", "/feeds/%00.rss", "/nothing"])
def test_unknown_addresses_are_404(newsroom: Newsroom, path: str) -> None:
    assert requests.get(newsroom.base_url + path, timeout=60).status_code == 404


def test_directory_and_opml_name_every_feed(newsroom: Newsroom) -> None:
    page = requests.get(f"{newsroom.base_url}/feeds", timeout=60)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    opml = requests.get(f"{newsroom.base_url}/feeds.opml", timeout=60)
    assert opml.headers["content-type"].startswith("text/x-opml")
    outlines = etree.fromstring(opml.content).findall("./body/outline")
    for feed in ("s0", "picks"):
        assert f'href="{newsroom.topic(feed, "rss")}"' in page.text
        assert newsroom.topic(feed) in [outline.get("xmlUrl") for outline in outlines]


def test_health_and_metrics(newsroom: Newsroom) -> None:
    assert requests.get(f"{newsroom.base_url}/healthz", timeout=60).text == "ok\n"
    ready = requests.get(f"{newsroom.base_url}/readyz", timeout=60)
    assert (200, {"status": "ready", "workers": 2, "older_definitions": []}) == (ready.status_code, ready.json())
    text = requests.get(f"{newsroom.base_url}/metrics", timeout=60).text
    shown = {
        sample.name.removesuffix("_bucket")
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith(("_sum", "_count"))
    }
    documented = set(re.findall(r"^\| `(dateline_\w+)`", OPERATIONS.read_text("utf-8"), re.MULTILINE))
    # Not before there are any: pushes, verifications, feeds of patterns, paused endpoints, refused kills, alarms.
    rare = {
        "dateline_attempts_total",
        "dateline_verifications_total",
        "dateline_pattern_feeds",
        "dateline_endpoint_paused",
        "dateline_endpoint_kills_refused",
        "dateline_alarms_open",
        "dateline_alarm_channel_failing_seconds",
        "dateline_alarms",
    }
    assert documented - rare <= shown <= documented
    assert "dateline_workers 2.0\n" in text
    assert 'dateline_endpoint_behind{endpoint="p0"}' in text
    outside = requests.get(f"{newsroom.base_url}/metrics", headers={"X-Forwarded-For": "203.0.113.9"}, timeout=60)
    assert outside.status_code == 403
    assert "p0" not in outside.text


def test_a_curated_list_keeps_its_order(newsroom: Newsroom) -> None:
    for number in (1, 2, 3):
        newsroom.publish(f"pick-{number}", "none")

    def titles() -> list[str]:
        feed = requests.get(newsroom.topic("picks", "json"), timeout=60).json()
        return [item["id"].rpartition("/")[2] for item in feed["items"] if "canceled" not in item["_dateline"]]

    def pick(*ids: str) -> None:
        newsroom.send({"type": "list.updated", "list": {"name": "Editor Picks", "articles": list(ids)}})
        order = [name for name in ids if name != "pick-0"]
        newsroom.receiver.until(lambda: titles() == order, 20, f"the order {order}")

    pick("pick-2", "pick-0", "pick-1")
    pick("pick-1", "pick-2")
    pick("pick-3", "pick-1", "pick-2")
    newsroom.kill("pick-1")
    newsroom.receiver.until(lambda: titles() == ["pick-3", "pick-2"], 20, "the killed pick to be gone")


def test_an_embargoed_article_is_nowhere_until_its_moment(newsroom: Newsroom, section: str) -> None:
    from datetime import UTC, datetime, timedelta

    newsroom.subscribe(section, "/embargo")
    until = datetime.now(UTC) + timedelta(seconds=3)
    newsroom.publish("embargo-1", section, embargoed=until.isoformat())
    newsroom.receiver.until(lambda: newsroom.store.articles.get("embargo-1") is not None, 20, "the article")
    shown = requests.get(newsroom.topic(section), timeout=60).text
    pushed = newsroom.receiver.at("/embargo")
    assert ("embargo-1" not in shown and pushed == []) or datetime.now(UTC) >= until
    newsroom.receiver.wait("/embargo")
    assert datetime.now(UTC) >= until
    newsroom.until_in_feed(section, "embargo-1")
