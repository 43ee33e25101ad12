"""API keys: create, list, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.management import at_the_shell, management
from worker.cli.terminal import AsJson, Config, Data, note, out, print_json, say, settings_of, utc
from worker.cli.text_tables import Table
from worker.management.callers import Bounds

if TYPE_CHECKING:
    from worker.management.copies import Key

app = typer.Typer(
    name="key", no_args_is_help=True, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.callback()
def _key() -> None:
    """API keys: who may use the API, and for what."""


@app.command(epilog="Example: dateline key create cms --scope events:write --scope events:read --expires 365d")
def create(
    name: Annotated[str, typer.Argument(help="Whose it is; the audit has it. Two valid keys may have one name.")],
    scope: Annotated[list[str] | None, typer.Option(help="What it may do; several are possible.")] = None,
    feed: Annotated[list[str] | None, typer.Option(help="It is for this feed only.")] = None,
    partner: Annotated[list[str] | None, typer.Option(help="It is for this partner only.")] = None,
    adapter: Annotated[list[str] | None, typer.Option(help="It is for this adapter only.")] = None,
    expires: Annotated[str, typer.Option(help="When it ends: 90d, a day or a time. Default: never.")] = "",
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Create a key. It is printed this once, on standard output alone."""
    with management(config, data) as newsroom:
        end = None
        if expires:
            zone = settings_of(config, data).site.zone
            end = clock.ms(given_times.deadline("--expires", expires, zone, clock.agreed()))
        bounds = Bounds(feeds=_bound(feed), partners=_bound(partner), adapters=_bound(adapter))
        created = newsroom.keys.create(at_the_shell(), name, scope or [], bounds, end)
    if as_json:
        print_json({**created.key.described(), "key": created.token})
        return
    out.print(created.token, soft_wrap=True)
    note(f"this is the key {name} ({created.key.id}); it is not shown again")


@app.command("list", epilog="Example: dateline key list --json")
def list_keys(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """List all keys, also those that can't be used any longer."""
    with management(config, data) as newsroom:
        keys = newsroom.keys.list(at_the_shell())
        now = clock.ms(clock.agreed())
    if as_json:
        print_json({"keys": [key.described() for key in keys]})
        return
    table = Table(
        *("Name", "Id", "State", "Scopes", "Only for", "Created (UTC)", "By", "Expires (UTC)", "Last used (UTC)"),
        details=("By", "Created (UTC)", "Only for", "Scopes"),
    )
    for key in keys:
        table.add_row(
            *(key.name, key.id, _state(key, now), " ".join(key.scopes), _only_for(key.bounds)),
            *(utc(key.created), key.created_by, utc(key.expires or 0), utc(key.last_used or 0)),
        )
    table.show(out, "There are no keys; make one with `dateline key create`.")


@app.command(epilog="Example: dateline key revoke q7w2m4xk")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key, as `dateline key list` shows it.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Revoke a key: within a second it is refused on every machine."""
    with management(config, data) as newsroom:
        key = newsroom.keys.revoke(at_the_shell(), key_id)
    say(f"The key {key.name} ({key.id}) is revoked.")


def _bound(names: list[str] | None) -> tuple[str, ...] | None:
    return tuple(names) if names else None


def _state(key: Key, now: int) -> str:
    if key.revoked is not None:
        return "revoked"
    return "valid" if key.is_valid(now) else "expired"


def _only_for(bounds: Bounds) -> str:
    return ", ".join(f"{noun.removesuffix('s')} {name}" for noun, names in bounds for name in names or ())
