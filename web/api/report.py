"""What partners took, by day: what contracts are settled by."""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from web.api.access import EndpointsReader
from web.api.parts import Parts
from web.api.problems import invalid
from web.api.visibility import unbound
from worker import clock
from worker.record.delivery_report import NoEndpoint, chosen, delivery_report, known_endpoints

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from web.api.parts import ApiParts
    from worker.management.callers import Caller

router = APIRouter(tags=["endpoints"])

_DAYS_MOST = 400


class ReportCounts(BaseModel):
    """How many versions were taken, of how many articles; how many were refused, and how many are parked since."""

    delivered: int
    articles: int
    refused: int
    parked: int


class ReportRow(BaseModel):
    """What is counted together, and the counts; null: whatever day, feed or action."""

    day: date | None
    endpoint: str
    feed: str | None
    action: str | None
    pubstatus: Literal["usable", "withheld", "canceled"] | None
    delivered: int
    articles: int
    refused: int
    parked: int


class Report(BaseModel):
    """What endpoints took: by day, feed and action; by feed; by endpoint; in all."""

    begin: date = Field(alias="from")
    end: date = Field(alias="to")
    timezone: str
    days: list[ReportRow]
    feeds: list[ReportRow]
    endpoints: list[ReportRow]
    total: ReportCounts


@router.get("/report", summary="What partners took, by day")
def report(
    parts: Parts,
    caller: EndpointsReader,
    partner: Annotated[
        str, Query(max_length=200, description="The endpoint of this name, and those whose names begin with it.")
    ] = "",
    endpoint: Annotated[str, Query(max_length=200, description="This endpoint alone.")] = "",
    begin: Annotated[
        date | None, Query(alias="from", description="The first day; without it the first of this month.")
    ] = None,
    end: Annotated[date | None, Query(alias="to", description="The last day; without it today.")] = None,
) -> Report:
    """Count what endpoints took, on days of the newsroom's time zone; at most 400 of them."""
    zone = parts.settings.site.zone
    today = clock.agreed().astimezone(zone or UTC).date()
    first, last = begin or today.replace(day=1), end or today
    if partner and endpoint:
        raise invalid("partner", "goes not with endpoint")
    if first > last:
        raise invalid("from", f"is after the last day, which is {last}")
    if (last - first).days > _DAYS_MOST or first.year < 1900 or last.year > 9000:
        raise invalid("from", f"at most {_DAYS_MOST} days are counted at a time")
    with parts.record.availability.read() as connection:
        names = _names(parts, caller, connection)
        try:
            endpoints = chosen(names, partner or None, endpoint or None)
        except NoEndpoint as error:
            raise invalid(error.parameter, str(error)) from None
        deliveries = delivery_report(connection, endpoints, first, last, zone or UTC)
    values = {"from": first, "to": last, "timezone": str(zone or "UTC"), **deliveries.as_json()}
    return Report.model_validate(values)


def _names(parts: ApiParts, caller: Caller, connection: Connection) -> list[str]:
    """The endpoints that a caller may see, removed ones too if it may see all."""
    names = parts.endpoints().names(caller)
    return sorted({*names, *known_endpoints(connection)}) if unbound(caller) else names
