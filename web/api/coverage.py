"""The shape of the coverage of an article, as `worker/takedown/coverage_report.py` makes it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from worker.takedown.coverage_report import SUBSCRIPTIONS, DeliveryStanding

_Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class PageSighting(BaseModel):
    """What was seen on the page of a killed article. `verdict`: gone, there or unproven; null: not looked at yet."""

    url: str | None
    verdict: str | None
    why: str
    looked: _Time | None  # style: ignore (as answers have it)
    looks: int


class ReceiverCoverage(BaseModel):
    """What an endpoint, or all subscriptions of a feed together, have of an article."""

    feed: str
    receiver: str = Field(description=f"The endpoint's name, or {SUBSCRIPTIONS}.")
    count: int = Field(description="For how many receivers it stands.")
    version: int | None
    status: str | None
    since: _Time | None
    standing: DeliveryStanding
    confirmed: bool = Field(description="It has the article as it is now; of a kill: nothing of the text.")
    why: str
    page: PageSighting | None


class KeptOut(BaseModel):
    """A format of feeds that the quality gate keeps the article out of."""

    format: str
    since: _Time
    reasons: list[str]


class Coverage(BaseModel):
    """Who has an article as it is now, and who has not."""

    article: dict[str, Any] = Field(description="The article without its text: id, version, pubstatus, url ...")
    accepted: _Time = Field(description="When its last event was accepted.")
    embargoed: _Time | None
    confirmed: int
    unconfirmed: int
    holding: int = Field(description="How many endpoints were sent its text, and no kill since.")
    subscribers: int = Field(description="How many subscriptions there are to feeds that it is or was in.")
    still_shown: int = Field(description="After a kill: on how many pages the text was still to be read.")
    seconds_to_the_last: float | None = Field(description="From the last event to the last confirmation.")
    receivers: list[ReceiverCoverage]
    more: int = Field(description="How many receivers are left out, because `most` asks for no more.")
    kept_out_of: list[KeptOut]
