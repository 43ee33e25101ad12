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
OTHER_DATABASE = {"sqlalchemy.dialects.postgresql"}
"""A record on SQLite does not wait for it."""
WHOLE = {"up", "worker", "web", "demo"}
"""They run the newsroom: their help takes what they take."""
GROUPS_OF_PEOPLE = ("endpoints", "partner", "key", "user", "management", "audit")


def modules_after(
    words: list[str], tmp_path: Path, variables: dict[str, str] | None = None, status: int = 0
) -> set[str]:
    """Run the command line in a process of its own; return the modules that it has at the end."""
    listed = tmp_path / "modules"
    program = f"""
import atexit, os, sys

def write_down():
    with open({str(listed)!r}, "w") as file:
        file.write(" ".join(sys.modules))

def end(status, really=os._exit):
    write_down()
    really(status)

# Commands end the process themselves; those that run for long, and failures that nobody has foreseen, do not.
os._exit = end
atexit.register(write_down)
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
    assert commands == {"commands", "lean_imports", "terminal"}
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
    assert (
        modules & ((HEAVY - {"sqlalchemy"}) | UNASKED | OTHER_DATABASE | {"redis", "worker.runtime.services"}) == set()
    )
    assert "worker.record.finding" in modules


def test_the_list_of_endpoints_does_not_wait_for_what_sends(redis_url: str, tmp_path: Path) -> None:
    with closing(Record.embedded(tmp_path)) as record:
        record.upgrade()
    modules = modules_after(
        ["endpoints"], tmp_path, {"DATELINE_REDIS_URL": redis_url, "DATELINE_DATA_DIR": str(tmp_path)}
    )
    assert modules & ((HEAVY - {"sqlalchemy"}) | UNASKED | OTHER_DATABASE) == set()
    assert len(modules) < 770


@pytest.mark.parametrize(
    ("words", "status"),
    [
        *((words, 0) for words in ("feeds", "readers en", "subscriptions", "alarms", "list", "endpoints", "audit")),
        *((f"{group} list", 0) for group in ("partner", "formats", "key", "user")),
        *((words, 0) for words in ("articles", "report", "record status")),
        *((f"{command} hh-1", 1) for command in ("history", "receipt", "coverage")),
    ],
)
def test_what_shows_something_waits_for_nothing_that_sends_or_measures(
    words: str, status: int, redis_url: str, tmp_path: Path
) -> None:
    with closing(Record.embedded(tmp_path)) as record:
        record.upgrade()
    variables = {"DATELINE_REDIS_URL": redis_url, "DATELINE_DATA_DIR": str(tmp_path)}
    modules = modules_after(words.split(), tmp_path, variables, status)
    unused = {"attr", "opentelemetry", "pygments", "rich.traceback", "cryptography.x509.ocsp"}
    assert modules & ((HEAVY - {"sqlalchemy"}) | OTHER_DATABASE | unused) == set()


def test_the_settings_are_checked_by_what_is_made_once_for_all_of_them() -> None:
    program = """
from pydantic import BaseModel
from config.settings import load
load()
models = [BaseModel]
for model in models:
    models += model.__subclasses__()
print(*(model.__name__ for model in models if model.__pydantic_complete__ and model.__module__.startswith("config.")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["Settings"]


def test_what_is_hidden_from_a_package_can_be_imported_afterwards() -> None:
    program = (
        "from worker.cli.lean_imports import import_leanly\n"
        "import_leanly()\n"
        "import structlog, redis\n"
        "import rich.traceback, cryptography, structlog, redis\n"
        "print(structlog.dev.rich, redis.utils.CRYPTOGRAPHY_AVAILABLE)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "None False\n"


def test_a_command_ends_once_all_is_done_and_leaves_no_module_to_be_taken_to_pieces(tmp_path: Path) -> None:
    def ended(*words: str) -> tuple[int, str, bool, bool]:
        for name in ("at_exit", "taken_to_pieces"):
            (tmp_path / name).unlink(missing_ok=True)
        program = f"""
import atexit, pathlib, sys, weakref
from worker.cli import main, commands

class Kept:
    def __del__(self, write=pathlib.Path({str(tmp_path / "taken_to_pieces")!r}).touch):
        write()

sys.kept = Kept()
run = commands.run

def run_and_have_something_left():
    atexit.register(pathlib.Path({str(tmp_path / "at_exit")!r}).touch)
    run()

commands.run = run_and_have_something_left
sys.argv = ["dateline", *{words!r}]
main()
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
        was_called, was_deleted = ((tmp_path / name).exists() for name in ("at_exit", "taken_to_pieces"))
        return done.returncode, done.stdout + done.stderr, was_called, was_deleted

    status, output, was_called, was_deleted = ended("--version")
    assert (0, True, True, False) == (status, output.startswith("Dateline "), was_called, was_deleted)
    status, output, was_called, was_deleted = ended("render")
    assert (2, True, True, False) == (status, "Missing argument" in output, was_called, was_deleted)


def test_what_could_not_be_written_at_the_end_is_no_success() -> None:
    program = """
from worker.cli import _QuickEnd
end = _QuickEnd()
end.status = 0
print("a line that waits to be written")
end.leave()
"""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, env=environ, check=False
        )
    # Python's own status for it.
    assert (120, True) == (done.returncode, b"No space left on device" in done.stderr)


def test_each_summary_is_what_the_command_says_of_itself() -> None:
    from importlib import import_module

    for command in COMMANDS:
        module, _, function = command.place.partition(":")
        says = getattr(import_module(f"worker.cli.{module}"), function).__doc__.partition("\n\n")[0]
        assert (command.name, " ".join(says.split())) == (command.name, command.summary)
