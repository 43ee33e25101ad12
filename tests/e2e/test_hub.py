"""The hub, row by row of the W3C WebSub recommendation; section numbers in the names of the tests' comments."""

from __future__ import annotations

import time

import pytest
import requests
from newsroom import Newsroom
from receiver import Request

from worker.store import keys

TEN_DAYS = 10 * 86400


def ask(newsroom: Newsroom, body: str) -> requests.Response:
    return requests.post(
        f"{newsroom.base_url}/hub", body, headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=60
    )


def lease(newsroom: Newsroom, feed: str) -> float:
    """Seconds left of the feed's only subscription."""
    (receiver,) = (r for r in newsroom.receivers(feed) if "callback" in r.details)
    left: float = receiver.details["expires"] / 1000 - time.time()
    return left


def test_verification_asks_with_topic_mode_challenge_and_lease(newsroom: Newsroom, section: str) -> None:  # 5.3
    newsroom.subscribe(section, "/v1")
    query = newsroom.receiver.at("/v1", "GET")[0].query
    assert query["hub.mode"] == ["subscribe"]
    assert query["hub.topic"] == [newsroom.topic(section)]
    assert query["hub.lease_seconds"] == [str(TEN_DAYS)]
    assert len(query["hub.challenge"][0]) >= 32
    assert TEN_DAYS - 60 < lease(newsroom, section) <= TEN_DAYS


def test_subscribers_behind_a_proxy_are_told_apart(newsroom: Newsroom, section: str) -> None:
    told = ({"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}, {"Forwarded": "for=203.0.113.6"})
    for number, headers in enumerate(told):
        form = {"hub.mode": "subscribe", "hub.topic": newsroom.topic(section)}
        form["hub.callback"] = f"{newsroom.receiver.url}/proxied-{number}"
        assert 202 == requests.post(f"{newsroom.base_url}/hub", form, headers=headers, timeout=60).status_code
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 2, 20, "the subscriptions")
    counts = newsroom.store.client.hgetall(keys.feed(section).subscription_counts)
    assert ("1", "1") == (counts["client:203.0.113.5"], counts["client:203.0.113.6"])


def test_the_callback_is_kept_to_the_letter(newsroom: Newsroom, section: str) -> None:  # 5.1.1
    newsroom.subscribe(section, "/v2/./x%7E/?a=%c3%a9&b&a=2")
    asked = newsroom.receiver.wait("/v2/./x%7E/", method="GET")[0]
    assert asked.path.startswith("/v2/./x%7E/?a=%c3%a9&b&a=2&hub.mode=subscribe&")
    newsroom.publish("letter-1", section)
    assert newsroom.receiver.wait("/v2/./x%7E/")[0].path == "/v2/./x%7E/?a=%c3%a9&b&a=2"


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"something else"),
        (404, b""),
        (302, b"", {"Location": "/confirming"}),
        (200, b""),
    ],
)
def test_only_the_challenge_in_a_2xx_confirms(
    newsroom: Newsroom, section: str, answer: tuple[int, bytes]
) -> None:  # 5.3
    newsroom.receiver.behave["/v3"] = lambda _: answer
    before = len(newsroom.receiver.at("/v3", "GET"))
    response = newsroom.ask_hub(mode="subscribe", topic=newsroom.topic(section), callback=f"{newsroom.receiver.url}/v3")
    assert response.status_code == 202
    newsroom.receiver.wait("/v3", before + 1, method="GET")
    refused = 'dateline_verifications_total{outcome="refused"}'
    newsroom.receiver.until(
        lambda: newsroom.store.client.hlen(f"dateline:{{feed:{section}}}:requests") == 0, 20, refused
    )
    assert newsroom.subscriptions(section) == 0
    assert newsroom.receiver.at("/confirming", "GET") == []


def test_any_2xx_with_the_challenge_confirms(newsroom: Newsroom, section: str) -> None:  # 5.3
    newsroom.receiver.behave["/v4"] = lambda request: (
        (201, request.query["hub.challenge"][0].encode()) if request.method == "GET" else (204, b"")
    )
    newsroom.subscribe(section, "/v4")


def test_a_failed_renewal_changes_nothing(newsroom: Newsroom, section: str) -> None:  # 5.1
    newsroom.subscribe(section, "/v5", secret="first")
    newsroom.receiver.behave["/v5"] = lambda request: (404, b"") if request.method == "GET" else (204, b"")
    newsroom.ask_hub(
        mode="subscribe", topic=newsroom.topic(section), callback=f"{newsroom.receiver.url}/v5", secret="second"
    )
    newsroom.receiver.wait("/v5", 2, method="GET")
    newsroom.publish("renewal-1", section)
    newsroom.receiver.wait("/v5")
    newsroom.receiver.until(lambda: newsroom.is_settled(section), 20, "the end of the push")
    (receiver,) = newsroom.receivers(section)
    assert receiver.details["secret"] == "first"


