"""The receipt for an event: `dateline receipt`. It asks the record alone, and works while Redis is away."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker import clock
from worker.cli.articles import the_record
from worker.cli.terminal import AsJson, Config, Data, Failed, out, print_json, printable, say, settings_of, utc
from worker.cli.text_tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.record.deliveries import Delivery
    from worker.record.events import EventReceipt


def receipt(
    event: Annotated[str, typer.Argument(help="The event's id.")],
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of an event: accepted, carried out, with which result, and who has it."""
    from worker.record import deliveries, events

    with the_record(settings_of(config, data)) as record, record.read() as connection:
        event_receipts = events.receipts(connection, event)
        holders = [
            deliveries.holders(deliveries.of_article(connection, event_receipt.article_id or ""), event_receipt.version)
            for event_receipt in event_receipts
        ]
    if not event_receipts:
        raise Failed(
            f"no such event: {printable(event)}. One that Redis alone has accepted comes into the record when it is "
            "carried out"
        )
    if as_json:
        print_json({"id": event, "receipts": [_as_json(*pair) for pair in zip(event_receipts, holders, strict=True)]})
        return
    for event_receipt, entries in zip(event_receipts, holders, strict=True):
        _print(event_receipt, entries)


def _print(event_receipt: EventReceipt, holders: Sequence[Delivery]) -> None:
    sender = f" from {event_receipt.sender}" if event_receipt.sender else ""
    kind = f" ({event_receipt.kind})" if event_receipt.kind else ""
    say(f"{event_receipt.event_id}{kind}")
    say(f"  accepted     {_moment(event_receipt.accepted)}, by {event_receipt.way}{sender}")
    if event_receipt.done is None:
        waits = "not yet: it waits in Redis" if event_receipt.appended else "not yet: it waits until Redis is there"
        say(f"  carried out  {waits}")
        return
    reason = f": {event_receipt.reason}" if event_receipt.reason else ""
    say(f"  carried out  {_moment(event_receipt.done)}, {event_receipt.result}{reason}")
    if event_receipt.article_id is None or event_receipt.version is None:
        return
    say(f"  made         version {event_receipt.version} of {event_receipt.article_id}")
    table = Table("Feed", "Endpoint", "Has version", "Since (UTC)")
    for entry in holders:
        table.add_row(
            entry.feed, entry.endpoint, f"{entry.version}, {entry.action}", utc(entry.first_taken or entry.sent)
        )
    table.show(out, "  No endpoint has it so far.")
    say(f"Who has not, and why: dateline coverage {shlex.quote(event_receipt.article_id)}")


def _as_json(event_receipt: EventReceipt, holders: Sequence[Delivery]) -> dict[str, Any]:
    fields = asdict(event_receipt)
    for name in ("accepted", "done"):
        fields[name] = None if fields[name] is None else clock.moment(fields[name]).isoformat()
    acceptances = [
        {
            "feed": entry.feed,
            "endpoint": entry.endpoint,
            "version": entry.version,
            "action": entry.action,
            "since": clock.moment(entry.first_taken or entry.sent).isoformat(),
        }
        for entry in holders
    ]
    return fields | {"taken_by": acceptances}


def _moment(ms: int) -> str:
    return f"{utc(ms)} UTC"
