"""What partners took, by day."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from worker.cli.newsrooms.api import api_of
from worker.cli.newsrooms.records import the_record
from worker.cli.terminal import Failed, settings_of

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


def report(
    config: Path | None, data: Path | None, partner: str | None, endpoint: str | None, first: date, last: date
) -> dict[str, Any]:
    """Return what they took from the first day to the last. Raises Failed."""
    if api := api_of(config, data):
        parameters = {"partner": partner, "endpoint": endpoint, "from": first, "to": last}
        answer: dict[str, Any] = api.get("report", **parameters)
        return answer
    from worker.record import management as rows
    from worker.record import tables
    from worker.record.delivery_report import NoEndpoint, chosen, delivery_report, known_endpoints

    settings = settings_of(config, data)
    zone = settings.site.zone
    with the_record(settings) as record, record.read() as connection:
        managed = (row["name"] for row in rows.rows(connection, tables.managed_endpoints))
        names = {*known_endpoints(connection), *managed, *(configured.name for configured in settings.endpoints)}
        try:
            endpoints = chosen(sorted(names), partner, endpoint)
        except NoEndpoint as error:
            raise Failed(f"--{error.parameter}: {error}", 2) from None
        deliveries = delivery_report(connection, endpoints, first, last, zone or UTC)
    return {"from": str(first), "to": str(last), "timezone": str(zone or "UTC"), **deliveries.as_json()}
