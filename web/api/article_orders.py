"""What is ordered of an article: kill, hold, release, repeat, correct the embargo."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import ArticlesKiller, ArticlesWriter
from web.api.orders import ArticleOrder, ordered
from web.api.parts import Parts
from web.api.problems import invalid

router = APIRouter(tags=["articles"])


class KillTerms(BaseModel):
    """How an article is killed."""

    model_config = ConfigDict(extra="forbid")

    unknown_too: bool = Field(default=False, description="Also one that is not known: if it comes, it is refused.")


_KNOWN_ALONE = KillTerms()


class Embargo(BaseModel):
    """Until when readers do not see an article; null: it is not under embargo."""

    model_config = ConfigDict(extra="forbid")

    until: datetime | None


@router.post("/articles/{article:name}/kill", status_code=202, summary="Kill an article")
def kill(
    article: str,
    response: Response,
    parts: Parts,
    caller: ArticlesKiller,
    terms: Annotated[KillTerms, Body()] = _KNOWN_ALONE,
) -> ArticleOrder:
    """Kill an article: it leaves every feed, and every receiver hears of it. Only `article.reinstated` undoes it.

    No limit holds this up, and neither the record nor Redis has to be there: one of the two will do.
    """
    article_id = parts.orders.id_of(article)
    return ordered(response, parts.orders.kill(caller, article_id, unknown_too=terms.unknown_too))


@router.post("/articles/{article:name}/hold", status_code=202, summary="Withhold an article")
def hold(article: str, response: Response, parts: Parts, caller: ArticlesWriter) -> ArticleOrder:
    """Withhold an article: it leaves its feeds, and endpoints hear of it, until it is released."""
    return ordered(response, parts.orders.hold(caller, parts.orders.id_of(article)))


@router.post("/articles/{article:name}/release", status_code=202, summary="Release an article that was withheld")
def release(article: str, response: Response, parts: Parts, caller: ArticlesWriter) -> ArticleOrder:
    """Release an article: it is back in its feeds."""
    return ordered(response, parts.orders.release(caller, parts.orders.id_of(article)))


@router.post("/articles/{article:name}/repeat", status_code=202, summary="Send an article again")
def repeat(article: str, response: Response, parts: Parts, caller: ArticlesWriter) -> ArticleOrder:
    """Have an article sent again, unchanged, to the endpoints that get single articles."""
    return ordered(response, parts.orders.repeat(caller, parts.orders.id_of(article)))


@router.put("/articles/{article:name}/embargo", status_code=202, summary="Correct an embargo")
def embargo(article: str, response: Response, parts: Parts, caller: ArticlesWriter, terms: Embargo) -> ArticleOrder:
    """Set until when an article is under embargo, or end the embargo (`until`: null)."""
    if terms.until is not None and terms.until.tzinfo is None:
        raise invalid("until", "must have its offset from UTC, as in 2026-03-04T11:00:00Z")
    return ordered(response, parts.orders.correct_embargo(caller, parts.orders.id_of(article), terms.until))
