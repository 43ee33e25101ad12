"""Private feeds: who is served, what of it, and that nothing of it is anybody else's."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from api_process import ApiProcess, api_process
from receiver import Receiver

from config.settings import SettingsError, load
from feeds.definition import FeedDefinition
from web import wrong_keys
from worker.management.callers import Bounds
from worker.management.scopes import FEEDS_PRIVATE
from worker.receivers.subscribers import Subscribers
from worker.store.receiver_states import NOT_FAILING
from worker.store.receivers import Claim, Settlement

FEEDS = """
[[feeds]]
name = "wire"
title = "Wire"
private = true
partners = ["acme", "brief", "slow"]
select = [{ section = ["wire"] }]
limit = 2
[[feeds]]
name = "ours"
title = "Ours"
private = true
select = [{ section = ["wire"] }]
[[feeds]]
name = "desk/section/*"
title = "Desk *"
private = true
"""
WORDS = "Every word of the text is licensed to those who pay."


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    patch = pytest.MonkeyPatch()
    patch.setattr(wrong_keys, "_SLOW_SECONDS", 0.05)
    with api_process(tmp_path_factory.mktemp("private"), redis_url, receiver, FEEDS) as process:
        for name, rights in (("acme", {}), ("brief", {"text": "headline"}), ("slow", {"delay": "1h"}), ("other", {})):
            created = process.ask("POST", "/partners", json={"name": name, "rights": rights})
            assert created.status_code == 201, created.text
        for number in range(3):
            process.publish(f"wire-{number}", "wire", body_html=f"<p>{WORDS}</p>")
        yield process
    patch.undo()
    receiver.close()


def key_of(api: ApiProcess, partner: str | None = None, feed: str | None = None, *scopes: str) -> str:
    bounds = Bounds(partners=(partner,) if partner else None, feeds=(feed,) if feed else None)
    return api.key(*(scopes or (FEEDS_PRIVATE,)), bounds=bounds)


def get(api: ApiProcess, path: str, key: str = "", **headers: str) -> Any:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if key:
        fields["Authorization"] = f"Bearer {key}"
    return api.client.get(path, headers=fields, follow_redirects=False)


PATHS = ("/feeds/wire.rss", "/feeds/wire.atom", "/feeds/wire.json", "/feeds/wire", "/feeds/wire.sitemap")


def test_without_a_key_nobody_is_served(api: ApiProcess) -> None:
    for path in (*PATHS, "/feeds/wire.atom?archive=2026-01-01", "/feeds/ours.rss", "/feeds/desk/section/wire.rss"):
        for refused in (get(api, path), api.client.head(path), get(api, path, A_IM="feed", If_None_Match='"x"')):
            assert refused.status_code == 401, path
            assert refused.headers["www-authenticate"].startswith("Bearer"), path
            assert "Basic" in refused.headers["www-authenticate"]
            assert "public" not in refused.headers["cache-control"]
            assert WORDS not in refused.text


def test_a_key_is_taken_in_three_ways(api: ApiProcess) -> None:
    key = key_of(api, "acme")
    basic = base64.b64encode(f"anybody:{key}".encode()).decode()
    for path in PATHS:
        answers = (
            get(api, path, key),
            get(api, path, Authorization=f"Basic {basic}"),
            get(api, f"{path}?key={key}"),
        )
        for answer in answers:
            assert answer.status_code == 200, (path, answer.text)
            assert answer.headers["cache-control"].startswith("private"), path
            assert "authorization" in answer.headers["vary"].lower()
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert key not in answer.text + str(answer.headers)
            assert 'rel="hub"' not in answer.headers.get("link", "")
        assert len({answer.content for answer in answers}) == 1
    assert WORDS in get(api, "/feeds/wire.rss", key).text
    assert "hub" not in get(api, "/feeds/wire.atom", key).text


def test_a_key_that_is_for_something_else_is_refused(api: ApiProcess) -> None:
    for key in (
        key_of(api, "other"),
        key_of(api, None, "world"),
        key_of(api, "acme", "world"),
        key_of(api, None, None, "feeds:read"),
        key_of(api, "acme", None, "articles:pull"),
    ):
        for path in PATHS:
            assert get(api, path, key).status_code == 403, path
    assert get(api, "/feeds/ours.rss", key_of(api, "acme")).status_code == 403
    for key in (key_of(api), key_of(api, None, "wire"), key_of(api, "acme", "wire"), key_of(api, "brief")):
        assert get(api, "/feeds/wire.rss", key).status_code == 200
    assert get(api, "/feeds/ours.rss", key_of(api, None, "ours")).status_code == 200


def test_an_endpoint_of_a_partner_makes_the_feed_theirs(api: ApiProcess) -> None:
    key = key_of(api, "other")
    assert get(api, "/feeds/ours.rss", key).status_code == 403
    settings = {"feed": "ours", "format": "json", "url": f"{api.receiver.url}/other", "secret": []}
    made = api.ask("POST", "/endpoints", json={"name": "others", "partner": "other", "settings": settings})
    assert made.status_code == 201, made.text
    api.until(lambda: get(api, "/feeds/ours.rss", key).status_code == 200, "feed")
    assert get(api, "/feeds/wire.rss", key).status_code == 403


def test_rights_are_applied_and_bytes_are_never_shared(api: ApiProcess) -> None:
    acme, brief, slow, all_of_it = (key_of(api, name) for name in ("acme", "brief", "slow", None))
    for path in ("/feeds/wire.rss", "/feeds/wire.atom", "/feeds/wire.json"):
        for _ in range(2):
            whole, cut, late = (get(api, path, key) for key in (acme, brief, slow))
            assert WORDS in whole.text
            assert WORDS not in cut.text
            assert "wire-2" in cut.text
            assert "wire-2" not in late.text
            assert len({answer.headers["etag"] for answer in (whole, cut, late)}) == 3
            assert get(api, path, all_of_it).content == whole.content
        tag = whole.headers["etag"]
        assert get(api, path, acme, If_None_Match=tag).status_code == 304
        assert get(api, path, brief, If_None_Match=tag).status_code == 200
        unmodified = get(api, path, acme, If_None_Match=tag)
        assert unmodified.headers["cache-control"].startswith("private")
        assert "authorization" in unmodified.headers["vary"].lower()
        assert get(api, path).status_code == 401


def test_archives_and_deltas_have_the_same_terms(api: ApiProcess) -> None:
    acme, brief = key_of(api, "acme"), key_of(api, "brief")
    first = get(api, "/feeds/wire.atom", brief)
    (archive,) = set(re.findall(r"/feeds/wire\.atom\?archive=[0-9-]+", first.text))
    assert get(api, archive).status_code == 401
    whole, cut = get(api, archive, acme), get(api, archive, brief)
    assert (whole.status_code, cut.status_code) == (200, 200)
    assert (WORDS in whole.text, WORDS in cut.text) == (True, False)
    assert get(api, "/feeds/wire.atom?archive=1999-01-01", acme).headers["cache-control"] == "private, no-store"
    api.publish("wire-3", "wire", body_html=f"<p>{WORDS}</p>")
    tag = first.headers["etag"]
    delta = api.until(
        lambda: (
            answer
            if (answer := get(api, "/feeds/wire.atom", brief, A_IM="feed", If_None_Match=tag)).status_code == 226
            else None
        ),
        "delta",
    )
    assert ("wire-3" in delta.text, WORDS in delta.text) == (True, False)
    assert delta.headers["cache-control"] == "private, no-store"


def test_a_kill_leaves_it_and_a_correction_of_rights_changes_it(api: ApiProcess) -> None:
    key = key_of(api, "acme")
    api.publish("wire-killed", "wire", headline="Must go away")
    api.until(lambda: "Must go away" in get(api, "/feeds/wire.rss", key).text, "article")
    assert api.ask("POST", "/articles/wire-killed/kill").status_code == 202
    api.consume()
    api.until(lambda: "Must go away" not in get(api, "/feeds/wire.rss", key).text, "kill")


def test_nothing_public_names_it(api: ApiProcess) -> None:
    for path in ("/feeds", "/feeds.opml", "/feeds/wirf.rss", "/feeds/our.rss", "/robots.txt"):
        text = get(api, path).text
        for name in ("wire", "ours", "desk/section", "Wire", "Ours"):
            assert not re.search(rf"\b{name}\b", text.replace("wirf", "")), (path, name)


def test_the_hub_takes_no_subscription(api: ApiProcess) -> None:
    form = {
        "hub.mode": "subscribe",
        "hub.topic": "http://testserver/feeds/wire.atom",
        "hub.callback": f"{api.receiver.url}/callback",
    }
    refused = api.client.post("/hub", data=form)
    assert refused.status_code == 400
    assert "private" in refused.text


def test_wrong_keys_are_slowed_and_right_ones_are_not(api: ApiProcess) -> None:
    right = key_of(api, "acme")
    for number in range(3 * wrong_keys._FREE):  # the minute may end meanwhile
        begun = time.monotonic()
        assert get(api, f"/feeds/wire.rss?key=dl_none_{number}").status_code == 401
        if number >= wrong_keys._FREE and time.monotonic() - begun >= wrong_keys._SLOW_SECONDS:
            break
    else:
        pytest.fail("nobody was slowed")
    assert get(api, "/feeds/wire.rss", right).status_code == 200


def test_a_key_in_an_address_is_in_no_log(
    api: ApiProcess, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(api, "acme")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("web.feeds.preferred", fail)
    # As logs are written in earnest: without local variables.
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[renderer])
    page = get(api, f"/feeds/wire?key={key}", Accept="text/html")
    assert page.status_code == 500
    assert page.headers["referrer-policy"] == "no-referrer"
    assert key not in page.text
    moved = get(api, f"/feeds/wire/?key={key}")
    assert (moved.status_code, moved.headers["cache-control"]) == (301, "private, no-store")
    structlog.reset_defaults()
    written = "".join(capfd.readouterr())
    assert "a bug" in written
    assert key not in written


def test_what_was_public_is_not_shown_when_the_feed_becomes_private(api: ApiProcess, tmp_path: Path) -> None:
    path = "/feeds/sport.rss"
    api.publish("sport-1", "sport")
    assert get(api, path).status_code == 200
    settings = api.services.settings
    feeds = tuple(
        feed.model_copy(update={"private": True}) if feed.name == "sport" else feed for feed in settings.feeds
    )
    try:
        api.web._use_definitions(feeds, frozenset())
        api.web._heads.redis_lost()
        assert get(api, path).status_code == 401
        assert "sport" not in get(api, "/feeds.opml").text
        api.web._heads.redis_answers = True
        assert get(api, path, key_of(api)).status_code == 200
    finally:
        api.web._use_definitions(settings.feeds, frozenset())


def test_partners_are_named_by_private_feeds_alone(tmp_path: Path) -> None:
    config = tmp_path / "dateline.toml"
    config.write_text('[[feeds]]\nname = "a"\ntitle = "A"\npartners = ["acme"]\n')
    with pytest.raises(SettingsError, match="private = true"):
        load(config, {})


def test_a_subscription_ends_when_its_feed_becomes_private() -> None:
    claim = Claim("world", "s1", 1, 5, NOT_FAILING, {"callback": "https://reader.example/", "format": "atom"})
    feed = FeedDefinition(name="world", title="World", private=True)
    nothing: Any = None
    subscribers = Subscribers(nothing, nothing, nothing, whole=False, timeout=1)
    ended = subscribers.begin(feed, claim, 6, 0.0, 0)
    assert isinstance(ended, Settlement)
    assert (ended.verb, ended.reason) == ("end", "the feed is private now")
