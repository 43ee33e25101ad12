"""The commands. Every failure is one clear line; status 2 for wrong use, 1 for failure.

One file for each group of commands; the table below names them all, in the order of the help. A command is imported
when it is called, so that one that asks the record does not wait for Celery, and a mistyped one for nothing.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from worker.cli.terminal import Failed, say_wrong


class Command(NamedTuple):
    """A command as the help lists it: name, module and function, first line of its help, example."""

    name: str
    place: str
    summary: str
    example: str = ""


COMMANDS = (
    Command(
        "up",
        "processes:up",
        "Run everything: Redis (if none is configured), workers, web server. Ctrl-C ends it.",
        "dateline up --config dateline.toml --workers 2",
    ),
    Command(
        "worker",
        "processes:worker",
        "Run one worker process on the configured Redis. SIGTERM ends it gracefully, SIGHUP reads the settings again.",
        "dateline worker --name worker-1",
    ),
    Command(
        "web",
        "processes:web",
        "Run the web server on the configured Redis. SIGTERM ends it gracefully, SIGHUP reads the settings again.",
        "dateline web --config dateline.toml",
    ),
    Command(
        "demo",
        "processes:demo",
        "Show the whole way in under a minute: publish, correct and kill articles, and watch receivers get them.",
        "dateline demo",
    ),
    Command(
        "publish",
        "publish:publish",
        "Publish articles. A bare article becomes an event of its own; "
        "pages, text and other systems' JSON are adapted.",
        "dateline publish article.json   or: dateline publish --dry-run https://herald.example/a",
    ),
    Command(
        "kill",
        "desk:kill",
        "Kill an article: it leaves every feed, and every receiver hears of it. Only `article.reinstated` undoes it.",
        "dateline kill hh-2026-0301",
    ),
    Command(
        "hold",
        "desk:hold",
        "Withhold an article: it leaves its feeds, and endpoints hear of it, until it is released.",
        "dateline hold hh-2026-0301",
    ),
    Command(
        "release",
        "desk:release",
        "Release an article that was withheld: it is back in its feeds.",
        "dateline release hh-2026-0301",
    ),
    Command(
        "repeat",
        "desk:repeat",
        "Have an article sent again, unchanged, to the endpoints that get single articles.",
        "dateline repeat hh-2026-0301",
    ),
    Command(
        "embargo",
        "desk:embargo",
        "Correct until when an article is under embargo, or lift the embargo.",
        "dateline embargo hh-2026-0301 --until 2026-03-01T11:00:00Z   or: dateline embargo hh-2026-0301 --lift",
    ),
    Command(
        "forget",
        "forget:forget",
        "Erase the text of all revisions of a killed article. Who had which version when stays.",
        "dateline forget hh-2026-0301",
    ),
    Command(
        "rebuild",
        "rebuild:rebuild",
        "Bring Redis up to date from the record. Workers do so by themselves when Redis has lost something.",
        "dateline rebuild --dry-run",
    ),
    Command(
        "feeds",
        "listings:list_feeds",
        "List the feeds; or push what a new definition has taken in, or withdraw what it has left out.",
        "dateline feeds   or: dateline feeds --push world --dry-run",
    ),
    Command(
        "readers",
        "readers:readers",
        "Show how many subscribers the services that read a feed for many people tell of, by day (UTC).",
        "dateline readers world --days 7",
    ),
    Command(
        "articles",
        "articles:list_articles",
        "List articles, the newest first.",
        "dateline articles --search 'tram* \"night service\"' --since 2026-03-01",
    ),
    Command(
        "history",
        "history:history",
        "Show every revision of an article: when it came, by which event, and what it changed.",
        "dateline history hh-2026-0301",
    ),
    Command(
        "receipt",
        "receipt:receipt",
        "Show what became of an event: accepted, carried out, with which result, and who has it.",
        "dateline receipt evt-20260301-17",
    ),
    Command(
        "coverage",
        "coverage:coverage",
        "Show who has which version of an article since when, who is behind, and why.",
        "dateline coverage hh-2026-0301",
    ),
    Command(
        "report",
        "report:report",
        "Show what partners took, by day, endpoint, feed and action, with totals: what contracts are settled by.",
        "dateline report --partner city-portal --from 2026-03-01 --to 2026-03-31 --csv",
    ),
    Command(
        "list",
        "desk:arrange_list",
        "Arrange a curated list anew; without articles, show it; without a name, show which there are.",
        "dateline list picks hh-2026-0301 hh-2026-0299",
    ),
    Command(
        "replay",
        "replay:replay",
        "Send articles to an endpoint again, as they are now, marked by the header Dateline-Replay.",
        "dateline replay --endpoint partner-one --since 2026-03-01T00:00:00Z --dry-run",
    ),
    Command(
        "subscriptions",
        "listings:list_subscriptions",
        "List the WebSub subscriptions and how they stand.",
        "dateline subscriptions --feed en",
    ),
    Command(
        "validate",
        "validate:validate",
        "Check documents of any format by its standard, feeds of ours by our stricter rules as well.",
        "dateline validate article.json   or: dateline validate en --format atom",
    ),
    Command(
        "alarms",
        "alarms:alarms",
        "Show the alarms that stand and the channels that they are sent to; acknowledge or snooze some.",
        "dateline alarms --acknowledge endpoint_failing",
    ),
    Command(
        "doctor",
        "doctor:doctor",
        "Look at every part of the newsroom: what is wrong, and what to do. Status 1: something does not work.",
        "dateline doctor",
    ),
    Command(
        "render",
        "render:render",
        "Print a feed as it is served or an article as it is pushed: those bytes alone. Notes go to standard error.",
        "dateline render en --format atom   or: dateline render hh-2026-0301 --endpoint partner-one",
    ),
)
GROUPS = (
    Command(
        "endpoints",
        "endpoints:app",
        "List the partner endpoints and how they do; pause, resume or retry one; or manage those of the record.",
    ),
    Command("record", "record:app", "The record: the database of what has happened."),
    Command(
        "partner", "partner:app", "Partners: the contracted parties, with what their endpoints may have of an article."
    ),
    Command("formats", "formats:app", "The newsroom's own formats, beside those of the settings file."),
    Command("key", "key:app", "API keys: who may use the API, and for what."),
    Command("user", "user:app", "The people who may sign in, each with a role: viewer, desk, operator or admin."),
    Command("management", "sealing:app", "The key that seals the secrets of endpoints that are kept in the record."),
    Command("audit", "audit:app", "Show what people and keys have changed, the newest first."),
)
"""Groups of commands, each with an example of its own."""


def _show_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        typer.echo(f"Dateline {version('dateline')}")
        raise typer.Exit


_SETTINGS: dict[str, Any] = {
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "rich",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


def _load(command: Command) -> Any:
    module, _, attribute = command.place.partition(":")
    loaded = getattr(import_module(f"worker.cli.{module}"), attribute)
    if not isinstance(loaded, typer.Typer):
        single = typer.Typer(add_completion=False, **_SETTINGS)
        single.command(command.name, epilog=f"Example: {command.example}")(loaded)
        loaded = single
    return typer.main.get_command(loaded)


class _Group(TyperGroup):
    """The commands: what lists them gets names and summaries, and only what calls one imports it."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._listed = {command.name: command for command in (*COMMANDS, *GROUPS)}
        self.commands = {name: TyperCommand(name, help=command.summary) for name, command in self._listed.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(self._listed[name]) if name else command, rest


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
        for line in str(error).split("\n"):
            say_wrong(line)
        sys.exit(error.status)
    except Exception as error:
        from worker.cli.failures import failure_of

        failure = failure_of(error)
        if failure is None:
            raise
        if isinstance(error, OSError):
            # What is left of the answer is not tried once more at the end, with another error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        for line in failure.lines:
            say_wrong(line)
        sys.exit(failure.status)
