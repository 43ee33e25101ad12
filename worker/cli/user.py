"""The people who may sign in: add, list, remove, set a password."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from worker.cli.newsrooms.people import people
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, say, shown
from worker.cli.text_tables import Table

app = typer.Typer(
    name="user", no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)
Name = Annotated[str, typer.Argument(help="By which they sign in.")]


@app.callback()
def _user() -> None:
    """The people who may sign in, each with a role: viewer, desk, operator or admin."""


@app.command(epilog="Example: dateline user add mira --role desk")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="What they may do: viewer, desk, operator or admin.")],
    subject: Annotated[
        str, typer.Option(help="Who they are to the OpenID provider: its issuer, a space, their subject.")
    ] = "",
    config: Config = None,
    data: Data = None,
) -> None:
    """Let somebody sign in. The password is asked for, or read from standard input; with --subject there is none."""
    there = people(config, data)
    there.add(name, role, None if subject else _password(), subject or None)
    say(f"{name} may sign in as {role}.")


@app.command("list", epilog="Example: dateline user list --json")
def list_people(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """List the people who may sign in."""
    rows = people(config, data).rows()
    if as_json:
        print_json({"people": rows})
        return
    table = Table("Name", "Role", "Signs in by", "Added (UTC)")
    for row in rows:
        table.add_row(row["name"], row["role"], row["subject"] or "password", shown(row["created"]))
    table.show(out, "Nobody may sign in; add somebody with `dateline user add`.")


@app.command(epilog="Example: dateline user remove mira")
def remove(name: Name, config: Config = None, data: Data = None) -> None:
    """Let somebody sign in no longer; their sessions end."""
    people(config, data).remove(name)
    say(f"{name} may sign in no longer.")


@app.command(epilog="Example: dateline user password mira")
def password(name: Name, config: Config = None, data: Data = None) -> None:
    """Give somebody another password; their sessions end. It is asked for, or read from standard input."""
    there = people(config, data)
    there.set_password(name, _password())
    say(f"{name} has another password.")


@app.command(epilog="Example: dateline user link mira")
def link(name: Name, config: Config = None, data: Data = None) -> None:
    """Print a link that signs somebody in at the desk. It works once, for a quarter of an hour."""
    say(people(config, data).link(name))


def _password() -> str:
    """A password that is given where nobody else reads it: never as an argument, which others may see."""
    if not sys.stdin.isatty():
        words = sys.stdin.readline().rstrip("\r\n")
        if not words:
            raise Failed("password: there is none on standard input", 2)
        return words
    note("it is not shown while you type it")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
