"""What partners took, by day: `dateline report`. It asks the record alone, and works without Redis."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, date
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker import clock
from worker.cli import given_times
from worker.cli.articles import the_record
from worker.cli.terminal import AsJson, Config, Data, Failed, out, print_json, settings_of
from worker.cli.text_tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from worker.record.delivery_report import Counts, DeliveryReport, Group

_STATUSES = {"published": "usable", "corrected": "usable", "killed": "canceled", "withdrawn": "withheld"}
"""The pubstatus that each action brings."""
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
    from worker.record import management as rows
    from worker.record import tables
    from worker.record.delivery_report import delivery_report, known_endpoints

    if as_csv and as_json:
        raise Failed("say one of --csv and --json", 2)
    if partner is not None and endpoint is not None:
        raise Failed("say one of --partner and --endpoint", 2)
    settings = settings_of(config, data)
    zone = settings.site.zone or UTC
    now = clock.agreed()
    today = now.astimezone(zone).date()
    first = given_times.day("--from", begin, settings.site.zone, now) if begin else today.replace(day=1)
    last = given_times.day("--to", end, settings.site.zone, now) if end else today
    if first > last:
        raise Failed(f"--from: {first} is after --to, which is {last}", 2)
    with the_record(settings) as record, record.read() as connection:
        managed = (row["name"] for row in rows.rows(connection, tables.managed_endpoints))
        names = {*known_endpoints(connection), *managed, *(configured.name for configured in settings.endpoints)}
        chosen = _chosen(sorted(names), partner, endpoint)
        deliveries = delivery_report(connection, chosen, first, last, zone)
    if as_json:
        print_json(
            {
                "from": str(first),
                "to": str(last),
                "timezone": str(settings.site.zone or "UTC"),
                "days": [_named(group, counts) for group, counts in deliveries.days.items()],
                "feeds": [_named(group, counts) for group, counts in deliveries.by_feed.items()],
                "endpoints": [_named(group, counts) for group, counts in deliveries.by_endpoint.items()],
                "total": _counts(deliveries.total),
            }
        )
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(_COLUMNS)
        writer.writerows([[_cell(cell) for cell in row] for row in _rows(deliveries)])
        # Here one can still say that there is no room for it.
        sys.stdout.flush()
    else:
        _show(deliveries, first, last, str(settings.site.zone or "UTC"))


def _chosen(names: Sequence[str], partner: str | None, endpoint: str | None) -> list[str]:
    """The endpoints that are meant. Raises Failed when there are none."""
    if endpoint is not None:
        chosen = [name for name in names if name == endpoint]
    elif partner is not None:
        chosen = [name for name in names if name == partner or name.startswith(tuple(partner + sign for sign in "-./"))]
    else:
        return list(names)
    if not chosen:
        option = (
            f'--partner: nobody is called "{partner}"'
            if endpoint is None
            else f'--endpoint: there is no endpoint "{endpoint}"'
        )
        raise Failed(f"{option}; endpoints: {', '.join(names) or 'none'}", 2)
    return chosen


def _rows(deliveries: DeliveryReport) -> Iterable[list[str]]:
    """The rows by day, then the totals."""
    for group, counts in chain(deliveries.days.items(), deliveries.by_feed.items(), deliveries.by_endpoint.items()):
        yield [str(group.day or _TOTAL), *group[1:], _STATUSES.get(group.action, ""), *_numbers(counts)]
    if deliveries.days:
        yield [_TOTAL, "", "", "", "", *_numbers(deliveries.total)]


def _numbers(counts: Counts) -> list[str]:
    return [str(number) for number in (counts.delivered, counts.articles, counts.refused, counts.parked)]


def _show(deliveries: DeliveryReport, first: date, last: date, zone: str) -> None:
    table = Table(*(name.capitalize() for name in _COLUMNS), details=("Pubstatus", "Parked", "Refused", "Articles"))
    for row in _rows(deliveries):
        table.add_row(*row)
    table.show(out, f"Nothing was delivered from {first} to {last}.")
    if deliveries.days:
        out.print(f"Days are those of {zone}. A version counts once for each endpoint, feed and action.")


def _named(group: Group, counts: Counts) -> dict[str, Any]:
    names = {"day": str(group.day) if group.day else None, "endpoint": group.endpoint, "feed": group.feed or None}
    if group.day:
        names |= {"action": group.action, "pubstatus": _STATUSES.get(group.action)}
    return {name: value for name, value in names.items() if value is not None} | _counts(counts)


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "delivered": counts.delivered,
        "articles": counts.articles,
        "refused": counts.refused,
        "parked": counts.parked,
    }


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
