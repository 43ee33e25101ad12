"""Receipts of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.management import redis_url
from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.newsrooms.records import the_record
from worker.cli.terminal import Failed, printable, settings_of

if TYPE_CHECKING:
    from pathlib import Path


def receipt(config: Path | None, data: Path | None, event: str) -> dict[str, Any]:
    """Return the receipt of an event. Beside Redis it does without Redis too. Raises Failed when there is none."""
    if api := api_of(config, data):
        try:
            answer: dict[str, Any] = api.get("events", event)
        except Refused as error:
            raise _none(event) if error.status_code == 404 else error from None
        return answer
    from worker.takedown import event_receipts

    settings = settings_of(config, data)
    with the_record(settings) as record:
        try:
            redis_url(settings)
        except Failed:
            receipts = event_receipts.recorded_receipts(record, event)
        else:
            from worker.cli.running_newsroom import newsroom

            services = newsroom(config, data)
            receipts = event_receipts.EventReceipts(services.store, record, services.articles, services.publication).of(
                event
            )
    if not receipts:
        raise _none(event)
    return event_receipts.answer(event, receipts)


def _none(event: str) -> Failed:
    return Failed(
        f"no such event: {printable(event)}. One that Redis alone has accepted comes into the record when it is "
        "carried out"
    )
