"""The newsroom's own formats that are kept in the record: list, show, create, change, remove."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.cli.newsrooms.formats import formats
from worker.cli.terminal import AsJson, Config, Data, Failed, out, print_json, say, shown
from worker.cli.text_tables import Table

app = typer.Typer(
    name="formats", no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)

Name = Annotated[str, typer.Argument(help="The format's name, as endpoints have it.")]
Definition = Annotated[
    Path, typer.Argument(help="A file of TOML with what stands in a table of [[formats]]: media_type, template ...")
]


@app.callback()
def _formats() -> None:
    """The newsroom's own formats, beside those of the settings file."""


@app.command("list", epilog="Example: dateline formats list --json")
def list_formats(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the formats that are kept in the record; those of the settings file are not among them."""
    rows = formats(config, data).rows()
    if as_json:
        print_json({"formats": rows})
        return
    table = Table("Name", "Of", "Media type", "Created (UTC)", details=("Created (UTC)",))
    for row in rows:
        settings = row["settings"]
        table.add_row(row["name"], settings.get("of", "article"), settings["media_type"], shown(row["created"]))
    table.show(out, "There are no formats in the record; make one with `dateline formats create`.")


@app.command(epilog="Example: dateline formats show tidewire")
def show(name: Name, config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show all that is kept of a format."""
    row, _ = formats(config, data).get(name)
    _show(row, as_json=as_json)


@app.command(epilog="Example: dateline formats create tidewire tidewire.toml")
def create(
    name: Name, definition: Definition, config: Config = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Create a format; within a second every process of the newsroom has it."""
    _show(formats(config, data).create(name, _read(definition)), as_json=as_json)


@app.command(epilog="Example: dateline formats change tidewire tidewire.toml")
def change(
    name: Name, definition: Definition, config: Config = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Define a format anew; what is sent or served a second later is made by it."""
    there = formats(config, data)
    _, revision = there.get(name)
    _show(there.change(name, _read(definition), revision), as_json=as_json)


@app.command(epilog="Example: dateline formats remove tidewire")
def remove(name: Name, config: Config = None, data: Data = None) -> None:
    """Remove a format that no endpoint has."""
    formats(config, data).remove(name)
    say(f"The format {name} is removed.")


def _read(file: Path) -> dict[str, Any]:
    """Return the settings in a file, with the schema that it names. Raises Failed."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        if tables := values.pop("formats", None):
            if values or not isinstance(tables, list) or len(tables) != 1:
                raise Failed(f"{file}: must have one table [[formats]] and nothing beside it", 2)
            values = dict(tables[0])
        if isinstance(rules := values.pop("rules_file", None), str):
            values["rules"] = (file.parent / rules).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Failed(f"{file}: can't be read: {reason}", 2) from None
    return values


def _show(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    say(f"{row['name']}  {row['settings']['media_type']}")
    for key, value in row["settings"].items():
        lines = str(value).splitlines() or [""]
        say(f"  {key:<11} {lines[0]}")
        for line in lines[1:]:
            say(f"  {'':<11} {line}")
