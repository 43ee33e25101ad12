"""Formats of the newsroom's own that are made over the API: kept, tried, changed while they are in use, and removed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from api_process import TOKEN, ApiProcess, api_process
from receiver import Receiver

from feeds.errors import InvalidInput
from feeds.format_definition import FormatDefinition
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from feeds.formats.own import take_over
from worker.management import managed_formats, rules_trial
from worker.management.copies import ManagedFormat
from worker.management.formats_in_use import FormatsInUse

WIRE: dict[str, Any] = {
    "media_type": "application/xml",
    "template": '<story no="{{ article.id }}">{{ article.headline }}</story>',
    "kill": '<kill no="{{ article.id }}"/>',
}
LIST = {"of": "feed", "media_type": "application/json", "mapping": {"id": "article.id"}}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    filed = '[[formats]]\nname = "filed"\nmedia_type = "text/plain"\ntemplate = "{{ article.id }}"\n'
    with api_process(tmp_path_factory.mktemp("api"), redis_url, receiver, filed) as process:
        process.publish("hh-1", headline="Ferries & trams")
        yield process
    take_over([])
    receiver.close()


def made(api: ApiProcess, name: str, settings: dict[str, Any]) -> str:
    """Create a format, and return its ETag."""
    answer = api.ask("POST", "/formats", json={"name": name, "settings": settings})
    assert answer.status_code == 201, answer.text
    assert f"/api/v1/formats/{name}" == answer.headers["location"]
    assert {"name": name, "settings": settings} == {key: answer.json()[key] for key in ("name", "settings")}
    return str(answer.headers["etag"])


def removed(api: ApiProcess, name: str) -> None:
    assert 204 == api.ask("DELETE", f"/formats/{name}", headers={"If-Match": "*"}).status_code


def bodies(api: ApiProcess, path: str) -> list[tuple[str, str]]:
    return [(push.headers["content-type"], push.body.decode()) for push in api.receiver.at(path)]


def test_one_is_kept_shown_changed_and_removed_with_an_entry_in_the_audit(api: ApiProcess) -> None:
    tag = made(api, "kept", WIRE)
    assert ["kept"] == [row["name"] for row in api.get("/formats")["items"]]
    answer = api.ask("GET", "/formats/kept")
    assert (tag, WIRE) == (answer.headers["etag"], answer.json()["settings"])
    longer = WIRE | {"extension": "tw.xml"}
    assert 428 == api.ask("PUT", "/formats/kept", json={"settings": longer}).status_code
    changed = api.ask("PUT", "/formats/kept", json={"settings": longer}, headers={"If-Match": tag})
    assert (200, longer) == (changed.status_code, changed.json()["settings"])
    late = api.ask("PUT", "/formats/kept", json={"settings": WIRE}, headers={"If-Match": tag})
    assert (412, True) == (late.status_code, "was changed meanwhile" in late.json()["detail"])
    assert 412 == api.ask("DELETE", "/formats/kept", headers={"If-Match": tag}).status_code
    removed(api, "kept")
    assert 404 == api.ask("GET", "/formats/kept").status_code
    assert 404 == api.ask("PUT", "/formats/kept", json={"settings": WIRE}, headers={"If-Match": "*"}).status_code
    actions = [entry["action"] for entry in api.get("/audit")["items"] if entry["target"] == "kept"]
    assert ["format.removed", "format.changed", "format.created"] == actions


@pytest.mark.parametrize(
    ("name", "settings", "field", "reason"),
    [
        ("Wire", WIRE, "name", "must be lower-case words"),
        ("nitf", WIRE, "name", "is a format of Dateline's"),
        ("w", {**WIRE, "name": "x"}, "name", "a format keeps its name"),
        ("w", {}, "media_type", "is missing"),
        ("w", {"media_type": "application/xml"}, "mapping", "or template"),
        (
            "w",
            {**WIRE, "template": "<a>\n{{ article.headlin }}</a>"},
            "template",
            "line 2: there is no field 'headlin'",
        ),
        ("w", {**WIRE, "template": "{% for i in range(9) %}"}, "template", "line 1: "),
        ("w", {**WIRE, "rules": "<schema"}, "rules", ""),
        ("w", {**WIRE, "rules_file": "/etc/passwd"}, "rules_file", ""),
        ("w", {**WIRE, "separator": "x" * 200_000}, "settings", "at most 200000 characters"),
    ],
)
def test_a_mistake_is_named_with_its_field_and_line(
    api: ApiProcess, name: str, settings: dict[str, Any], field: str, reason: str
) -> None:
    answer = api.ask("POST", "/formats", json={"name": name, "settings": settings})
    assert 422 == answer.status_code
    found = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert reason in found[field]
    assert "w" not in ARTICLE_FORMATS


TWICE = "".join(
    f'<define name="d{number}"><choice><ref name="d{number + 1}"/><ref name="d{number + 1}"/></choice></define>'
    for number in range(40)
)
ENDLESS = (
    f'<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><element name="a"><ref name="d0"/></element></start>'
    f'{TWICE}<define name="d40"><element name="b"><empty/></element></define></grammar>'
)


def test_rules_that_nothing_could_read_stop_no_process(api: ApiProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_trial, "_SECONDS", 3)
    settings = WIRE | {"rules": ENDLESS}
    for path, terms in (("/formats", {"name": "w", "settings": settings}), ("/format-trials", {"settings": settings})):
        answer = api.ask("POST", path, json=terms)
        (error,) = answer.json()["errors"]
        assert (422, "rules") == (answer.status_code, error["field"])
        assert "takes too long to be read" in error["message"]
    assert rules_trial.can_be_read(ENDLESS.replace(TWICE, "").replace("d40", "d0"))


def test_names_are_given_once(api: ApiProcess) -> None:
    made(api, "twice", WIRE)
    for name in ("twice", "filed"):
        answer = api.ask("POST", "/formats", json={"name": name, "settings": WIRE})
        assert (409, True) == (answer.status_code, f"there is a format {name}" in answer.json()["detail"])
    removed(api, "twice")


def test_there_is_a_bound_to_how_many_there_are(api: ApiProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed_formats, "FORMATS_MOST", 1)
    made(api, "only", WIRE)
    answer = api.ask("POST", "/formats", json={"name": "one-more", "settings": WIRE})
    assert (409, True) == (answer.status_code, "which is the most" in answer.json()["detail"])
    removed(api, "only")


def test_it_is_pushed_and_what_is_changed_is_pushed_a_second_later(api: ApiProcess) -> None:
    made(api, "wire", WIRE)
    settings = {"feed": "world", "format": "wire", "url": f"{api.receiver.url}/wired", "secret": []}
    assert 201 == api.ask("POST", "/endpoints", json={"name": "wired", "settings": settings}).status_code
    api.until(lambda: api.get("/endpoints/wired")["health"]["state"], "its enrolment")
    api.publish("w-1", headline="Ferries & trams")
    api.receiver.wait("/wired", 1, seconds=60)

    text = {"media_type": "text/plain; charset=utf-8", "template": "{{ article.id }}: {{ article.headline }}"}
    tag = api.ask("GET", "/formats/wire").headers["etag"]
    assert 200 == api.ask("PUT", "/formats/wire", json={"settings": text}, headers={"If-Match": tag}).status_code
    api.publish("w-2", headline="Ferries & trams")
    api.receiver.wait("/wired", 2, seconds=60)
    assert [
        ("application/xml", '<story no="w-1">Ferries &amp; trams</story>'),
        ("text/plain; charset=utf-8", "w-2: Ferries & trams"),
    ] == bodies(api, "/wired")

    # What an endpoint needs stays.
    for answer in (
        api.ask("DELETE", "/formats/wire", headers={"If-Match": "*"}),
        api.ask("PUT", "/formats/wire", json={"settings": LIST}, headers={"If-Match": "*"}),
    ):
        assert (409, True) == (answer.status_code, "wired" in answer.json()["detail"])
    assert 204 == api.ask("DELETE", "/endpoints/wired", headers={"If-Match": "*"}).status_code
    removed(api, "wire")
    assert "wire" not in ARTICLE_FORMATS


def test_a_feed_is_served_in_it_and_made_anew_when_it_is_changed(api: ApiProcess) -> None:
    made(api, "ids", LIST)
    address = "/feeds/world.ids"
    api.until(lambda: api.client.get(address).status_code == 200, "the feed")
    assert {"id": "hh-1"} in api.client.get(address).json()["items"]
    other = LIST | {"mapping": {"key": "article.id"}}
    assert 200 == api.ask("PUT", "/formats/ids", json={"settings": other}, headers={"If-Match": "*"}).status_code
    api.until(lambda: {"key": "hh-1"} in api.client.get(address).json()["items"], "the changed feed")
    removed(api, "ids")
    api.until(lambda: api.client.get(address).status_code == 404, "nothing of it")
    assert "ids" not in FEED_FORMATS


def test_it_is_tried_before_it_is_kept(api: ApiProcess) -> None:
    tried = {"settings": WIRE, "article": "hh-1"}
    assert {
        "media_type": "application/xml",
        "document": '<story no="hh-1">Ferries &amp; trams</story>',
        "refused": [],
    } == api.ask("POST", "/format-trials", json=tried).json()
    killed = api.ask("POST", "/format-trials", json=tried | {"change": "killed"}).json()
    assert '<kill no="hh-1"/>' == killed["document"]
    sample = api.ask("POST", "/format-trials", json={"settings": LIST}).json()
    assert [{"id": "sample-1"}] == json.loads(sample["document"])["items"]
    ruled = WIRE | {"rules": '<element name="piece" xmlns="http://relaxng.org/ns/structure/1.0"><text/></element>'}
    (reason,) = api.ask("POST", "/format-trials", json={"settings": ruled}).json()["refused"]
    assert "(schema)" in reason
    assert 404 == api.ask("POST", "/format-trials", json=tried | {"article": "none"}).status_code
    mistake = api.ask("POST", "/format-trials", json={"settings": WIRE | {"template": "{{ a }}"}})
    assert (422, "template") == (mistake.status_code, mistake.json()["errors"][0]["field"])
    assert [] == api.get("/formats")["items"]


def test_whoever_may_not_read_articles_tries_with_samples_alone(api: ApiProcess) -> None:
    key = api.key("formats:write")
    assert 200 == api.ask("POST", "/format-trials", key, json={"settings": WIRE}).status_code
    answer = api.ask("POST", "/format-trials", key, json={"settings": WIRE, "article": "hh-1"})
    assert (403, "articles:read") == (answer.status_code, answer.json()["scope"])
    assert 200 == api.ask("GET", "/formats", TOKEN).status_code


def test_the_settings_file_goes_first_and_what_is_of_another_release_waits(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    filed = FormatDefinition(name="same", media_type="text/plain", template="of the file")
    managed = tuple(
        ManagedFormat(name=name, settings=settings, created=0, revision=number)
        for number, (name, settings) in enumerate([("same", WIRE), ("newer", WIRE | {"of": "archive"}), ("good", WIRE)])
    )
    try:
        FormatsInUse().use([filed], managed)
        assert ("text/plain", True, False) == (
            ARTICLE_FORMATS["same"].media_type,
            "good" in ARTICLE_FORMATS,
            "newer" in ARTICLE_FORMATS,
        )
    finally:
        take_over([])


@pytest.mark.parametrize(
    "settings",
    [
        {"media_type": "text/plain", "template": "x\ud800"},
        {"media_type": "application/json", "mapping": {"\ud800": "a"}},
    ],
)
def test_half_a_character_is_refused_and_one_that_is_there_keeps_nobody_from_the_others(
    api: ApiProcess, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
) -> None:
    body = json.dumps({"name": "half", "settings": settings})
    refused = api.ask("POST", "/formats", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422, refused.text
    with pytest.raises(InvalidInput, match="half of a character"):
        managed_formats.defined("half", settings)
    assert api.ask("GET", "/audit").status_code == 200
    good = ManagedFormat(name="whole", settings={"media_type": "text/plain", "template": "x"}, created=1, revision=1)
    half = ManagedFormat(name="half", settings=settings, created=1, revision=1)
    try:
        with caplog.at_level(logging.ERROR):
            FormatsInUse().use([], (half, good))
        assert ("half" in ARTICLE_FORMATS, "whole" in ARTICLE_FORMATS) == (False, True)
    finally:
        take_over([])


def test_a_fault_of_ours_in_one_keeps_nobody_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"media_type": "text/plain", "template": "x"}
    formats = tuple(ManagedFormat(name=name, settings=settings, created=1, revision=1) for name in ("bad", "good"))
    real = managed_formats.defined

    def failing(name: str, values: dict[str, Any]) -> FormatDefinition:
        if name == "bad":
            raise RuntimeError(name)
        return real(name, values)

    monkeypatch.setattr(managed_formats, "defined", failing)
    try:
        FormatsInUse().use([], formats)
        assert ("bad" in ARTICLE_FORMATS, "good" in ARTICLE_FORMATS) == (False, True)
    finally:
        take_over([])
