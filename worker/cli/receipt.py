"""The receipt for an event: `dateline receipt`. Beside Redis it works while Redis is away, too."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from worker.cli.newsrooms import receipts
from worker.cli.terminal import AsJson, Config, Data, out, print_json, say, shown
from worker.cli.text_tables import Table


def receipt(
    event: Annotated[str, typer.Argument(help="The event's id.")],
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of an event: accepted, carried out, with which result, and who has it."""
    answer = receipts.receipt(config, data, event)
    if as_json:
        print_json(answer)
        return
    for row in answer["events"]:
        _print(row)


def _print(row: dict[str, Any]) -> None:
    sender = f" from {row['sender']}" if row["sender"] else ""
    kind = f" ({row['kind']})" if row["kind"] else ""
    say(f"{row['event']}{kind}")
    say(f"  accepted     {shown(row['accepted'])} UTC, by {row['way']}{sender}")
    if row["carried_out"] is None:
        say(f"  carried out  not yet: it waits {'in Redis' if row['in_redis'] else 'until Redis is there'}")
        return
    reason = f": {row['reason']}" if row["reason"] else ""
    say(f"  carried out  {shown(row['carried_out'])} UTC, {row['result']}{reason}")
    if row["article"] is None or row["version"] is None:
        return
    say(f"  made         version {row['version']} of {row['article']}")
    if row["held_until"]:
        say(f"  embargoed    until {shown(row['held_until'])} UTC")
    table = Table("Feed", "Receiver", "Standing", "Has version", "Since (UTC)", "Why", details=("Why",))
    for receiver in row["receivers"]:
        version = str(receiver["version"] or "")
        why = "; ".join(filter(None, (receiver["reason"], _page(receiver["page"]))))
        table.add_row(
            *(receiver["feed"], receiver["receiver"], receiver["standing"], version, shown(receiver["since"]), why)
        )
    table.show(out, "  No endpoint has it so far.")
    say(_sum(row))
    say(f"Who has not, and why: dateline coverage {shlex.quote(row['article'])}")


def _page(verdict: str | None) -> str:
    return f"its page: {verdict}" if verdict else ""


def _sum(row: dict[str, Any]) -> str:
    """Whether all is done, in a sentence."""
    if row["done"] is None:
        return "Whether all is done can't be said while Redis is away."
    if row["proven"] is not None:
        return "All have confirmed the kill." if row["proven"] else "Not all have confirmed the kill."
    return "All is done." if row["done"] else "It is still being sent."
