"""The sections that articles are in: GET /api/v1/sections, so that one can be chosen."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from web.api.access import ArticlesReader
from web.api.paging import After, Limit, Page, cursor, page, read_cursor
from web.api.parts import Parts
from web.api.visibility import unbound
from worker.management.scopes import ARTICLES_READ
from worker.record import terms

router = APIRouter(tags=["articles"])


class SectionRow(BaseModel):
    """A section."""

    name: str = Field(description="As the newest article in it writes it.")


@router.get("/sections", summary="The sections that articles are in")
def sections(
    request: Request, response: Response, parts: Parts, caller: ArticlesReader, limit: Limit = 50, after: After = ""
) -> Page[SectionRow]:
    """List the sections in the order of their names. They are of all feeds: a bound key can't see them."""
    if not unbound(caller):
        caller.require(ARTICLES_READ, feed=None, partner=None)
    last = read_cursor(after, str)
    with parts.record.availability.read() as connection:
        rows = terms.sections(connection, last[0] if last else "", limit + 1)
    shown = rows[:limit]
    following = cursor(shown[-1][0]) if len(rows) > limit else None
    return page(request, response, [SectionRow(name=written) for _, written in shown], following)
