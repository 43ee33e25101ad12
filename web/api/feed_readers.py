"""Who reads a feed: GET /api/v1/feeds/{feed}/readers, the subscribers that feed readers tell of."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from web.api.access import FeedsReader
from web.api.partner_view import partner_view
from web.api.parts import Parts
from web.api.problems import not_there
from web.api.visibility import sees_any
from worker import clock
from worker.management.callers import Forbidden
from worker.management.scopes import FEEDS_READ
from worker.record.feed_readers import DAYS, days_as_json, readers_of

router = APIRouter(tags=["feeds"])

_DAY_MS = 86_400_000


class ReaderRow(BaseModel):
    """A feed reader, and of the feed's document in a format the most subscribers that it named on a day."""

    reader: str
    format: str
    subscribers: int


class ReaderDay(BaseModel):
    """A day (UTC): what feed readers named on it, and the sum."""

    day: date
    subscribers: int
    readers: list[ReaderRow]


class Readers(BaseModel):
    """Days on which feed readers named a number, the oldest first."""

    feed: str
    days: list[ReaderDay] = Field(description="One without a reader that named a number is left out.")


@router.get("/feeds/{feed:name}/readers", summary="How many subscribers feed readers tell of")
def readers(
    feed: str,
    parts: Parts,
    caller: FeedsReader,
    days: Annotated[int, Query(ge=1, le=DAYS, description="So many days up to today.")] = 30,
) -> Readers:
    """Return what services that read a feed for many people tell of them in their User-Agent. Nobody proves it.

    A key that is bound to partners can't see it.
    """
    definition = parts.publication.feed(feed)
    if definition is None or not sees_any(caller, [feed]):
        raise not_there("feed", feed)
    if partner_view(parts, caller) is not None:
        raise Forbidden(f"{caller.name} is for its partner, and not for who else reads a feed", FEEDS_READ)
    today = clock.ms(clock.agreed()) // _DAY_MS
    with parts.record.availability.read() as connection:
        rows = readers_of(connection, definition.name, today - days + 1)
    return Readers(feed=definition.name, days=[ReaderDay(**row) for row in days_as_json(rows)])
