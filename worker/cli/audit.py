"""The audit: who has changed what, and whether it is whole."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from feeds.counted import counted
from worker import clock
from worker.cli import given_times
from worker.cli.newsrooms import audit
from worker.cli.newsrooms.zones import zone_of
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, say, shown
from worker.cli.text_tables import Table

app = typer.Typer(
    name="audit",
    invoke_without_command=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(epilog="Example: dateline audit --since 7d --who key:cms --what endpoint")
def show(
    context: typer.Context,
    since: Annotated[str, typer.Option(help="Only since then: a day, a time, or 7d.")] = "",
    actor: Annotated[str, typer.Option("--who", help="Only by these: key:cms, user:mira, or all keys: key.")] = "",
    action: Annotated[str, typer.Option("--what", help="Only this: endpoint.changed, or all of them: endpoint.")] = "",
    target: Annotated[str, typer.Option("--on", help="Only on this: a name or an id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 50,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show what people and keys have changed, the newest first."""
    if context.invoked_subcommand is not None:
        return
    first = given_times.moment("--since", since, zone_of(config, data), clock.agreed()) if since else None
    criteria = {"actor": actor, "action": action, "target": target}
    entries = audit.entries(config, data, first, criteria, limit)
    if as_json:
        print_json({"entries": entries})
        return
    table = Table(
        *("Number", "Time (UTC)", "Who", "What", "On", "From", "Old", "New"), details=("From", "Old", "New", "Number")
    )
    for entry in entries:
        table.add_row(
            *(str(entry["number"]), shown(entry["time"]), entry["actor"], entry["action"], entry["target"]),
            *(entry["address"] or "", _written(entry["old"]), _written(entry["new"])),
        )
    table.show(out, "There are no such entries.")
    if len(entries) == limit:
        note(f"these are the newest {limit}; --limit shows more")


@app.command(epilog="Example: dateline audit verify")
def verify(config: Config = None, data: Data = None, as_json: AsJson = False) -> None:
    """See that every entry is as it was noted, and none is missing."""
    verdict = audit.verdict(config, data)
    faults, entries = verdict["faults"], counted(verdict["entries"], "entry", "entries")
    if as_json:
        print_json(verdict)
    else:
        for fault in faults:
            say(fault)
    if faults:
        raise Failed(f"the audit is not as it was noted: {counted(len(faults), 'fault', 'faults')} in {entries}")
    if not as_json:
        say(f"The audit is whole: {entries}.")


def _written(value: Any) -> str:
    """A value as it is noted: JSON; "" for none."""
    return "" if value is None else json.dumps(value, sort_keys=True)
