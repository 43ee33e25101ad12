"""Kills that are not proven yet: GET /api/v1/kills."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from web.api.access import ArticlesReader
from web.api.moments import moment
from web.api.parts import Parts
from web.api.visibility import sees_any
from worker import clock

router = APIRouter(tags=["articles"])


class UnprovenReceiver(BaseModel):
    """A receiver that has not confirmed a kill."""

    feed: str
    receiver: str
    standing: str
    why: str
    page: str | None = Field(description="What was seen on its page: there, unproven, gone; null: nothing.")


class RunningKill(BaseModel):
    """A kill of the last three days that is not proven yet. `receivers`: how many have to confirm it."""

    article: str
    headline: str = Field(description="Empty where the texts of killed articles are not kept.")
    url: str | None = Field(description="The address of its page.")
    edition: str
    published: datetime | None
    feeds: list[str] = Field(description="Whose receivers have to confirm it.")
    accepted: datetime | None
    receivers: int
    confirmed: int
    unproven: list[UnprovenReceiver]


class RunningKills(BaseModel):
    """The kills that are not proven yet, the newest first."""

    items: list[RunningKill]


@router.get("/kills", summary="Kills that are not proven yet")
def kills(parts: Parts, caller: ArticlesReader) -> RunningKills:
    """List the kills of the last three days that some receiver has not confirmed."""
    items = []
    for kill in parts.running_kills.at(clock.ms(clock.agreed())):
        rows = kill.report.rows
        if not sees_any(caller, {row.feed for row in rows}):
            continue
        unproven = [
            UnprovenReceiver(
                feed=row.feed,
                receiver=row.receiver,
                standing=row.standing,
                why=row.reason,
                page=(row.sighting.verdict or None) if row.sighting else None,
            )
            for row in kill.report.unconfirmed
            if sees_any(caller, [row.feed])
        ]
        items.append(
            RunningKill(
                article=kill.article.article_id,
                headline=kill.article.headline,
                url=kill.article.url or None,
                edition=kill.article.edition,
                published=moment(kill.article.published),
                feeds=sorted(feed for feed in {row.feed for row in rows} if sees_any(caller, [feed])),
                accepted=moment(kill.report.accepted),
                receivers=len(rows),
                confirmed=len(rows) - len(kill.report.unconfirmed),
                unproven=unproven,
            )
        )
    return RunningKills(items=items)
