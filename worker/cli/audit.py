"""The audit: who has changed what, and whether it is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.management import at_the_shell, management
from worker.cli.terminal import AsJson, Config, Data, Failed, note, out, print_json, say, settings_of, utc
from worker.cli.text_tables import Table
from worker.management.audit_trail import described
from worker.record.audit import Filter

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
    first = 0
    if since:
        first = clock.ms(given_times.moment("--since", since, settings_of(config, data).site.zone, clock.agreed()))
    with management(config, data) as newsroom:
        entries = newsroom.audit.entries(at_the_shell(), Filter(first, actor, action, target), limit)
    if as_json:
        print_json({"entries": [described(entry) for entry in entries]})
        return
    table = Table(
        *("Number", "Time (UTC)", "Who", "What", "On", "From", "Old", "New"), details=("From", "Old", "New", "Number")
    )
    for entry in entries:
        table.add_row(
            *(str(entry.number), utc(entry.time), entry.actor, entry.action, entry.target, entry.address),
            *(entry.old, entry.new),
        )
    table.show(out, "There are no such entries.")
    if len(entries) == limit:
        note(f"these are the newest {limit}; --limit shows more")


@app.command(epilog="Example: dateline audit verify")
def verify(config: Config = None, data: Data = None) -> None:
    """See that every entry is as it was noted, and none is missing."""
    with management(config, data) as newsroom:
        verdict = newsroom.audit.verify(at_the_shell())
    if verdict.faults:
        for fault in verdict.faults:
            say(fault)
        raise Failed(f"the audit is not as it was noted: {len(verdict.faults)} fault(s) in {verdict.entries} entries")
    say(f"The audit is whole: {verdict.entries} entries.")
