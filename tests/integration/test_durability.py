"""A Redis that would lose events is refused, with the setting to change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from command_line import dateline

from worker.cli.durability import see_that_it_keeps, trial
from worker.cli.terminal import Failed
from worker.runtime.embedded_redis import EmbeddedRedis
from worker.store.durability import dangers

KEEPS = {"maxmemory-policy": "noeviction", "appendonly": "yes", "save": ""}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("r"))
    yield embedded.start()
    embedded.stop()


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    client = redis.Redis.from_url(url, decode_responses=True)
    yield client
    for name, value in KEEPS.items():
        client.config_set(name, value)
    client.close()


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        ({}, []),
        ({"maxmemory-policy": "allkeys-lru"}, ["set maxmemory-policy noeviction"]),
        ({"maxmemory-policy": "volatile-ttl"}, ["maxmemory-policy volatile-ttl"]),
        ({"appendonly": "no"}, ["set appendonly yes"]),
        ({"appendonly": "no", "save": "60 1"}, []),
        ({"appendonly": "no", "maxmemory-policy": "allkeys-random"}, ["maxmemory-policy", "appendonly"]),
    ],
)
def test_what_would_lose_events_is_said_with_its_setting(
    client: Any, settings: dict[str, str], reasons: list[str]
) -> None:
    for name, value in settings.items():
        client.config_set(name, value)
    found = dangers(client)
    assert len(reasons) == len(found)
    assert all(reason in danger for reason, danger in zip(reasons, found, strict=True))


def test_what_may_not_be_seen_is_taken_to_be_right(url: str, client: Any) -> None:
    client.config_set("appendonly", "no")
    client.execute_command("ACL", "SETUSER", "guest", "on", ">guest", "~*", "+@all", "-config")
    guest = redis.Redis.from_url(url, username="guest", password="guest", decode_responses=True)
    assert dangers(guest) == []
    guest.close()


def test_a_redis_that_is_away_is_not_judged() -> None:
    with structlog.testing.capture_logs() as logged:
        see_that_it_keeps(redis.Redis(unix_socket_path="/nowhere"), unsafe=False)
    assert ["redis_unchecked"] == [line["event"] for line in logged]
    # A worker can't begin without it, and says so once.
    with pytest.raises(redis.ConnectionError):
        see_that_it_keeps(redis.Redis(unix_socket_path="/nowhere"), unsafe=False, needed=True)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("https://www.harbour-herald.example", False),
        ("http://192.0.2.1", False),
    ],
)
def test_a_site_that_nobody_else_reaches_is_a_trial(base_url: str, expected: bool) -> None:
    assert expected == trial(base_url)


def test_a_trial_is_warned(client: Any) -> None:
    client.config_set("appendonly", "no")
    with pytest.raises(Failed, match="--unsafe-redis"):
        see_that_it_keeps(client, unsafe=False)
    with structlog.testing.capture_logs() as logged:
        see_that_it_keeps(client, unsafe=True)
    assert ["redis_unsafe"] == [line["event"] for line in logged]


@pytest.mark.parametrize("command", ["worker", "web", "up"])
def test_the_commands_refuse_it_in_one_line(tmp_path: Path, url: str, client: Any, command: str) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    config = tmp_path / "dateline.toml"
    config.write_text(
        f'redis_url = "{url}"\n[site]\nbase_url = "https://www.harbour-herald.example"\n'
        'title = "H"\nid_authority = "h.example,2026"\n[[feeds]]\nname = "all"\ntitle = "All"\n'
    )
    done = dateline(command, "--config", str(config), variables={"COLUMNS": "300"})
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("dateline: this Redis would lose events: it drops keys when it is full (maxmemory-policy")
