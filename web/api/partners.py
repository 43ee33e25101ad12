"""Partners: the contracted parties, with what their endpoints may have of an article."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import PartnersReader, PartnersWriter
from web.api.paging import After, Limit, Page, by_name, page
from web.api.parts import Parts
from web.api.revisions import IfMatch, expected_revision, tag

if TYPE_CHECKING:
    from worker.management.copies import Partner

router = APIRouter(tags=["partners"])


class PartnerContact(BaseModel):
    """Somebody at a partner."""

    model_config = ConfigDict(extra="forbid")

    name: str
    email: str = ""
    phone: str = ""
    role: str = ""


class PartnerRights(BaseModel):
    """What a partner may have of an article; what is left out is as it is without it."""

    model_config = ConfigDict(extra="forbid")

    text: Literal["full", "summary", "headline"] = Field(default="full", description="How much of it.")
    credits: list[str] | None = Field(default=None, description="Whose pictures are licensed; null: everybody's.")
    words: int | None = Field(default=None, description="After how many words the text is cut.")
    canonical: bool = Field(default=False, description="Whether the text ends with a link to the article's page.")
    tracking: dict[str, str] = Field(default={}, description="Parameters added to the address of that page.")
    delay: str | None = Field(default=None, description="How long after a change it gets the article: `2h`, `90s`.")
    early: bool = Field(default=False, description="Whether it gets articles before their embargo ends.")


class PartnerTerms(BaseModel):
    """What is kept of a partner."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(default="", description="Its name, for people.")
    contacts: list[PartnerContact] = []
    notes: str = ""
    rights: PartnerRights = Field(
        default=PartnerRights(), description="What its endpoints may have, each where it says nothing else."
    )


class NewPartner(PartnerTerms):
    """A partner that is to be created."""

    name: str


class PartnerRow(BaseModel):
    """A partner."""

    name: str
    title: str
    contacts: list[PartnerContact]
    notes: str
    rights: PartnerRights
    created: datetime | None


@router.get("/partners", summary="The partners", response_model_exclude_unset=True)
def partners(
    request: Request, response: Response, parts: Parts, caller: PartnersReader, limit: Limit = 50, after: After = ""
) -> Page[PartnerRow]:
    """List the partners by name."""
    there = parts.management.partners.list(caller)
    shown, following = by_name(there, lambda partner: partner.name, after, limit)
    return page(request, response, [_row(partner) for partner in shown], following)


@router.post("/partners", status_code=201, summary="Create a partner", response_model_exclude_unset=True)
def create(response: Response, parts: Parts, caller: PartnersWriter, new: NewPartner) -> PartnerRow:
    """Create a partner."""
    values = new.model_dump(exclude={"name"}, exclude_unset=True)
    partner = parts.management.partners.create(caller, new.name, values)
    response.headers["Location"] = f"/api/v1/partners/{quote(partner.name, safe='')}"
    tag(response, partner.revision)
    return _row(partner)


@router.get("/partners/{partner:segment}", summary="One partner", response_model_exclude_unset=True)
def one_partner(partner: str, response: Response, parts: Parts, caller: PartnersReader) -> PartnerRow:
    """Return a partner."""
    there = parts.management.partners.get(caller, partner)
    tag(response, there.revision)
    return _row(there)


@router.put("/partners/{partner:segment}", summary="Change a partner", response_model_exclude_unset=True)
def change(
    partner: str,
    response: Response,
    parts: Parts,
    caller: PartnersWriter,
    terms: PartnerTerms,
    if_match: IfMatch = None,
) -> PartnerRow:
    """Give a partner these settings in place of its own."""
    values = terms.model_dump(exclude_unset=True)
    changed = parts.management.partners.change(caller, partner, values, expected_revision(if_match))
    tag(response, changed.revision)
    return _row(changed)


@router.delete("/partners/{partner:segment}", status_code=204, summary="Remove a partner")
def remove(partner: str, parts: Parts, caller: PartnersWriter, if_match: IfMatch = None) -> None:
    """Remove a partner that has no endpoints."""
    parts.management.partners.remove(caller, partner, expected_revision(if_match))


def _row(partner: Partner) -> PartnerRow:
    return PartnerRow(**partner.described())
