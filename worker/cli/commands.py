"""The commands. Every failure is one clear line; status 2 for wrong use, 1 for failure.

One file for each group of commands; the table below names them all, in the order of the help. A command is imported
when it is called, so that one that asks the record does not wait for Celery, and a mistyped one for nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from worker.cli.terminal import Failed, say_wrong

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("up", "processes:up", "dateline up --config dateline.toml --workers 2"),
    ("worker", "processes:worker", "dateline worker --name worker-1"),
    ("web", "processes:web", "dateline web --config dateline.toml"),
    ("demo", "processes:demo", "dateline demo"),
    (
        "publish",
        "publish:publish",
        "dateline publish article.json   or: dateline publish --dry-run https://herald.example/a",
    ),
    ("kill", "desk:kill", "dateline kill hh-2026-0301"),
    ("forget", "forget:forget", "dateline forget hh-2026-0301"),
    ("rebuild", "rebuild:rebuild", "dateline rebuild --dry-run"),
    ("feeds", "listings:list_feeds", "dateline feeds   or: dateline feeds --push world --dry-run"),
    ("endpoints", "endpoints:list_endpoints", "dateline endpoints   or: dateline endpoints --retry partner-one"),
    ("articles", "articles:list_articles", "dateline articles --search 'tram* \"night service\"' --since 2026-03-01"),
    ("history", "history:history", "dateline history hh-2026-0301"),
    ("receipt", "receipt:receipt", "dateline receipt evt-20260301-17"),
    ("coverage", "coverage:coverage", "dateline coverage hh-2026-0301"),
    ("report", "report:report", "dateline report --partner city-portal --from 2026-03-01 --to 2026-03-31 --csv"),
    ("list", "desk:arrange_list", "dateline list picks hh-2026-0301 hh-2026-0299"),
    ("replay", "coverage:replay", "dateline replay --endpoint partner-one --since 2026-03-01T00:00:00Z --dry-run"),
    ("subscriptions", "listings:list_subscriptions", "dateline subscriptions --feed en"),
    ("validate", "validate:validate", "dateline validate article.json   or: dateline validate en --format atom"),
    (
        "render",
        "render:render",
        "dateline render en --format atom   or: dateline render hh-2026-0301 --endpoint partner-one",
    ),
)
"""Name, module and function, example."""
GROUPS: tuple[tuple[str, str, str], ...] = (
    ("record", "record:app", ""),
    ("key", "key:app", ""),
    ("user", "user:app", ""),
    ("management", "sealing:app", ""),
    ("audit", "audit:app", ""),
)
"""Groups of commands, each with an example of its own."""


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"Dateline {version('dateline')}")
        raise typer.Exit


_SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "rich",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class _Commands(MutableMapping[str, Any]):
    """The commands by their names, each imported when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}
        self._listed = {name: (place, example) for name, place, example in (*COMMANDS, *GROUPS)}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, *self._listed[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


def _load(name: str, place: str, example: str) -> Any:
    module, _, attribute = place.partition(":")
    command = getattr(import_module(f"worker.cli.{module}"), attribute)
    if not isinstance(command, typer.Typer):
        single = typer.Typer(**_SETTINGS)
        single.command(name, epilog=f"Example: {example}")(command)
        command = single
    return typer.main.get_command(command)


class _Group(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()


app = typer.Typer(name="dateline", cls=_Group, no_args_is_help=True, **_SETTINGS)


@app.callback()
def _options(
    shown: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version, and end.")
    ] = False,
) -> None:
    """Turns a newsroom's article events into feeds and signed pushes."""
    del shown


def run() -> None:
    """Run the command line."""
    try:
        app()
    except Failed as error:
        say_wrong(str(error))
        sys.exit(error.status)
    except Exception as error:
        from worker.cli.failures import failure_of  # noqa: PLC0415 (knows every library that may fail)

        failure = failure_of(error)
        if failure is None:
            raise
        if isinstance(error, OSError):
            # What is left of the answer is not tried once more at the end, with another error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        for line in failure.lines:
            say_wrong(line)
        sys.exit(failure.status)
