"""What a newsroom says of itself to whoever has a key: what a client needs to read times and to make events."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Security
from pydantic import BaseModel, Field

from web.api.access import permitted
from web.api.parts import Parts
from worker.management.callers import Caller

router = APIRouter(tags=["newsroom"])


class AdapterDefaults(BaseModel):
    """What an adapter takes where its input is silent."""

    url: str = Field(description="The page of an article, with {id} and {slug} in it; empty: none.")
    edition: str | None


class Newsroom(BaseModel):
    """A newsroom: whose it is, how it writes times and languages, which release of Dateline it runs."""

    title: str
    base_url: str
    timezone: str | None = Field(description="That of its days; null: UTC.")
    edition: str = Field(description="The language edition of what does not say its own.")
    editions: list[str]
    adapters: dict[str, AdapterDefaults]
    keeps_killed: bool = Field(description="Whether the texts of killed articles are kept, for those who may see them.")
    release: str


@router.get("/newsroom", summary="What the newsroom is")
def newsroom(parts: Parts, _: Annotated[Caller, Security(permitted)]) -> Newsroom:
    """Return what the newsroom is. It needs no scope."""
    site = parts.settings.site
    adapters = {
        name: AdapterDefaults(url=own.url, edition=own.edition)
        for name, own in parts.settings.adapters
        if own.url or own.edition
    }
    return Newsroom(
        title=site.title,
        base_url=parts.publication.base_url,
        timezone=site.timezone or None,
        edition=site.edition,
        editions=sorted(parts.settings.editions),
        adapters=adapters,
        keeps_killed=parts.settings.record.keep_killed,
        release=version("dateline"),
    )
