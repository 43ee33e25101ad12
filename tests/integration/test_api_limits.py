"""How many requests a minute one key may make, and what is never held up by that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_process import ApiProcess, api_process
from receiver import Receiver

from worker import clock
from worker.management.scopes import ARTICLES_KILL, ARTICLES_READ

MOST = 5


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    with api_process(tmp_path_factory.mktemp("limits"), redis_url, receiver, f"[api]\nrequests = {MOST}") as process:
        yield process
    receiver.close()


def test_a_key_is_limited_and_its_kills_are_not(api: ApiProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    for article in ("kill", "hh-1"):
        api.publish(article)
    key, other = api.key(ARTICLES_READ, ARTICLES_KILL), api.key(ARTICLES_READ)
    # All of it is in one minute.
    now = clock.agreed()
    monkeypatch.setattr(clock, "agreed", lambda: now)
    left = [api.ask("GET", "/me", key).headers["ratelimit"].partition(";t=")[0] for _ in range(MOST)]
    assert left == [f'"key";r={number}' for number in reversed(range(MOST))]
    for method, path in (
        ("GET", "/me"),
        ("GET", "/articles/kill"),
        ("GET", "/articles/hh-1/kill"),
        ("POST", "/endpoints/kill"),
        ("POST", "/nowhere/kill"),
    ):
        refused = api.ask(method, path, key)
        assert (refused.status_code, 0 < int(refused.headers["retry-after"]) <= 60) == (429, True), path
    for article in ("hh-1", "kill"):
        assert api.ask("POST", f"/articles/{article}/kill", key).status_code == 202
    assert api.ask("GET", "/me", other).status_code == 200
