"""Endpoints that are made over the API with certificates as texts: of a private authority, and ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_process import ROOT, ApiProcess, api_process
from contract.partner import Authority, Partner
from receiver import Receiver


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("certificates"), redis_url, receiver) as process:
        yield process
    receiver.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder, "authority")


@pytest.fixture(scope="module")
def partner(authority: Authority) -> Iterator[Partner]:
    partner = Partner(authority.server(asks=True))
    yield partner
    partner.close()


def texts(authority: Authority, name: str) -> dict[str, str]:
    cert, key = authority.issue(name)
    return {"ca": authority.file.read_text(), "cert": cert.read_text(), "key": key.read_text()}


def settings(partner: Partner, tls: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"feed": "world", "format": "json", "url": f"{partner.url}/who", "secret": [], "tls": tls, **more}


def answers(api: ApiProcess, article: str) -> list[str]:
    rows = api.get("/endpoints/mutual/attempts")["items"]
    return [row["answer"] for row in rows if (row["article"], row["outcome"]) == (article, "delivered")]


def put(api: ApiProcess, values: dict[str, Any]) -> Any:
    return api.ask("PUT", "/endpoints/mutual", json={"settings": values}, headers={"If-Match": "*"})


def test_mutual_tls_by_texts_and_its_rotation(api: ApiProcess, authority: Authority, partner: Partner) -> None:
    first = texts(authority, "herald-one")
    created = api.ask("POST", "/endpoints", json={"name": "mutual", "settings": settings(partner, first)})
    assert created.status_code == 201, created.text
    assert created.json()["settings"]["tls"] == dict.fromkeys(first, "***")
    assert api.ask("POST", "/endpoints/mutual/test").json()["answer"]["body"] == "herald-one"
    api.until(lambda: api.get("/endpoints/mutual")["health"]["state"], "its enrolment")
    api.publish("hh-1")
    assert api.until(lambda: answers(api, "hh-1"), "the push") == ["herald-one"]
    (phases,) = {row["phases"]["tls"] > 0 for row in api.get("/endpoints/mutual/attempts")["items"]}
    assert phases

    # What stands as *** stays; a certificate in one text with its key is enough.
    second = texts(authority, "herald-two")
    both = {"ca": "***", "cert": second["cert"] + second["key"]}
    changed = put(api, settings(partner, both))
    assert changed.status_code == 200, changed.text
    api.until(lambda: api.ask("POST", "/endpoints/mutual/test").json()["answer"]["body"] == "herald-two", "the change")
    api.publish("hh-2")
    assert api.until(lambda: answers(api, "hh-2"), "the push") == ["herald-two"]

    # Neither is anywhere to be read, in any form, and both are sealed anew with all others.
    assert api.services.management.endpoints.rekey(ROOT) == 0
    keys = [line for text in (first, second) for line in text["key"].splitlines() if not line.startswith("-")]
    shown = json.dumps([api.get("/endpoints/mutual"), api.get("/audit"), created.json(), changed.json()])
    # Bytes, and what the write-ahead log has of it.
    record = b"".join(path.read_bytes() for path in api.services.settings.data_dir.glob("record.db*"))
    for line in keys:
        assert line not in shown
        assert line.encode() not in record


def test_a_mistake_names_the_field(api: ApiProcess, authority: Authority, partner: Partner, folder: Path) -> None:
    one, two = texts(authority, "one"), texts(authority, "two")
    for tls, field, problem in (
        ({"ca": "/etc/ssl/cert.pem"}, "tls.ca", "names a file of the server"),
        ({"ca": str(folder / "authority.pem")}, "tls.ca", "names a file of the server"),
        ({"ca": "-----BEGIN CERTIFICATE-----\nx\n"}, "tls.ca", "has no certificate (PEM)"),
        ({"cert": one["cert"], "key": two["key"]}, "tls.key", "is not the key of cert"),
        ({"cert": one["cert"]}, "tls.key", "is not the key of cert"),
        ({"key": one["key"]}, "tls.key", "is the key of no certificate"),
        ({"ca": "***"}, "tls.ca", "there is none"),
        ({"colour": "red"}, "tls.colour", "is no setting"),
        ({"cert": 5}, "tls.cert", ""),
    ):
        answer = api.ask("POST", "/endpoints", json={"name": "wrong", "settings": settings(partner, tls)})
        assert answer.status_code == 422, answer.text
        errors = {error["field"]: error["message"] for error in answer.json()["errors"]}
        assert problem in errors[field]
        assert "can't be read" not in answer.text
        assert one["key"].splitlines()[1] not in answer.text
    # Who leads an endpoint elsewhere has to know its certificates.
    moved = settings(partner, dict.fromkeys(("ca", "cert"), "***")) | {"url": "https://elsewhere.example/news"}
    answer = put(api, moved)
    assert {error["field"] for error in answer.json()["errors"]} == {"tls.ca", "tls.cert"}, answer.text
