"""What a command imports before it does anything: modules are counted, since times say more about the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from worker.cli.commands import COMMANDS
from worker.record import Record

ROOT = Path(__file__).parents[2]
HEAVY = {"alembic", "celery", "kombu", "psycopg", "pycurl", "requests", "sqlalchemy"}
"""What runs the newsroom, and what the record is made of."""
SCHEMAS = {"config.settings", "lxml", "redis", "structlog"}
"""What reads settings and articles, and asks Redis."""
UNASKED = {"attr", "feeds.article", "feeds.formats", "lxml", "nh3", "opentelemetry", "pygments", "regex"}
"""What other packages look for and no listing uses; and what checks, cleans and renders articles."""
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
    assert modules & (HEAVY | UNASKED | {"worker.runtime.services", "worker.store.articles"}) == set()
    assert "worker.store.changes" in modules
    assert len(modules) < 620


def test_the_list_of_articles_asks_the_record_alone(tmp_path: Path) -> None:
    with closing(Record.embedded(tmp_path)) as record:
        record.upgrade()
    modules = modules_after(["articles"], tmp_path, {"DATELINE_DATA_DIR": str(tmp_path)})
    assert modules & ((HEAVY - {"sqlalchemy"}) | UNASKED | {"redis", "worker.runtime.services"}) == set()
    assert "worker.record.finding" in modules


def test_the_list_of_endpoints_does_not_wait_for_what_sends(redis_url: str, tmp_path: Path) -> None:
    modules = modules_after(["endpoints"], tmp_path, {"DATELINE_REDIS_URL": redis_url})
    assert modules & {"pygments", "attr", "pycurl", "requests", "celery", "alembic"} == set()


def test_what_is_hidden_from_a_package_can_be_imported_afterwards() -> None:
    program = (
        "from worker.cli.lean_imports import import_redis, import_structlog\n"
        "import_structlog(); import_redis()\n"
        "import rich.traceback, cryptography, structlog, redis\n"
        "print(structlog.dev.rich, redis.utils.CRYPTOGRAPHY_AVAILABLE)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "None False\n"


def test_each_summary_is_what_the_command_says_of_itself() -> None:
    from importlib import import_module

    for command in COMMANDS:
        module, _, function = command.place.partition(":")
        says = getattr(import_module(f"worker.cli.{module}"), function).__doc__.partition("\n\n")[0]
        assert (command.name, " ".join(says.split())) == (command.name, command.summary)