def test_a_renewal_brings_its_secret_and_lease_and_no_push(newsroom: Newsroom, section: str) -> None:  # 5.1, 5.3.1
    newsroom.publish("renewed-1", section)
    newsroom.receiver.until(lambda: newsroom.store.changes.size(section) == 1, 20, "the article")
    newsroom.subscribe(section, "/v6", secret="first", lease_seconds="864000")
    newsroom.receiver.wait("/v6")
    newsroom.ask_hub(
        mode="subscribe",
        topic=newsroom.topic(section),
        callback=f"{newsroom.receiver.url}/v6",
        lease_seconds="200000",
    )
    newsroom.receiver.until(lambda: lease(newsroom, section) <= 200_000, 20, "the new lease")
    newsroom.publish("renewed-2", section)
    pushes = newsroom.receiver.wait("/v6", 2)
    assert "x-hub-signature" in pushes[0].headers
    # One push for the second article, none for the renewal; and no secret any more.
    assert b"renewed-2" in pushes[1].body
    assert "x-hub-signature" not in pushes[1].headers


def test_unsubscribing_is_verified_too(newsroom: Newsroom, section: str) -> None:  # 5.1
    newsroom.subscribe(section, "/v7")
    fields = {"mode": "unsubscribe", "topic": newsroom.topic(section), "callback": f"{newsroom.receiver.url}/v7"}
    newsroom.ask_hub(**fields, lease_seconds="5")
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 0, 20, "the end of the subscription")
    assert newsroom.receiver.at("/v7", "GET")[1].query["hub.mode"] == ["unsubscribe"]
    assert "hub.lease_seconds" not in newsroom.receiver.at("/v7", "GET")[1].query


@pytest.mark.parametrize(
    ("asked", "granted"), [("5", 5), ("0007", 7), ("99999999999", 30 * 86400), ("9" * 40, 30 * 86400)]
)
def test_leases_are_bounded(newsroom: Newsroom, section: str, asked: str, granted: int) -> None:  # 5.1.2, 5.3.1
    path = f"/lease{asked}"
    newsroom.ask_hub(
        mode="subscribe",
        topic=newsroom.topic(section),
        callback=f"{newsroom.receiver.url}{path}",
        lease_seconds=asked,
    )
    assert newsroom.receiver.wait(path, method="GET")[0].query["hub.lease_seconds"] == [str(granted)]


@pytest.mark.parametrize(
    "asked", ["0", "00", "-7", "+5", "1.5", "1e3", "abc", "", " ", " 60", "60 ", "٣", "0x10", "1_000"]
)
def test_a_lease_that_is_no_positive_integer_is_refused(newsroom: Newsroom, asked: str) -> None:  # 5.1
    callback = f"{newsroom.receiver.url}/no-lease"
    answer = newsroom.ask_hub(mode="subscribe", topic=newsroom.topic("s0"), callback=callback, lease_seconds=asked)
    assert answer.status_code == 400
    assert "hub.lease_seconds must be a positive whole number" in answer.text


def test_a_subscription_ends_with_its_lease(newsroom: Newsroom, section: str) -> None:  # 5.3.1
    # It may be over before anybody looks whether the subscription is there.
    callback = f"{newsroom.receiver.url}/v8"
    newsroom.ask_hub(mode="subscribe", topic=newsroom.topic(section), callback=callback, lease_seconds="2")
    asked, told = newsroom.receiver.wait("/v8", 2, method="GET")
    assert asked.query["hub.mode"] == ["subscribe"]
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 0, 20, "the end of the lease")
    assert {"hub.mode": ["denied"], "hub.topic": [newsroom.topic(section)]} == {
        name: value for name, value in told.query.items() if name != "hub.reason"
    }
    assert told.query["hub.reason"] == ["the lease has ended"]


def test_secrets_are_counted_in_bytes(newsroom: Newsroom, section: str) -> None:  # 5.1
    fields = {"mode": "subscribe", "topic": newsroom.topic(section), "callback": f"{newsroom.receiver.url}/v9"}
    assert newsroom.ask_hub(**fields, secret="é" * 100).status_code == 400
    assert newsroom.ask_hub(**fields, secret="e" + "é" * 99).status_code == 202


