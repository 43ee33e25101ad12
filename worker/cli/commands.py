"""The commands. Every failure is one clear line; status 2 for wrong use, 1 for failure.

One file for each group of commands; the table below names them all, in the order of the help.
"""

from __future__ import annotations

import sqlite3
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.settings import SettingsError
from worker.cli import (
    articles,
    coverage,
    desk,
    endpoints,
    forget,
    history,
    listings,
    processes,
    publish,
    rebuild,
    receipt,
    record,
    render,
    report,
    validate,
)
from worker.cli.terminal import Failed, say_wrong
from worker.record import database_errors
from worker.record.availability import RecordAway
from worker.record.backups import BackupFailed
from worker.record.schema import UnfitRecord
from worker.runtime import embedded_redis
from worker.runtime.listen_address import CantListen
from worker.runtime.single_instance import RunsAlready
from worker.runtime.up import UpFailed
from worker.store.redis_errors import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    ("up", processes.up, "dateline up --config dateline.toml --workers 2"),
    ("worker", processes.worker, "dateline worker --name worker-1"),
    ("web", processes.web, "dateline web --config dateline.toml"),
    ("demo", processes.demo, "dateline demo"),
    (
        "publish",
        publish.publish,
        "dateline publish article.json   or: dateline publish --dry-run https://herald.example/a",
    ),
    ("kill", desk.kill, "dateline kill hh-2026-0301"),
    ("forget", forget.forget, "dateline forget hh-2026-0301"),
    ("rebuild", rebuild.rebuild, "dateline rebuild --dry-run"),
    ("feeds", listings.list_feeds, "dateline feeds   or: dateline feeds --push world --dry-run"),
    ("endpoints", endpoints.list_endpoints, "dateline endpoints   or: dateline endpoints --retry partner-one"),
    ("articles", articles.list_articles, "dateline articles --search 'harbour \"night trams\"' --since 7d"),
    ("history", history.history, "dateline history hh-2026-0301"),
    ("receipt", receipt.receipt, "dateline receipt evt-20260301-17"),
    ("coverage", coverage.coverage, "dateline coverage hh-2026-0301"),
    ("report", report.report, "dateline report --partner city-portal --from 2026-03-01 --to 2026-03-31 --csv"),
    ("list", desk.arrange_list, "dateline list picks hh-2026-0301 hh-2026-0299"),
    ("replay", coverage.replay, "dateline replay --endpoint partner-one --since 2026-03-01T00:00:00Z --dry-run"),
    ("subscriptions", listings.list_subscriptions, "dateline subscriptions --feed en"),
    ("validate", validate.validate, "dateline validate article.json   or: dateline validate en --format atom"),
    (
        "render",
        render.render,
        "dateline render en --format atom   or: dateline render hh-2026-0301 --endpoint partner-one",
    ),
)
"""Name, function, example."""


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"Dateline {version('dateline')}")
        raise typer.Exit


app = typer.Typer(
    name="dateline",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    shown: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version, and end.")
    ] = False,
) -> None:
    """Turns a newsroom's article events into feeds and signed pushes."""
    del shown


for _name, _command, _example in COMMANDS:
    app.command(_name, epilog=f"Example: {_example}")(_command)
app.add_typer(record.app, name="record")


def run() -> None:
    """Run the command line."""
    try:
        app()
    except SettingsError as error:
        for wrong in error.errors:
            say_wrong(str(wrong))
        sys.exit(2)
    except Failed as error:
        say_wrong(str(error))
        sys.exit(error.status)
    except (UpFailed, RunsAlready, CantListen, embedded_redis.EmbeddedRedisError, UnfitRecord, BackupFailed) as error:
        say_wrong(str(error))
        sys.exit(1)
    except RecordAway as error:
        say_wrong(str(error))
        sys.exit(1)
    except RedisError as error:
        say_wrong(sentence(error))
        sys.exit(1)
    except (SQLAlchemyError, sqlite3.Error) as error:
        say_wrong(database_errors.sentence(error))
        sys.exit(1)
