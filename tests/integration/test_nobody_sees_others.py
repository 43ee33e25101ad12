"""No key sees or changes what is not its own, on any route of the API, whatever it asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_process import TOKEN, ApiProcess, api_process
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from newsroom import published
from receiver import Receiver

from web.api.partner_view import partner_view
from worker.management.callers import Bounds, Caller
from worker.management.scopes import ALL, ARTICLES_READ, FEEDS_PRIVATE, FEEDS_READ
from worker.receivers.pull_position import PullPosition
from worker.store.live import LiveEvent

FEEDS = """
[api]
requests = 1000000
[[feeds]]
name = "acmes"
title = "For Acme"
private = true
partners = ["acme"]
select = [{ section = ["acme"] }]
[[feeds]]
name = "bravos"
title = "For Bravo"
private = true
partners = ["bravo"]
select = [{ section = ["bravo"] }]
"""
MARKERS = ("BRAVOS-TEXT", "BRAVOS-HEADLINE", "ACMES-TEXT", "EMBARGOED-WORDS", "BRAVOS-NOTES", "KILLED-WORDS")
"""What nobody who is bound may see: another's text, what rights leave out, what is embargoed or killed."""
VALUES = {
    "event": ["evt-bravo", "evt-embargoed", "nothing"],
    "article": ["bravo-1", "acme-1", "acme-embargoed", "acme-killed", "world-1", "nothing"],
    "version": ["1", "2"],
    "name": ["Editor Picks", "nothing"],
    "feed": ["bravos", "acmes", "world", "sport", "nothing"],
    "endpoint": ["bravo-push", "bravo-pull", "acme-pull", "portal", "nothing"],
    "key": ["none"],
    "partner": ["bravo", "acme", "nobody"],
    "user": ["root", "nobody"],
}
QUERIES = {
    "feed": VALUES["feed"],
    "format": ["json", "atom", "ninjs31", "nitf", "rss"],
    "endpoint": VALUES["endpoint"],
    "search": ["BRAVOS", "ACMES", "EMBARGOED", "words"],
    "killed": ["true"],
    "pubstatus": ["usable", "canceled", "withheld"],
    "limit": ["1", "100"],
    "partner": VALUES["partner"],
    "after": ["", "W10"],
}
PUSH = {"format": "json", "url": "http://127.0.0.1:9/", "secret": []}
BODIES: list[Any] = [
    None,
    {},
    {"unknown_too": False},
    {"until": None},
    {"until": "2030-01-01T00:00:00Z"},
    {"articles": ["bravo-1"]},
    {"article": "bravo-1"},
    {"cursor": str(PullPosition({"bravo-pull": 9, "acme-pull": 9}))},
    {"action": "withdraw"},
    {"notes": "changed", "rights": {}},
    {"rights": {"text": "full"}},
    {"name": "bravo", "notes": "changed"},
    {"name": "acme", "rights": {}},
    {"name": "mine", "scopes": sorted(ALL)},
    {"name": "mine", "scopes": ["articles:read"], "bounds": {"partners": ["bravo"]}},
    {"name": "theirs", "partner": "bravo", "settings": {"feed": "bravos", **PUSH}},
    {"name": "theirs", "partner": "acme", "settings": {"feed": "bravos", **PUSH}},
    {"name": "bravo-gone", "partner": "acme", "settings": {"feed": "acmes", **PUSH}},
    {"partner": "acme", "settings": {"feed": "bravos", "kind": "pull", "format": "json"}},
    {"partner": "acme", "settings": {"feed": "acmes", "kind": "pull", "format": "json", "rights": {"early": True}}},
]


