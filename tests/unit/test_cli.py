"""What the command line says of itself."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

import dateline
from feeds.adapters import ADAPTERS
from feeds.formats import ARTICLE_FORMATS, FEED_FORMATS
from worker.cli.commands import COMMANDS, app
from worker.cli.terminal import Failed


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


@pytest.mark.parametrize("command", ["articles", "history", "receipt", "report"])
def test_who_asks_the_record_waits_for_no_import_of_what_runs_the_newsroom(command: str) -> None:
    program = f"""import sys
from typer.testing import CliRunner
from worker.cli.commands import app
CliRunner().invoke(app, [{command!r}, "--nonsense"])
print(*sys.modules)"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert f"worker.cli.{command}" in modules
    assert modules & {"celery", "redis", "requests", "pycurl", "psycopg", "alembic"} == set()


def test_a_mistyped_command_is_answered_with_the_one_that_is_meant() -> None:
    done = CliRunner().invoke(app, ["artcles"])
    assert (2, True) == (done.exit_code, "Did you mean 'articles'?" in done.stderr)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["rebuild", "--json"], "--json goes with --dry-run"),
        (["feeds", "--dry-run"], "--dry-run goes with --push or --withdraw"),
    ],
)
def test_an_option_that_does_nothing_by_itself_is_refused(words: list[str], reason: str) -> None:
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, Failed)
    assert (reason, 2) == (str(done.exception), done.exception.status)


def test_an_interrupt_while_it_starts_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("worker.cli.main", interrupted)
    with pytest.raises(SystemExit) as ended:
        dateline.main()
    assert ended.value.code == 130
