"""The attempts at an endpoint: what was sent there and answered, and how long each part of it took."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from feeds.counted import counted
from worker.cli.newsrooms.endpoints import endpoints
from worker.cli.terminal import AsJson, Config, Data, note, out, print_json, say, shown
from worker.cli.text_tables import Table

_PHASES = {"name": "name", "connect": "connect", "tls": "TLS", "first_byte": "first byte"}


def attempts(
    name: Annotated[str, typer.Argument(help="The endpoint's name.")],
    attempt: Annotated[
        str, typer.Argument(help="One of them by its id: with its headers and what was sent. Without it the list.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at the most.")] = 20,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show what was sent to an endpoint and what it answered, the newest first; or one of these in full."""
    there = endpoints(config, data)
    if attempt:
        row = there.attempt(name, attempt)
        if as_json:
            print_json(row)
        else:
            _show(row)
        return
    rows = there.attempts(name, limit)
    if as_json:
        print_json({"attempts": rows})
        return
    table = Table(
        *("When (UTC)", "Article", "Headline", "Version", "What", "Outcome", "ms", "First byte", "Answer", "Id"),
        details=("Id", "First byte", "Headline"),
    )
    for row in rows:
        first_byte = f"{row['phases']['first_byte']:.1f}" if row["phases"] else ""
        table.add_row(
            shown(row["time"]),
            row["article"] or "",
            row["headline"] or "",
            str(row["version"] or ""),
            row["action"],
            row["outcome"],
            str(row["milliseconds"]),
            first_byte,
            row["error"] or str(row["status"] or ""),
            row["id"],
        )
    table.show(out, f"Nothing was sent to {name} yet.")


def _show(row: dict[str, Any]) -> None:
    """One attempt, as a person reads it: the request, the answer, the times."""
    article = f"version {row['version']} of {row['article']}" if row["article"] else "a feed"
    say(f"{shown(row['time'])} UTC: {article}, {row['action']}: {row['outcome']}")
    if row["phases"]:
        parts = ", ".join(f"{word} {row['phases'][name]:.1f}" for name, word in _PHASES.items())
        say(f"  {row['milliseconds']} ms in all; {parts}")
    for line in row["request_headers"]:
        say(f"  {line}")
    say(f"Answer: {row['status'] or 'none'}" + (f", {row['error']}" if row["error"] else ""))
    for line in (row["answer"] or "").splitlines():
        say(f"  {line}")
    if row["document"] is None:
        note(f"what was sent can't be shown: {row['no_document']}")
        return
    say(f"Sent, {counted(row['bytes'], 'byte', 'bytes')}:")
    for line in row["document"].splitlines():
        say(line)
