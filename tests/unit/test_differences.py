"""What has changed in the settings, by name; and what holds from the start of a process to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.differences import AT_THE_START, differences, with_those_of_the_start
from config.settings import Settings, load

TEXT = """
api_tokens = ["one-token"]

[site]
title = "The Herald"

[[feeds]]
name = "world"
title = "World"

[[feeds]]
name = "sport"
title = "Sport"

[[endpoints]]
name = "one"
feed = "world"
format = "json"
url = "https://one.example/"
auth = { type = "bearer", token = "secret-of-one" }
"""


def settings(tmp_path: Path, text: str, **variables: str) -> Settings:
    path = tmp_path / "dateline.toml"
    path.write_text(text)
    return load(path, {f"DATELINE_{name}": value for name, value in variables.items()})


@pytest.mark.parametrize(
    ("written", "instead", "names"),
    [
        ("", "", []),
        ('"The Herald"', '"The Evening Herald"', ["site.title"]),
        ("one-token", "other-token", ["api_tokens"]),
        ('"World"', '"Abroad"', ["feeds.world.title"]),
        ('name = "sport"', 'name = "football"', ["feeds.football (new)", "feeds.sport (removed)"]),
        ("one.example", "two.example", ["endpoints.one.url"]),
        ("secret-of-one", "hidden", ["endpoints.one.auth.token"]),
        (
            '{ type = "bearer", token = "secret-of-one" }',
            '{ type = "basic", username = "a", password = "b" }',
            ["endpoints.one.auth"],
        ),
        ('name = "one"', 'name = "two"', ["endpoints.two (new)", "endpoints.one (removed)"]),
        ("[site]", "[websub]\nrequests_per_client = 5\n[site]", ["websub.requests_per_client"]),
        ("[site]", "[adapters.ghost]\nsecret = 'ghost-secret-of-ours'\n[site]", ["adapters.ghost.secret"]),
    ],
)
def test_names_of_what_differs(tmp_path: Path, written: str, instead: str, names: list[str]) -> None:
    old = settings(tmp_path, TEXT)
    new = settings(tmp_path, TEXT.replace(written, instead) if written else TEXT)
    assert names == differences(old, new)


def test_the_order_of_feeds_is_told_too(tmp_path: Path) -> None:
    old = settings(tmp_path, TEXT)
    new = old.model_copy(update={"feeds": tuple(reversed(old.feeds))})
    assert ["feeds (order)"] == differences(old, new)


def test_what_holds_from_the_start_stays(tmp_path: Path) -> None:
    old = settings(tmp_path, TEXT)
    variables = {
        "REDIS_URL": "redis://elsewhere",
        "BROKER_URL": "redis://broker",
        "RECORD_URL": "postgresql+psycopg://herald@elsewhere/record",
        "RECORD_PASSWORD": "of-the-record",
        "RECORD__SYNCHRONOUS": "normal",
        "RECORD__KEEP_KILLED": "true",
        "DATA_DIR": "/elsewhere",
        "WEB__HOST": "0.0.0.0",
        "WEB__PORT": "9999",
        "SITE__ID_AUTHORITY": "evening.example,2020",
        "SITE__TITLE": "The Evening Herald",
    }
    new = settings(tmp_path, TEXT, **variables)
    mixed = with_those_of_the_start(new, old)
    assert ["site.title"] == differences(old, mixed)
    assert set(AT_THE_START) <= set(differences(mixed, new))
    assert "http://127.0.0.1:8420" == mixed.site.base_url


def test_an_address_that_is_set_later_holds(tmp_path: Path) -> None:
    old = settings(tmp_path, TEXT)
    set_now = settings(tmp_path, TEXT, SITE__BASE_URL="https://herald.example")
    assert ["site.base_url"] == differences(old, with_those_of_the_start(set_now, old))
    back = with_those_of_the_start(settings(tmp_path, TEXT, WEB__PORT="9999"), set_now)
    assert "http://127.0.0.1:8420" == back.site.base_url
