"""Links that open the page of a partner, where it sees how its endpoints do: made, listed, revoked."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import PartnersReader, PartnersWriter
from web.api.paging import Page, page
from web.api.parts import Parts
from worker.management.partner_links import DAYS, DAYS_MOST, address, described

router = APIRouter(tags=["partners"])


class NewPartnerLink(BaseModel):
    """A link that is to be made."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=DAYS, ge=1, le=DAYS_MOST, description="How long it can be used.")


class PartnerLink(BaseModel):
    """A link that can be used, without its secret."""

    id: str
    created: datetime | None
    created_by: str
    expires: datetime | None
    last_used: datetime | None


class MadePartnerLink(PartnerLink):
    """A link that was made."""

    url: str = Field(description="Whoever has it opens the page. It is shown this once.")


@router.get("/partners/{partner:segment}/links", summary="The links to the page of a partner")
def links(
    partner: str, request: Request, response: Response, parts: Parts, caller: PartnersReader
) -> Page[PartnerLink]:
    """List the links that can be used, the newest first: at most 20."""
    rows = [PartnerLink(**described(link)) for link in parts.management.links.list(caller, partner)]
    return page(request, response, rows, None)


@router.post("/partners/{partner:segment}/links", status_code=201, summary="Make a link to the page of a partner")
def make(
    partner: str, request: Request, parts: Parts, caller: PartnersWriter, new: NewPartnerLink | None = None
) -> MadePartnerLink:
    """Make a link that opens the page of the partner for a time.

    It needs the scopes `endpoints:read`, `:operate` and `:write` too: the page tests, replays and rotates secrets.
    """
    request.state.shows_secret = True
    link, token = parts.management.links.make(caller, partner, (new or NewPartnerLink()).days)
    return MadePartnerLink(**described(link), url=address(parts.publication.base_url, token))


@router.delete(
    "/partners/{partner:segment}/links/{link:segment}",
    status_code=204,
    summary="Revoke a link to the page of a partner",
)
def revoke(partner: str, link: str, parts: Parts, caller: PartnersWriter) -> None:
    """Revoke a link: within a second it opens nothing, and who has opened the page by it is out."""
    parts.management.links.revoke(caller, partner, link)
