"""The documents say what there is: every command, metric and log event that an operator meets."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from feeds.adapters import ADAPTERS
from feeds.article import Submission
from feeds.text import fold
from web.metrics import COUNTERS
from worker.cli.commands import COMMANDS
from worker.intake.inbound_signatures import SIGNING_SYSTEMS

ROOT = Path(__file__).parents[2]
NEWSROOM = (ROOT / "docs" / "newsroom.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.mark.parametrize("command", [name for name, *_ in COMMANDS])
def test_every_command_is_documented(command: str) -> None:
    assert f"| `dateline {command}" in OPERATIONS


def test_every_metric_is_documented() -> None:
    source = (ROOT / "web" / "metrics.py").read_text("utf-8")
    metrics = {f"{name}_total" for name in COUNTERS} | set(re.findall(r'MetricFamily\(\s*"(dateline_\w+)"', source))
    assert len(metrics) >= 8
    assert metrics == set(re.findall(r"^\| `(dateline_\w+)`", OPERATIONS, re.MULTILINE))


def test_every_error_in_the_log_is_documented() -> None:
    events: set[str] = set()
    for file in (ROOT / "worker").rglob("*.py"):
        events |= set(re.findall(r'log\.(?:error|warning)\(\s*"(\w+)"', file.read_text("utf-8")))
    documented = set(re.findall(r"`(\w+)`", OPERATIONS))
    assert events - documented == set()


def test_every_field_of_an_article_is_documented() -> None:
    listed = NEWSROOM.partition("\n## What an article says\n")[2].partition("\n## ")[0]
    named = [name for row in re.findall(r"^\| (`.+?) \|", listed, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(Submission.model_fields)


def test_what_selectors_take_for_the_same_is_as_documented() -> None:
    listed = NEWSROOM.partition("\n### What selectors take for the same\n")[2].partition("\n## ")[0]
    pairs = re.findall(r"`([^`]+)` ([=≠]) `([^`]+)`", listed)
    assert len(pairs) > 30
    for one, sign, other in pairs:
        assert (fold(one) == fold(other)) is (sign == "="), f"{one} {sign} {other}"


def test_every_adapter_is_documented() -> None:
    for adapter in ADAPTERS.values():
        file = Path(inspect.getfile(adapter.read)).relative_to(ROOT)
        assert f"| `{file}` |" in NEWSROOM
    for name in SIGNING_SYSTEMS:
        assert f"`POST /events/{name}`" in NEWSROOM


def test_every_file_that_a_document_names_is_there() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name} names {target}"


def test_every_path_and_test_that_a_document_names_is_there() -> None:
    tests = {path.name for path in ROOT.glob("tests/**/test_*.py")}
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        named = re.findall(r"`([\w./*-]+)`", document.read_text("utf-8"))
        for path in named:
            if re.match(r"(?:worker|web|feeds|config|tests|bench)/[\w./*-]+\.\w+$", path):
                assert list(ROOT.glob(path.replace("NAME", "*"))), f"{document.name} names {path}"
            elif re.match(r"test_\w+\.py$", path):
                assert path in tests, f"{document.name} names {path}"


def test_the_architecture_says_what_every_module_of_worker_is_about() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rooms = page.partition("The rooms of `worker/`")[2].partition("\n## ")[0]
    modules = {
        path.stem
        for path in (ROOT / "worker").glob("**/*.py")
        # One module each for a group of commands, a noun of the store, a concern of the engine, a step of the schema.
        if path.parent.name not in {"cli", "newsrooms", "store", "outbound", "versions"} and path.stem != "__init__"
    }
    assert modules <= set(re.findall(r"`(\w+)`", rooms))
