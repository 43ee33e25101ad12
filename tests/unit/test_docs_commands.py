"""Every command that a document shows can be typed so: its name, its arguments and its options are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from worker.cli.commands import COMMANDS, GROUPS, _load

ROOT = Path(__file__).parents[2]
LISTED = {command.name: command for command in (*COMMANDS, *GROUPS)}
SHOWN = sorted(
    {
        " ".join(span.split())
        for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for span in re.findall(r"`dateline ([^`]+)`", document.read_text("utf-8"))
    }
)


@pytest.mark.parametrize("shown", [shown for shown in SHOWN if shown.split()[0] in LISTED])
def test_a_command_that_is_shown_can_be_typed(shown: str) -> None:
    words = shlex.split(re.sub(r"[\[\]]|\.\.\.", " ", shown).replace("\\|", "|"))
    command: Any = _load(LISTED[words[0]])
    words.pop(0)
    while (
        words and hasattr(command, "get_command") and (inner := command.get_command(click.Context(command), words[0]))
    ):
        command = inner
        words.pop(0)
    options = {name: option for option in command.params if option.param_type_name == "option" for name in option.opts}
    arguments = [argument.nargs for argument in command.params if argument.param_type_name == "argument"]
    given = 0
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            given += 1
            continue
        assert word in options, f"no option {word}"
        if not options[word].is_flag and words:
            words.pop(0)
    assert -1 in arguments or given <= sum(arguments), f"it takes no {given} arguments"


def test_what_is_shown_is_a_command() -> None:
    names = {shown.split()[0] for shown in SHOWN}
    assert {name for name in names if re.fullmatch("[a-z]+", name)} <= LISTED.keys()
    assert len(names & LISTED.keys()) > 20