class Setting:
    """Two partners, each with a feed, endpoints and articles; and keys that are bound in every way."""

    def __init__(self, api: ApiProcess) -> None:
        self.api = api
        for name, more in (
            ("acme", {"rights": {"text": "headline"}}),
            ("bravo", {"notes": "BRAVOS-NOTES"}),
        ):
            assert api.ask("POST", "/partners", json={"name": name, **more}).status_code == 201
        pull = {"kind": "pull", "format": "json"}
        for name, partner, values in (
            ("acme-pull", "acme", {"feed": "acmes", **pull}),
            ("bravo-pull", "bravo", {"feed": "bravos", **pull}),
            ("bravo-push", "bravo", {"feed": "bravos", **PUSH, "url": f"{api.receiver.url}/bravo"}),
            ("bravo-gone", "bravo", {"feed": "bravos", **PUSH}),
        ):
            made = api.ask("POST", "/endpoints", json={"name": name, "partner": partner, "settings": values})
            assert made.status_code == 201, made.text
            self.until_enrolled(name, str(values["feed"]))
        tag = api.ask("GET", "/endpoints/bravo-gone").headers["etag"]
        assert api.ask("DELETE", "/endpoints/bravo-gone", headers={"If-Match": tag}).status_code == 204
        api.publish("world-1")
        for article, section, words, embargoed in (
            ("bravo-1", "bravo", "BRAVOS", None),
            ("acme-1", "acme", "ACMES", None),
            ("acme-embargoed", "acme", "EMBARGOED", "2099-01-01T00:00:00Z"),
            ("acme-killed", "acme", "KILLED", None),
        ):
            self.publish(article, section, words, embargoed)
        assert api.ask("POST", "/articles/acme-killed/kill").status_code == 202
        api.consume()
        api.until(lambda: api.get("/articles/acme-killed")["pubstatus"] == "canceled", "kill in the record")
        api.until(lambda: api.get("/articles?feed=acmes")["items"], "articles in the record")
        scopes = sorted(ALL)
        self.keys = [
            api.key(*scopes, bounds=bounds)
            for bounds in (
                Bounds(partners=("acme",)),
                Bounds(partners=("acme",), feeds=("acmes",)),
                Bounds(partners=("acme",), feeds=("bravos",)),
                Bounds(partners=("nobody",)),
                Bounds(feeds=("world",)),
                Bounds(adapters=("ghost",)),
            )
        ]
        operations = api.client.get("/api/v1/openapi.json").json()["paths"]
        self.routes = sorted(
            (path.removeprefix("/api/v1"), method.upper())
            for path, item in operations.items()
            for method in item
            if "/live" not in path and "/rates" not in path
        )

    def until_enrolled(self, name: str, feed: str) -> None:
        receivers = self.api.services.store.receivers
        self.api.until(lambda: receivers.exists(feed, f"endpoint:{name}"), "receiver")

    def publish(self, article: str, section: str, words: str, embargoed: str | None) -> None:
        event = published(article, section, 1, headline="Open" if words == "ACMES" else f"{words}-HEADLINE")
        event["id"] = {"bravo-1": "evt-bravo", "acme-embargoed": "evt-embargoed"}.get(article, event["id"])
        event["article"] |= {
            "body_html": f"<p>{words}-TEXT {words}-WORDS</p>",
            "summary": f"{words}-TEXT {words}-WORDS",
        }
        if embargoed:
            event["article"]["embargoed"] = embargoed
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert self.api.client.post("/events", json=event, headers=headers).status_code == 202
        self.api.consume()

    def of_others(self) -> Any:
        """All that is not Acme's, and what Acme may not change of its own."""
        ask = self.api.get
        articles = [ask(f"/articles/{name}") for name in ("bravo-1", "world-1", "acme-1")]
        partners = [ask("/partners/bravo"), ask("/partners/acme")["rights"]]
        endpoints = [
            {key: row[key] for key in ("name", "partner", "feed", "url")}
            for row in ask("/endpoints?limit=100")["items"]
            if row["partner"] != "acme"
        ]
        feeds = {row["feed"] for row in ask("/endpoints?limit=100")["items"] if row["partner"] == "acme"} - {"acmes"}
        states = [ask(f"/endpoints/{name}")["health"]["state"] == "paused" for name in ("bravo-push", "portal")]
        lists = ask("/lists/Editor Picks")["articles"]
        return json.dumps([articles, partners, endpoints, sorted(feeds), states, lists])


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Setting]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("others"), redis_url, receiver, FEEDS) as process:
        yield Setting(process)
    receiver.close()


