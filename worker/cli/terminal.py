"""What every command shares: the options that name the newsroom, the consoles, and the one way to fail.

It is imported by every command, so it imports nothing that takes long.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from feeds.errors import brief, listed
from worker import clock

if TYPE_CHECKING:
    from config.settings import Settings

# Into a file or a pipe lines are as long as they need to be.
_ENDLESS = 1_000_000
_width = None if sys.stdout.isatty() else _ENDLESS
# What is printed is printed as it is: brackets and colons in an id or a headline mean nothing.
out = Console(width=_width, markup=False, emoji=False, highlight=False)
err = Console(stderr=True, width=None if sys.stderr.isatty() else _ENDLESS, markup=False, emoji=False, highlight=False)
marked = Console(width=_width)
"""For lines of ours that have markup."""

Config = Annotated[
    Path | None,
    typer.Option(help="The settings file; else $DATELINE_CONFIG, ./dateline.toml, or the example newsroom."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Data = Annotated[Path | None, typer.Option(help="Where the embedded Redis and record keep their data.")]

API_VARIABLE = "DATELINE_API"
"""Names the address of a newsroom that is asked over its API."""

# What would break a line or show it in another order: a document may hold anything.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Failed(Exception):
    """A command can't do what it was asked; the message says why and what to do, each reason in a line of its own.

    Status 2 is for wrong use.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


_MESSAGE_CHARACTERS = 2_000


def say_wrong(message: str) -> None:
    """Say what is wrong, in one line."""
    err.print(f"dateline: {brief(message, _MESSAGE_CHARACTERS)}", style="red", soft_wrap=True)


def note(message: str) -> None:
    """Say in one line, aside, what the output alone does not tell."""
    err.print(f"dateline: {message}", soft_wrap=True)


def say(line: str) -> None:
    """Print one line, in which there may be what somebody else wrote."""
    out.print(printable(line), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as JSON. Half surrogate pairs, which no output takes, become question marks."""
    text = json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "replace").decode()
    out.print(text, soft_wrap=True)


def printable(text: str) -> str:
    """What somebody else wrote, fit for one line."""
    return _UNPRINTABLE.sub(lambda character: ascii(character[0])[1:-1], text)


def shown(moment: str | None) -> str:
    """A moment of an answer (RFC 3339, UTC) as the tables show it; "" for none."""
    return moment[:19].replace("T", " ") if moment else ""


def utc(ms: int) -> str:
    """A moment (ms) as the tables show it, in UTC."""
    return clock.moment(ms).strftime("%Y-%m-%d %H:%M:%S") if ms else "never"


def settings_of(config: Path | None, data: Path | None) -> Settings:
    """Return the settings that the options name. Raises SettingsError, and Failed where the API is to be asked."""
    from config.settings import load

    see_that_it_is_beside_redis()
    return load(config, os.environ | ({"DATELINE_DATA_DIR": str(data)} if data else {}))


def see_that_it_is_beside_redis() -> None:
    """Raise Failed when DATELINE_API is set, and the command that runs works on settings, Redis or the record alone."""
    if os.environ.get(API_VARIABLE, "").strip():
        command = " ".join(["dateline", *sys.argv[1:2]])
        raise Failed(f"{command} needs a shell beside Redis, and {API_VARIABLE} is set: unset it, and run it there", 2)


def feed_names(settings: Settings) -> str:
    """The names of the feeds and patterns of feeds, for messages."""
    return listed([definition.name for definition in settings.feeds])


def config_path(config: Path | None) -> Path:
    """The settings file that `load` reads when it is given `config`."""
    from config.settings import default_path

    return (config or default_path(os.environ)).resolve()
