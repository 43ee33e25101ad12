"""Whatever is away, a command that can't do its work says so in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import dateline

SETTINGS = """
redis_url = "redis://127.0.0.1:1/0"
[[feeds]]
name = "world"
title = "World"
[[endpoints]]
name = "filed"
feed = "world"
format = "json"
url = "https://filed.example/"
"""
EVENT = {
    "id": "e1",
    "type": "article.published",
    "article": {
        "id": "a",
        "version": 1,
        "headline": "Harbour wall",
        "url": "https://herald.example/a",
        "published": "2026-03-01T00:00:00Z",
        "updated": "2026-03-01T00:00:00Z",
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that name a Redis that is not there; nobody has made a record."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "dateline.toml").write_text(SETTINGS)
    (folder / "event.json").write_text(json.dumps(EVENT))
    return folder


@pytest.mark.parametrize(
    "words",
    [
        "articles",
        "coverage a",
        "endpoints",
        "endpoints --pause filed",
        "feeds",
        "history a",
        "kill a",
        "publish event.json",
        "receipt e1",
        "render a --endpoint filed",
        "render all --format atom",
        "replay --endpoint filed --parked",
        "report --from 2026-01-01 --to 2026-02-01",
        "subscriptions",
        "worker",
    ],
)
def test_one_line_says_why(folder: Path, words: str) -> None:
    done = dateline(*words.split(), cwd=folder, variables={"DATELINE_CONFIG": str(folder / "dateline.toml")})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("dateline: ")
    assert done.stderr.count("\n") == 1, done.stderr
