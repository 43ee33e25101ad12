"""What partners took, by day: `dateline report`. Beside Redis it asks the record alone."""

from __future__ import annotations

import csv
import sys
from datetime import UTC
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.newsrooms import reports
from worker.cli.newsrooms.zones import zone_of
from worker.cli.terminal import AsJson, Config, Data, Failed, out, print_json
from worker.cli.text_tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLUMNS = ("day", "endpoint", "feed", "action", "pubstatus", "delivered", "articles", "refused", "parked")
_TOTAL = "total"
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV injection)."""


def report(
    partner: Annotated[
        str | None,
        typer.Option(help="The partner: its endpoint, or all whose names begin with this and a hyphen, dot or slash."),
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="This endpoint alone.")] = None,
    begin: Annotated[str, typer.Option("--from", help="The first day; else the first of this month.")] = "",
    end: Annotated[str, typer.Option("--to", help="The last day; else today.")] = "",
    config: Config = None,
    data: Data = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print it as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what partners took, by day, endpoint, feed and action, with totals: what contracts are settled by."""
    if as_csv and as_json:
        raise Failed("say one of --csv and --json", 2)
    if partner is not None and endpoint is not None:
        raise Failed("say one of --partner and --endpoint", 2)
    own_zone = zone_of(config, data)
    now = clock.agreed()
    today = now.astimezone(own_zone or UTC).date()
    first = given_times.day("--from", begin, own_zone, now) if begin else today.replace(day=1)
    last = given_times.day("--to", end, own_zone, now) if end else today
    if first > last:
        raise Failed(f"--from: {first} is after --to, which is {last}", 2)
    deliveries = reports.report(config, data, partner, endpoint, first, last)
    if as_json:
        print_json(deliveries)
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(_COLUMNS)
        writer.writerows([[_cell(cell) for cell in row] for row in _rows(deliveries)])
        # Here one can still say that there is no room for it.
        sys.stdout.flush()
    else:
        _show(deliveries)


def _rows(deliveries: dict[str, Any]) -> Iterator[list[str]]:
    """The rows by day, then the totals."""
    for row in chain(deliveries["days"], deliveries["feeds"], deliveries["endpoints"]):
        names = (row["endpoint"], row["feed"], row["action"], row["pubstatus"])
        yield [row["day"] or _TOTAL, *(name or "" for name in names), *_numbers(row)]
    if deliveries["days"]:
        yield [_TOTAL, "", "", "", "", *_numbers(deliveries["total"])]


def _numbers(row: dict[str, Any]) -> list[str]:
    return [str(row[name]) for name in ("delivered", "articles", "refused", "parked")]


def _show(deliveries: dict[str, Any]) -> None:
    table = Table(*(name.capitalize() for name in _COLUMNS), details=("Pubstatus", "Parked", "Refused", "Articles"))
    for row in _rows(deliveries):
        table.add_row(*row)
    table.show(out, f"Nothing was delivered from {deliveries['from']} to {deliveries['to']}.")
    if deliveries["days"]:
        out.print(
            f"Days are those of {deliveries['timezone']}. A version counts once for each endpoint, feed and action."
        )


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
