"""Alarms: which stand, who takes care of them, whether the channels take them."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import AlarmsReader, AlarmsWriter
from web.api.parts import Parts

router = APIRouter(tags=["alarms"])


class AlarmRow(BaseModel):
    """An alarm that stands."""

    id: str
    rule: str
    title: str
    subject: str = Field(description="What breaks the rule: an endpoint, an article, a worker, a file.")
    detail: str
    raised: datetime
    acknowledged: datetime | None
    by: str | None = Field(description="Who has acknowledged or snoozed it.")
    snoozed_until: datetime | None


class ChannelRow(BaseModel):
    """A channel that alarms are sent to."""

    name: str
    failing_since: datetime | None = Field(description="Since when it takes nothing; null: it does.")
    error: str | None
    last_success: datetime | None


class Standing(BaseModel):
    """The alarms that stand, and the channels. `open`: how many nobody has acknowledged or snoozed."""

    open: int
    items: list[AlarmRow]
    channels: list[ChannelRow]


class Marked(BaseModel):
    """The alarms that were marked, by their subjects."""

    subjects: list[str]


class Snooze(BaseModel):
    """For how long."""

    model_config = ConfigDict(extra="forbid")

    minutes: int = Field(ge=1, le=43_200)


@router.get("/alarms", summary="The alarms that stand")
def alarms(parts: Parts, caller: AlarmsReader) -> Standing:
    """List the alarms that stand, by rule and age, and how their channels do."""
    return Standing.model_validate(parts.alarms.overview(caller))


@router.post("/alarms/{alarm}/acknowledge", summary="Acknowledge alarms")
def acknowledge(alarm: str, parts: Parts, caller: AlarmsWriter) -> Marked:
    """Acknowledge an alarm by its id, or all of a rule by its name: it is not repeated."""
    return Marked(subjects=parts.alarms.acknowledge(caller, alarm))


@router.post("/alarms/{alarm}/snooze", summary="Snooze alarms")
def snooze(alarm: str, parts: Parts, caller: AlarmsWriter, order: Snooze) -> Marked:
    """Let an alarm, or all of a rule, rest for so long. If it stands then, it comes again."""
    return Marked(subjects=parts.alarms.snooze(caller, alarm, order.minutes))
