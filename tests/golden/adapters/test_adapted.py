"""What each adapter makes of what its system sends, and that it is an event whose article renders to valid feeds.

Beside each input stands the event that must come of it, and what is missing. After a wanted change:
`python -m pytest tests/golden --regenerate`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from feeds import event as events
from feeds.adapters import ADAPTERS, guess
from feeds.adapters.interface import Adapted, InputDefaults

FOLDER = Path(__file__).parent
INPUTS = sorted(file for file in FOLDER.glob("[a-z]*/*") if not file.name.endswith(".expected.json"))
NOW = datetime(2026, 3, 31, tzinfo=UTC)
GIVEN = InputDefaults(
    url="https://www.harbour-herald.example/harbour/ferries-return",
    editions=frozenset({"en", "ar"}),
    zone=timezone(timedelta(hours=1)),
)

inputs = pytest.mark.parametrize("file", INPUTS, ids=lambda file: f"{file.parent.name}-{file.stem}")


def read(file: Path) -> Adapted:
    given = replace(GIVEN, edition="ar") if file.stem == "arabic" else GIVEN
    return ADAPTERS[file.parent.name].read(file.read_bytes(), given)


def event_of(file: Path) -> dict[str, Any]:
    return read(file).event


@inputs
def test_event(file: Path, regenerate: bool) -> None:
    adapted = read(file)
    actual = {"event": adapted.event, "missing": [str(note) for note in adapted.missing]}
    text = json.dumps(actual, indent=2, ensure_ascii=False) + "\n"
    expected = file.with_suffix(".expected.json")
    if regenerate:
        expected.write_text(text, "utf-8")
    assert expected.read_text("utf-8") == text


@inputs
def test_the_event_is_taken(file: Path) -> None:
    read = events.read(event_of(file), NOW)
    assert isinstance(read, events.KillEvent if file.stem == "kill" else events.ArticleEvent)


@inputs
def test_the_input_is_recognized(file: Path) -> None:
    assert ADAPTERS[file.parent.name] is guess(file.read_bytes(), file.name)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("other", ["picture", "correction", "kill", "withheld"])
def test_the_same_article_has_the_same_id_in_another_event(adapter: str, other: str) -> None:
    files = {file.stem: file for file in INPUTS if file.parent.name == adapter}
    if other in files:
        first, second = event_of(files["english"]), event_of(files[other])
        assert first["article"]["id"] == second["article"]["id"]
        assert first["id"] != second["id"]
    else:
        # Only the systems that articles are published with say that one is withdrawn, and they say it in JSON.
        assert other in {"kill", "withheld"}
        assert not ADAPTERS[adapter].recognizes


@inputs
def test_the_same_bytes_are_the_same_event(file: Path) -> None:
    assert event_of(file) == event_of(file)
