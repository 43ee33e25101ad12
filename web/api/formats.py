"""The newsroom's own formats that are managed here: created, tried, changed, removed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from feeds.errors import FieldError, InvalidInput
from feeds.formats.interface import FormatFault
from feeds.formats.own.trial import shown
from web.api.access import FormatsReader, FormatsWriter
from web.api.paging import After, Limit, Page, by_name, page
from web.api.parts import Parts
from web.api.problems import not_there
from web.api.revisions import IfMatch, expected_revision, tag
from web.api.visibility import sees_any
from worker.management.managed_formats import proven
from worker.management.scopes import ARTICLES_READ

if TYPE_CHECKING:
    from feeds.article import Article
    from web.api.parts import ApiParts
    from worker.management.callers import Caller
    from worker.management.copies import ManagedFormat

router = APIRouter(tags=["formats"])

_SETTINGS = (
    "As they stand in a table of `[[formats]]` in the settings file: of, media_type, template or mapping, correction, "
    "withdrawal, kill, envelope, rules (the schema itself) ..."
)


class FormatTerms(BaseModel):
    """The settings of a format."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, Any] = Field(description=_SETTINGS)


class NewFormat(FormatTerms):
    """A format that is to be created."""

    name: str


class FormatTrial(FormatTerms):
    """Settings that are tried, and kept nowhere."""

    article: str | None = Field(default=None, max_length=200, description="An article's id; null: a sample.")
    change: Literal["published", "corrected", "withdrawn", "killed"] = "published"


class FormatRow(BaseModel):
    """A format that is kept in the record."""

    name: str
    settings: dict[str, Any] = Field(description=_SETTINGS)
    created: datetime | None


class FormatSample(BaseModel):
    """What settings make of an article."""

    media_type: str
    document: str
    refused: list[str] = Field(description="Why the quality gate would keep it back, by the format's own rules.")


@router.get("/formats", summary="The newsroom's own formats that are kept in the record")
def formats(
    request: Request, response: Response, parts: Parts, caller: FormatsReader, limit: Limit = 50, after: After = ""
) -> Page[FormatRow]:
    """List the formats by name; those of the settings file are not among them."""
    there = parts.management.formats.list(caller)
    rows, following = by_name(there, lambda one_format: one_format.name, after, limit)
    return page(request, response, [_row(one_format) for one_format in rows], following)


@router.post("/formats", status_code=201, summary="Create a format")
def create(response: Response, parts: Parts, caller: FormatsWriter, new: NewFormat) -> FormatRow:
    """Create a format: every process knows it within a second. A mistake in a template is named with its line."""
    created = parts.management.formats.create(caller, new.name, new.settings)
    response.headers["Location"] = f"/api/v1/formats/{created.name}"
    tag(response, created.revision)
    return _row(created)


@router.post("/format-trials", summary="Try a format")
def trial(parts: Parts, caller: FormatsWriter, terms: FormatTrial) -> FormatSample:
    """Return what these settings make of an article, or of a sample one. Nothing is kept, and nothing sent."""
    definition = proven(str(terms.settings.get("name", "sample")), terms.settings)
    article = None if terms.article is None else _article(parts, caller, terms.article)
    try:
        document, refused = shown(definition, parts.publication.provider, article, terms.change)
    except FormatFault as fault:
        raise InvalidInput([FieldError("settings.template", str(fault))]) from None
    return FormatSample(media_type=definition.media_type, document=document.decode(), refused=refused)


@router.get("/formats/{format}", summary="One format")
def one_format(format: str, response: Response, parts: Parts, caller: FormatsReader) -> FormatRow:  # noqa: A002
    """Return a format."""
    there = parts.management.formats.get(caller, format)
    tag(response, there.revision)
    return _row(there)


@router.put("/formats/{format}", summary="Change a format")
def change(
    format: str,  # noqa: A002 (the word for it in the address)
    response: Response,
    parts: Parts,
    caller: FormatsWriter,
    terms: FormatTerms,
    if_match: IfMatch = None,
) -> FormatRow:
    """Give a format these settings in place of its own: what is sent or served a second later is made by them."""
    changed = parts.management.formats.change(caller, format, terms.settings, expected_revision(if_match))
    tag(response, changed.revision)
    return _row(changed)


@router.delete("/formats/{format}", status_code=204, summary="Remove a format")
def remove(format: str, parts: Parts, caller: FormatsWriter, if_match: IfMatch = None) -> None:  # noqa: A002
    """Remove a format that no endpoint has."""
    parts.management.formats.remove(caller, format, expected_revision(if_match))


def _article(parts: ApiParts, caller: Caller, name: str) -> Article:
    caller.require(ARTICLES_READ)
    stored = parts.articles.get(parts.store.lineage.original(name))
    if stored is None or not sees_any(caller, stored.feeds):
        raise not_there("article", name)
    return stored.article


def _row(managed: ManagedFormat) -> FormatRow:
    return FormatRow(**managed.described())
