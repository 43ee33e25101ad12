"""The commands of the record: its schema, what it holds, its backups."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.terminal import AsJson, Config, Data, out, print_json, say, settings_of
from worker.cli.text_tables import Table
from worker.record.backups import back_up, restore
from worker.record.overview import overview
from worker.record.schema import SCHEMA
from worker.runtime.record_in_use import record_of

app = typer.Typer(
    name="record", no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.callback()
def _record() -> None:
    """The record: the database of what has happened."""


@app.command(epilog="Example: dateline record upgrade")
def upgrade(config: Config = None, data: Data = None) -> None:
    """Make the record, or bring it to the schema of this release. Doing it again changes nothing."""
    with closing(record_of(settings_of(config, data))) as record:
        before = record.schema()
        record.upgrade()
        came = "" if before == SCHEMA else f", from {before}" if before else ", made just now"
        say(f"The record {record.address} has schema {SCHEMA}{came}.")


@app.command(epilog="Example: dateline record status --json")
def status(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show where the record is, which schema it has, how large it is and what it holds."""
    with closing(record_of(settings_of(config, data))) as record:
        record.see_that_it_fits()
        contents = overview(record)
        if as_json:
            print_json({"record": record.address, "schema": SCHEMA, **asdict(contents)})
            return
        say(f"The record {record.address}: schema {SCHEMA}, {contents.size / 1e6:,.1f} MB, epoch {contents.epoch}")
        table = Table("Table", "Rows")
        for name, count in contents.rows.items():
            table.add_row(name, f"{count:,}")
        table.show(out, "It has no tables.")


@app.command(epilog="Example: dateline record backup /backups/record-2026-03-01")
def backup(
    file: Annotated[Path, typer.Argument(help="The new file.")], config: Config = None, data: Data = None
) -> None:
    """Copy the record as it is at this moment into a file, while everything runs."""
    with closing(record_of(settings_of(config, data))) as record:
        back_up(record, file)
        say(f"{file} holds the record {record.address}: {file.stat().st_size / 1e6:,.1f} MB.")


@app.command("restore", epilog="Example: dateline record restore /backups/record-2026-03-01 --replace")
def put_back(
    file: Annotated[Path, typer.Argument(help="What `dateline record backup` wrote.")],
    config: Config = None,
    data: Data = None,
    replace: Annotated[bool, typer.Option("--replace", help="What the record holds now is lost.")] = False,
) -> None:
    """Make the record what a backup holds. Stop Dateline first."""
    with closing(record_of(settings_of(config, data))) as record:
        restore(record, file, replace=replace)
        say(f"The record {record.address} is as in {file}.")
        record.see_that_it_fits()
