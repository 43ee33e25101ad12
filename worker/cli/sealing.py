"""The key that seals the secrets of managed endpoints: make one, and go over to another."""

from __future__ import annotations

import typer

from feeds.counted import counted
from worker.cli.management import at_the_shell, management
from worker.cli.terminal import Config, Data, note, out, say

app = typer.Typer(
    name="management",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _management() -> None:
    """The key that seals the secrets of endpoints that are kept in the record."""


@app.command("new-key", epilog="Example: dateline management new-key > /etc/dateline/secrets/management")
def print_new_key() -> None:
    """Print a new key for management.secret_key. Nothing is changed by it."""
    from worker.management.sealing import new_key

    out.print(new_key(), soft_wrap=True)
    where = "put it into management.secret_key, or the file or variable that this names"
    note(f"{where}; keep a copy, apart from backups of the record")


@app.command(epilog="Example: dateline management rekey")
def rekey(config: Config = None, data: Data = None) -> None:
    """Seal all secrets by the first key of management.secret_key; then the others can be taken out of the settings."""
    with management(config, data) as newsroom:
        count = newsroom.endpoints.rekey(at_the_shell())
    endpoints = counted(count, "endpoint was", "endpoints were")
    say(f"{endpoints} sealed by another key; all are sealed by the first one now.")
