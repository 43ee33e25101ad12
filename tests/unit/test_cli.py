"""What the command line says of itself."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from feeds.adapters import ADAPTERS
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker.cli.commands import COMMANDS, app


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", [name for name, *_ in COMMANDS])
def test_every_command_has_help_with_an_example(command: str, option: str) -> None:
    done = CliRunner().invoke(app, [command, option])
    assert done.exit_code == 0
    assert f"Example: dateline {command}" in done.stdout


@pytest.mark.parametrize(
    ("command", "known"),
    [
        ("render", [*FEED_FORMATS, *ARTICLE_FORMATS]),
        ("validate", [*FEED_FORMATS, *ARTICLE_FORMATS]),
        ("publish", [*ADAPTERS]),
    ],
)
def test_help_lists_every_value(command: str, known: list[str]) -> None:
    done = CliRunner().invoke(app, [command, "-h"], env={"TERMINAL_WIDTH": "1000", "COLUMNS": "1000"})
    words = set(re.findall(r"[\w-]+", done.stdout))
    assert set(known) <= words


def test_the_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (0, f"Dateline {version('dateline')}\n") == (done.exit_code, done.stdout)


def test_without_a_command_all_are_listed() -> None:
    done = CliRunner().invoke(app, ["-h"])
    assert all(name in done.stdout for name, *_ in COMMANDS)
