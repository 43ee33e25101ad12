"""Readers that register by rssCloud: asked first, notified of changes and kills, bounded, never inside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import feedparser
import pytest
import requests
from lxml import etree
from newsroom import Newsroom, published, start
from receiver import Answer, Receiver, Request

DAY_AND_AN_HOUR = 25 * 3600


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver) -> Iterator[Newsroom]:
    variables = {"DATELINE_WEBSUB__RSSCLOUD": "true"}
    with start(tmp_path_factory.mktemp("n"), shared_receiver, 2, variables=variables) as newsroom:
        yield newsroom


def repeats(request: Request) -> Answer:
    """Confirm by the challenge, and take notifications."""
    return 200, request.query.get("challenge", [""])[0].encode()


def register(newsroom: Newsroom, to: str, *topics: str, **fields: str) -> requests.Response:
    """Register a path of the receiver for some addresses."""
    form = {
        "notifyProcedure": "",
        "domain": "127.0.0.1",
        "port": str(urlsplit(newsroom.receiver.url).port),
        "path": to,
        "protocol": "http-post",
        **{f"url{number}": topic for number, topic in enumerate(topics, 1)},
        **fields,
    }
    form = {name: value for name, value in form.items() if value != "-"}
    return requests.post(f"{newsroom.base_url}/cloud/pleaseNotify", form, timeout=60)


def result(answer: requests.Response) -> tuple[int, str, str]:
    element = etree.fromstring(answer.content)
    assert element.tag == "notifyResult"
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    return answer.status_code, element.attrib["success"], element.attrib["msg"]


def notifications(newsroom: Newsroom, path: str) -> list[str]:
    """The addresses that a path was notified of."""
    return [parse_qs(request.body.decode())["url"][0] for request in newsroom.receiver.at(path)]


def test_a_reader_is_asked_and_then_notified(newsroom: Newsroom, section: str) -> None:
    topic = newsroom.topic(section, "rss")
    newsroom.receiver.behave["/reader"] = repeats
    newsroom.publish("c-1", section)
    newsroom.until_in_feed(section, "c-1", fmt="rss")
    status, success, message = result(register(newsroom, "/reader", topic))
    assert (status, success) == (200, "true")
    assert f"{newsroom.receiver.url}/reader is asked now" in message
    [question] = newsroom.receiver.wait("/reader", method="GET")
    assert question.query["url"] == [topic]
    assert len(question.query["challenge"][0]) >= 32
    # The first one says that there may be something that it has missed.
    newsroom.receiver.wait("/reader")
    newsroom.receiver.until(lambda: newsroom.is_settled(section), 20, "it to be up to date")
    (receiver,) = newsroom.receivers(section)
    left = receiver.details["expires"] / 1000 - time.time()
    assert DAY_AND_AN_HOUR - 120 < left <= DAY_AND_AN_HOUR

    for number, change in enumerate((newsroom.publish, None), 2):
        if change is not None:
            change("c-1", section, 2)
        else:
            newsroom.kill("c-1")
        told = newsroom.receiver.wait("/reader", number)[-1]
        assert told.headers["content-type"] == "application/x-www-form-urlencoded"
        assert notifications(newsroom, "/reader") == [topic] * number


def test_a_burst_is_a_few_notifications_and_the_last_one_comes_after_it(newsroom: Newsroom, section: str) -> None:
    newsroom.receiver.behave["/burst"] = repeats
    register(newsroom, "/burst", newsroom.topic(section, "rss"))
    newsroom.receiver.wait("/burst", method="GET")
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 1, 20, "the subscription")
    answer = newsroom.post([published(f"b-{number}", section) for number in range(30)])
    assert answer.status_code == 202, answer.text
    newsroom.receiver.until(lambda: newsroom.store.changes.size(section) == 30, 20, "the articles")
    newsroom.receiver.until(lambda: newsroom.is_settled(section), 20, "it to be up to date")
    assert 1 <= len(newsroom.receiver.at("/burst")) <= 10


def test_without_a_domain_whoever_asks_is_asked_by_a_notification(newsroom: Newsroom, section: str) -> None:
    topics = [newsroom.topic(section, "rss"), newsroom.topic(section, "atom")]
    newsroom.receiver.behave["/caller"] = lambda _: (200, b"not a challenge")
    assert result(register(newsroom, "/caller", *topics, domain="-"))[1] == "true"
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 2, 20, "both subscriptions")
    assert set(notifications(newsroom, "/caller")) == set(topics)
    assert newsroom.receiver.at("/caller", "GET") == []


@pytest.mark.parametrize("answer", [(200, b"something else"), (404, b""), (302, b"", {"Location": "/reader"})])
def test_nobody_is_notified_who_has_not_confirmed(newsroom: Newsroom, section: str, answer: Answer) -> None:
    newsroom.receiver.behave["/silent"] = lambda _: answer
    before = len(newsroom.receiver.at("/silent", "GET"))
    register(newsroom, "/silent", newsroom.topic(section, "rss"))
    newsroom.receiver.wait("/silent", before + 1, method="GET")
    newsroom.receiver.until(lambda: newsroom.store.subscription_requests.waiting(section) == 0, 20, "the refusal")
    assert newsroom.subscriptions(section) == 0
    newsroom.publish(f"silent-{section}", section)
    newsroom.until_in_feed(section, f"silent-{section}")
    assert newsroom.receiver.at("/silent") == []


def test_a_reader_that_says_410_is_forgotten(newsroom: Newsroom, section: str) -> None:
    newsroom.receiver.behave["/gone"] = lambda request: repeats(request) if request.method == "GET" else (410, b"")
    register(newsroom, "/gone", newsroom.topic(section, "rss"))
    newsroom.receiver.wait("/gone", method="GET")
    newsroom.publish("g-1", section)
    newsroom.receiver.wait("/gone")
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 0, 20, "it to be forgotten")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url1": "https://elsewhere.example/feed.rss"}, "url1 is not one of ours"),
        ({"url1": "-"}, "url1 is missing"),
        ({"port": "-"}, "port must be a number"),
        ({"port": "22"}, "must not name port 22"),
        ({"port": "99999"}, "port must be a number"),
        ({"port": "٨٠"}, "port must be a number"),
        ({"path": "reader"}, "path must begin with /"),
        ({"path": "/a b"}, "path must begin with /"),
        ({"path": "/#x"}, "must not have a fragment"),
        ({"protocol": "xml-rpc"}, "protocol must be http-post or https-post"),
        ({"domain": "http://a.example/"}, "domain must be the name of a host"),
        ({"domain": "u@a.example"}, "domain must be the name of a host"),
        ({"domain": "10.0.0.1"}, "the address to be notified"),
        ({"domain": "169.254.169.254"}, "the address to be notified"),
        ({"domain": "::1"}, "the address to be notified"),
        ({"domain": "2852039166"}, "spells an address"),
    ],
)
def test_what_is_refused_says_why(newsroom: Newsroom, fields: dict[str, str], reason: str) -> None:
    status, success, message = result(register(newsroom, "/refused", newsroom.topic("s0", "rss"), **fields))
    assert (status, success) == (400, "false")
    assert reason in message
    assert newsroom.receiver.at("/refused", "GET") == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"url1=%ff", "application/x-www-form-urlencoded", 400),
        (b"port=80&port=81", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"x" * 20_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_what_is_no_registration_is_refused(newsroom: Newsroom, body: bytes, kind: str, status: int) -> None:
    url = f"{newsroom.base_url}/cloud/pleaseNotify"
    answer = requests.post(url, body, headers={"Content-Type": kind}, timeout=60)
    assert result(answer)[:2] == (status, "false")


def test_documents_in_rss_name_the_cloud(newsroom: Newsroom) -> None:
    here = urlsplit(newsroom.base_url)
    for fmt in ("rss", "flipboard"):
        cloud = feedparser.parse(requests.get(newsroom.topic("s0", fmt), timeout=60).content).feed.cloud
        assert cloud == {
            "domain": here.hostname,
            "port": str(here.port),
            "path": "/cloud/pleaseNotify",
            "registerprocedure": "",
            "protocol": "http-post",
        }
    assert "cloud" not in requests.get(newsroom.topic("s0", "atom"), timeout=60).text


def test_one_request_names_a_few_documents(newsroom: Newsroom) -> None:
    topics = [newsroom.topic(f"s{number}", "rss") for number in range(21)]
    status, _, message = result(register(newsroom, "/many", *topics))
    assert (status, "one too many" in message) == (400, True)
