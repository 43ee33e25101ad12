"""Nobody can have the hub flood a third party or fill its memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock
from urllib.parse import urlencode

import pytest

from feeds.definition import FeedDefinition
from worker.hub.callback_requests import CallbackRequests
from worker.hub.cloud_requests import CloudRequests
from worker.hub.ended_subscriptions import EndedSubscriptions
from worker.hub.hub_requests import HubBusy, HubLimits, HubRequests, LeaseBounds
from worker.hub.intent_verifier import IntentVerifier
from worker.hub.request_form import HubRefused
from worker.newsroom.publication import Publication
from worker.store import Store, keys

FEEDS = (FeedDefinition(name="a", title="A"), FeedDefinition(name="author/*", title="By *"))
SITE = Publication("https://herald.example", "T", "herald.example,2026", "en", FEEDS)
DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Wakeups:
    def verify(self, feed: str) -> None:
        assert feed in ("a", "author/mira-okonjo")


def limits(**changed: int) -> HubLimits:
    names = ("per_client", "per_host", "pending", "held_per_host", "held_per_client")
    return HubLimits(**dict.fromkeys(names, 100) | changed)


def hub(store: Store, limits: HubLimits) -> HubRequests:
    return HubRequests(store, SITE, Wakeups(), LeaseBounds(DAY, DAY, DAY), limits, lambda _: None)  # type: ignore[arg-type]


def ask(hub: HubRequests, callback: str, client: str = "192.0.2.1", feed: str = "a") -> None:
    fields = {"hub.mode": "subscribe", "hub.topic": SITE.topic(feed, "rss"), "hub.callback": callback}
    hub.request(urlencode(fields).encode(), client, NOW)


def test_requests_of_one_client_are_bounded(store: Store) -> None:
    limited = hub(store, limits(per_client=2))
    ask(limited, "https://one.example/")
    ask(limited, "https://two.example/")
    with pytest.raises(HubBusy, match="from you"):
        ask(limited, "https://three.example/")
    ask(limited, "https://three.example/", client="192.0.2.2")
    assert 0 < store.client.ttl(keys.hub_window("client", "192.0.2.1")) <= 60


def test_requests_for_one_host_are_bounded_whoever_asks(store: Store) -> None:
    limited = hub(store, limits(per_host=2))
    ask(limited, "https://victim.example/1", client="192.0.2.1")
    ask(limited, "https://VICTIM.example/2", client="192.0.2.2")
    with pytest.raises(HubBusy, match=r"for victim\.example"):
        ask(limited, "https://victim.example/3", client="192.0.2.3")
    assert 2 == store.subscription_requests.waiting("a")


def test_registrations_by_rsscloud_count_as_well(store: Store) -> None:
    limited = hub(store, limits(per_client=3))
    form = {"domain": "one.example", "port": "80", "path": "/", "protocol": "http-post"}
    topics = {f"url{number}": SITE.topic("a", fmt) for number, fmt in enumerate(("rss", "atom", "json"), 1)}
    CloudRequests(limited).register(urlencode(form | topics).encode(), "192.0.2.1", NOW)
    assert 3 == store.subscription_requests.waiting("a")
    with pytest.raises(HubBusy, match="from you"):
        ask(limited, "https://two.example/")
    with pytest.raises(HubBusy, match="from you"):
        CloudRequests(limited).register(urlencode(form | {"url1": SITE.topic("a", "rss")}).encode(), "192.0.2.1", NOW)


def test_another_port_is_the_same_host(store: Store) -> None:
    limited = hub(store, limits(per_host=2))
    ask(limited, "https://victim.example:8001/")
    ask(limited, "https://victim.example:8002/")
    with pytest.raises(HubBusy, match=r"for victim\.example in"):
        ask(limited, "https://victim.example:8003/")


@pytest.mark.parametrize(("limit", "client"), [("held_per_host", "192.0.2.2"), ("held_per_client", "192.0.2.1")])
def test_subscriptions_of_a_host_and_of_a_client_are_bounded(store: Store, limit: str, client: str) -> None:
    limited = hub(store, limits(**{limit: 2}))
    other_host = "one" if limit == "held_per_host" else "two"
    for callback in ("https://one.example/1", f"https://{other_host}.example/2"):
        ask(limited, callback)
        [(subscription, intent)] = store.subscription_requests.claim_due("a", 2**53, 10, 2**53)
        assert store.subscription_requests.confirm("a", subscription, intent, 2**53, 2, 2) == "new"

    with pytest.raises(HubRefused, match="as many subscriptions"):
        ask(limited, "https://one.example/3", client)
    # Who has one may renew it, and give it up.
    ask(limited, "https://one.example/1", client)
    [(subscription, intent)] = store.subscription_requests.claim_due("a", 2**53, 10, 2**53)
    assert store.subscription_requests.confirm("a", subscription, intent, 2**53, 2, 2) == "done"
    store.receivers.remove("a", subscription, "")
    ask(limited, "https://one.example/3", client)


def test_requests_that_wait_are_bounded(store: Store) -> None:
    limited = hub(store, limits(pending=2))
    ask(limited, "https://one.example/")
    ask(limited, "https://two.example/")
    with pytest.raises(HubBusy, match="wait for their verification"):
        ask(limited, "https://three.example/")


def test_a_feed_of_a_pattern_can_be_subscribed_to_once_it_had_an_article(store: Store) -> None:
    open_hub = hub(store, limits())
    before = set(store.client.scan_iter("*"))
    with pytest.raises(HubRefused, match="has had no article yet"):
        ask(open_hub, "https://one.example/", feed="author/mira-okonjo")
    assert before == set(store.client.scan_iter("*"))
    store.patterns.create("author/*", {"mira-okonjo": "Mira Okonjo"}, 10)
    ask(open_hub, "https://one.example/", feed="author/mira-okonjo")
    assert 1 == store.subscription_requests.waiting("author/mira-okonjo")


def test_who_is_asked_is_known_by_the_callback_whatever_the_challenge(store: Store) -> None:
    hub_ = hub(store, limits())
    engine, wakeups = mock.Mock(), mock.Mock()
    callbacks = CallbackRequests(engine, timeout=5, claim_seconds=30)
    ended = EndedSubscriptions(store, SITE, callbacks)
    verifier = IntentVerifier(store, SITE, callbacks, ended, wakeups, mock.Mock(), most_per_host=9, most_per_client=9)
    callback = "https://one.example/callback?id=7"
    questions = []
    for _ in range(2):
        ask(hub_, callback)
        verifier.verify("a")
        questions += engine.submit.call_args[0][0]

    first, second = questions
    assert first.url != second.url
    assert [(transfer.receiver, transfer.question) for transfer in questions] == [(callback, True)] * 2
