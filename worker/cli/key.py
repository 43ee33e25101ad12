"""API keys: create, list, revoke."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.newsrooms.keys import keys
from worker.cli.newsrooms.zones import zone_of
from worker.cli.terminal import AsJson, Config, Data, note, out, print_json, say, shown
from worker.cli.text_tables import Table

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
    end = given_times.deadline("--expires", expires, zone_of(config, data), clock.agreed()) if expires else None
    bounds = {"feeds": feed or None, "partners": partner or None, "adapters": adapter or None}
    created = keys(config, data).create(name, scope or [], bounds, end)
    if as_json:
        print_json(created)
        return
    out.print(created["key"], soft_wrap=True)
    note(f"this is the key {name} ({created['id']}); it is not shown again")


@app.command("list", epilog="Example: dateline key list --json")
def list_keys(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """List all keys, also those that can't be used any longer."""
    rows = keys(config, data).rows()
    if as_json:
        print_json({"keys": rows})
        return
    table = Table(
        *("Name", "Id", "State", "Scopes", "Only for", "Created (UTC)", "By", "Expires (UTC)", "Last used (UTC)"),
        details=("By", "Created (UTC)", "Only for", "Scopes"),
    )
    now = clock.agreed().isoformat()
    for row in rows:
        table.add_row(
            *(row["name"], row["id"], _state(row, now), " ".join(row["scopes"]), _only_for(row["bounds"])),
            *(
                shown(row["created"]),
                row["created_by"],
                *(shown(row[of]) or "never" for of in ("expires", "last_used")),
            ),
        )
    table.show(out, "There are no keys; make one with `dateline key create`.")


@app.command(epilog="Example: dateline key revoke q7w2m4xk")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the key, as `dateline key list` shows it.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Revoke a key: within a second it is refused on every machine."""
    row = keys(config, data).revoke(key_id)
    say(f"The key {row['name']} ({row['id']}) is revoked.")


def _state(row: dict[str, Any], now: str) -> str:
    """What can be done with a key; both times are in UTC, so they compare as they are written."""
    if row["revoked"] is not None:
        return "revoked"
    return "expired" if row["expires"] is not None and row["expires"][:19] <= now[:19] else "valid"


def _only_for(bounds: dict[str, list[str] | None]) -> str:
    return ", ".join(f"{noun.removesuffix('s')} {name}" for noun, names in bounds.items() for name in names or ())