# Other threads of this process use `random` while something is drawn.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_key_sees_or_changes_what_is_not_its_own(setting: Setting, data: st.DataObject) -> None:
    before = setting.of_others()
    for _ in range(10):
        path, method = data.draw(st.sampled_from(setting.routes))
        for name, values in VALUES.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", data.draw(st.sampled_from(values)))
        if method == "DELETE" and path in {"/partners/acme", "/endpoints/acme-pull"}:
            continue  # which they may
        chosen = data.draw(st.sets(st.sampled_from(sorted(QUERIES)), max_size=3))
        query = {name: data.draw(st.sampled_from(QUERIES[name])) for name in chosen}
        body = data.draw(st.sampled_from(BODIES)) if method in {"POST", "PUT"} else None
        key = data.draw(st.sampled_from(setting.keys))
        answer = setting.api.ask(method, path, key, params=query, json=body, headers={"If-Match": "*"})
        assert answer.status_code < 500, (method, path, query, body, answer.text)
        shown = [marker for marker in MARKERS if marker in answer.text]
        assert not shown, (method, path, query, body, answer.text)
    setting.api.consume()
    assert setting.of_others() == before


def test_a_partner_sees_its_own(setting: Setting) -> None:
    key = setting.keys[0]
    get = setting.api.get
    assert [row["name"] for row in get("/feeds", key)["items"]] == ["acmes"]
    assert set(get("/feeds/acmes", key)["definition"]) <= {"name", "title", "private"}
    assert "Open" in get("/feeds/acmes/preview?format=rss", key)["document"]
    assert [row["id"] for row in get("/articles?feed=acmes", key)["items"]] == ["acme-1"]
    own = get("/articles/acme-1", key)
    assert (own["headline"], own["document"]["body_html"], own["document"]["summary"]) == ("Open", "", "")
    assert [place["feed"] for place in own["feeds"]] == ["acmes"]
    assert "Open" in get("/articles/acme-1/preview?format=json", key)["document"]
    assert [row["receiver"] for row in get("/articles/acme-1/coverage", key)["receivers"]] == ["acme-pull"]
    assert setting.api.ask("GET", "/articles/acme-1/revisions", key).status_code == 404
    assert setting.api.ask("GET", "/articles?feed=acmes&search=open", key).status_code == 403
    assert [row["name"] for row in get("/endpoints", key)["items"]] == ["acme-pull"]


def test_a_partner_hears_of_its_endpoints_alone(setting: Setting) -> None:
    caller = Caller(name="key:acme", scopes=ALL, bounds=Bounds(partners=("acme",)))
    view = partner_view(_parts(setting), caller)
    assert view is not None

    def hears(**fields: Any) -> bool:
        return view.fields_of(LiveEvent("1-0", "delivered", fields)) is not None

    assert hears(endpoint="acme-pull", feeds=["acmes"], article="acme-1")
    assert not hears(endpoint="bravo-push", feeds=["bravos"], article="bravo-1")
    assert not hears(endpoint="portal", feeds=["acmes"])
    assert not hears(feeds=["acmes"], article="acme-embargoed")


def _parts(setting: Setting) -> Any:
    class Parts:
        management = setting.api.services.management

    return Parts()


def test_a_key_with_less_sees_less(setting: Setting) -> None:
    for scopes in ((ARTICLES_READ,), (FEEDS_READ,), (FEEDS_PRIVATE,)):
        key = setting.api.key(*scopes, bounds=Bounds(partners=("acme",)))
        assert setting.api.ask("GET", "/endpoints", key).status_code == 403


def test_what_is_of_all_feeds_is_for_nobody_who_is_bound(setting: Setting) -> None:
    for key in setting.keys:
        assert setting.api.ask("GET", "/rates", key).status_code == 403


def test_an_endpoint_of_the_settings_file_is_not_there_for_whoever_may_not_see_it(setting: Setting) -> None:
    current = {"If-Match": "*"}
    assert setting.api.ask("DELETE", "/endpoints/portal", headers=current).status_code == 409
    by_partner = setting.keys[0]
    answers = [setting.api.ask("DELETE", f"/endpoints/{name}", by_partner, headers=current) for name in ("portal", "x")]
    assert [answer.status_code for answer in answers] == [404, 404]