def test_parameters_of_old_subscribers_are_ignored(newsroom: Newsroom, section: str) -> None:  # 5.1
    newsroom.subscribe(section, "/v10", verify="sync", verify_token="x")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "hub.mode"),
        ("hub.mode=subscribe", "hub.topic is missing"),
        ("hub.mode=dance&hub.topic={topic}&hub.callback=http://a.example/", "hub.mode"),
        ("hub.mode=subscribe&hub.topic={topic}", "hub.callback is missing"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.topic={topic}&hub.callback=http://a.example/", "more than once"),
        ("hub.mode=subscribe&hub.topic={topic}x&hub.callback=http://a.example/", "not one of ours"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=ftp://a.example/", "hub.callback"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=http://u:p@a.example/", "hub.callback"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=http://a.example/%23x", "hub.callback"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=http://10.0.0.1/", "hub.callback"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=http://a.example:22/", "hub.callback"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=http://2130706433/", "hub.callback spells an address"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=http://0x7f.1/", "hub.callback spells an address"),
        ("hub.mode=subscribe&hub.topic={topic}&hub.callback=http://a.example/&hub.lease_seconds=soon", "lease_seconds"),
        ("hub.mode=subscribe&hub.topic=%ff", "UTF-8"),
        ("hub.mode=publish&hub.url=http://elsewhere.example/", "not one of our topics"),
    ],
)
def test_what_is_refused_says_why(newsroom: Newsroom, body: str, reason: str) -> None:  # 5.1.2
    answer = ask(newsroom, body.replace("{topic}", newsroom.topic("s0")))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert reason in answer.text


def test_a_publish_ping_for_our_topics_is_harmless(newsroom: Newsroom) -> None:  # 4.1
    topics = [newsroom.topic("s0"), newsroom.topic("s1", "rss")]
    body = f"hub.mode=publish&hub.url={topics[0]}&hub.url={topics[1]}"
    assert ask(newsroom, body).status_code == 202


def test_a_forbidden_address_is_never_called(newsroom: Newsroom, section: str) -> None:
    # A name that resolves to a forbidden address is found out at the socket; 169.254.169.254 in decimal.
    answer = newsroom.ask_hub(mode="subscribe", topic=newsroom.topic(section), callback="http://2852039166/latest")
    assert answer.status_code in {202, 400}
    assert newsroom.subscriptions(section) == 0


def test_feeds_announce_the_hub(newsroom: Newsroom) -> None:  # 4
    for fmt in ("rss", "atom", "json"):
        answer = requests.get(newsroom.topic("s0", fmt), timeout=60)
        assert (
            f'<{newsroom.base_url}/hub>; rel="hub", <{newsroom.topic("s0", fmt)}>; rel="self", '
            f'<{newsroom.base_url}/feeds/s0>; rel="alternate"' == answer.headers["link"]
        )
        assert f"{newsroom.base_url}/hub" in answer.text
        assert newsroom.topic("s0", fmt) in answer.text


def test_rsscloud_is_off_where_it_was_not_asked_for(newsroom: Newsroom) -> None:
    answer = requests.post(f"{newsroom.base_url}/cloud/pleaseNotify", {"url1": newsroom.topic("s0", "rss")}, timeout=60)
    assert (answer.status_code, 'success="false"' in answer.text) == (404, True)
    assert "<cloud" not in requests.get(newsroom.topic("s0", "rss"), timeout=60).text


def test_a_verification_that_could_not_be_made_is_made_again(newsroom: Newsroom, section: str) -> None:  # 5.3
    answers = iter([500, 200])

    def once(request: Request) -> tuple[int, bytes]:
        return (next(answers), request.query["hub.challenge"][0].encode()) if request.method == "GET" else (204, b"")

    newsroom.receiver.behave["/v11"] = once
    newsroom.ask_hub(mode="subscribe", topic=newsroom.topic(section), callback=f"{newsroom.receiver.url}/v11")
    first, second = newsroom.receiver.wait("/v11", 2, seconds=30, method="GET")
    assert first.query["hub.challenge"] != second.query["hub.challenge"]
    newsroom.receiver.until(lambda: newsroom.subscriptions(section) == 1, 20, "the subscription")


def test_a_request_that_is_too_long_is_refused(newsroom: Newsroom) -> None:
    assert ask(newsroom, "hub.mode=subscribe&x=" + "x" * 20_000).status_code == 413


def test_subscribers_of_a_feed_that_is_no_more_are_denied(newsroom: Newsroom) -> None:  # 5.2
    newsroom.subscribe("s39", "/denied?a=1")
    text = newsroom.config.read_text()
    newsroom.config.write_text(text.replace('name = "s39"', 'name = "other"'))
    for child in newsroom.stack.children[1:]:
        assert child.process is not None
        child.process.terminate()
        child.process.wait(60)
        assert child.process.stdin is not None
        child.process.stdin.close()
        newsroom.stack._start(child)
    denied = newsroom.receiver.wait("/denied", 2, method="GET")[1]
    assert ["1"] == denied.query["a"]
    assert ["denied"] == denied.query["hub.mode"]
    assert [newsroom.topic("s39")] == denied.query["hub.topic"]
    newsroom.receiver.until(lambda: newsroom.subscriptions("s39") == 0, 20, "the end of the subscription")
