"""What a command imports before it does anything: modules are counted, since times say more about the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
HEAVY = {"alembic", "celery", "kombu", "psycopg", "pycurl", "requests", "sqlalchemy"}
"""What runs the newsroom, and what the record is made of."""
SCHEMAS = {"config.settings", "lxml", "redis", "structlog"}
"""What reads settings and articles, and asks Redis."""
WHOLE = {"up", "worker", "web", "demo"}
"""They run the newsroom: their help takes what they take."""
GROUPS_OF_PEOPLE = ("endpoints", "partner", "key", "user", "management", "audit")


def modules_after(
    words: list[str], tmp_path: Path, variables: dict[str, str] | None = None, status: int = 0
) -> set[str]:
    """Run the command line in a process of its own; return the modules that it has at the end."""
    listed = tmp_path / "modules"
    program = f"""
import atexit, sys
atexit.register(lambda: open({str(listed)!r}, "w").write(" ".join(sys.modules)))
sys.argv = ["dateline", *{words!r}]
import dateline
dateline.main()
"""
    environ = {"PATH": os.environ["PATH"], **(variables or {})}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=environ, check=False
    )
    assert done.returncode == status, done.stderr
    return set(listed.read_text().split())


@pytest.mark.parametrize("words", [["--version"], ["--help"]])
def test_what_asks_for_nothing_imports_no_command(words: list[str], tmp_path: Path) -> None:
    modules = modules_after(words, tmp_path)
    assert modules & (HEAVY | SCHEMAS) == set()
    commands = {name.removeprefix("worker.cli.") for name in modules if name.startswith("worker.cli.")}
    assert commands == {"commands", "terminal"}
    assert len(modules) < 450


@pytest.mark.parametrize("command", [*(name for name, *_ in COMMANDS if name not in WHOLE), *GROUPS_OF_PEOPLE])
def test_the_help_of_a_command_waits_for_nothing_that_it_uses(command: str, tmp_path: Path) -> None:
    modules = modules_after([command, "--help"], tmp_path)
    assert modules & (HEAVY | SCHEMAS) == set()


@pytest.mark.parametrize(
    "words", ["articles", "kill hh-1", "endpoints", "partner list", "coverage hh-1", "replay --stop"]
)
def test_over_the_api_a_command_waits_for_what_sends_requests_alone(words: str, tmp_path: Path) -> None:
    endpoint = ["--endpoint", "none"] if words.startswith("replay") else []
    variables = {"DATELINE_API": "http://127.0.0.1:1", "DATELINE_KEY": "dl_abc_def"}
    modules = modules_after([*words.split(), *endpoint], tmp_path, variables, status=1)
    assert modules & (HEAVY | SCHEMAS | {"pydantic", "feeds.article"}) == set()


def test_the_list_of_feeds_asks_redis_alone(redis_url: str, tmp_path: Path) -> None:
    modules = modules_after(["feeds"], tmp_path, {"DATELINE_REDIS_URL": redis_url})
    assert modules & (HEAVY | {"pygments", "attr", "worker.runtime.services", "worker.store.articles"}) == set()
    assert "worker.store.changes" in modules
    assert len(modules) < 700


def test_each_summary_is_what_the_command_says_of_itself() -> None:
    from importlib import import_module

    for command in COMMANDS:
        module, _, function = command.place.partition(":")
        says = getattr(import_module(f"worker.cli.{module}"), function).__doc__.partition("\n\n")[0]
        assert (command.name, " ".join(says.split())) == (command.name, command.summary)
