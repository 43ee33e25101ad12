"""API keys: list, create, revoke. A key is shown once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import KeysReader, KeysWriter
from web.api.moments import milliseconds
from web.api.paging import After, Limit, Page, cursor, page, read_cursor
from web.api.parts import Parts
from web.api.revisions import IfMatch, expected_revision, tag
from worker.management.callers import Bounds

if TYPE_CHECKING:
    from worker.management.copies import Key

router = APIRouter(tags=["keys"])


class KeyBounds(BaseModel):
    """What a key is for; null: whatever there is. A pattern of feeds, `city/*`, is all that it makes."""

    model_config = ConfigDict(extra="forbid")

    feeds: list[str] | None = None
    partners: list[str] | None = None
    adapters: list[str] | None = None


class NewKey(BaseModel):
    """A key that is to be created. Two may have one name, so that the old one works until the new one is in use."""

    model_config = ConfigDict(extra="forbid")

    name: str
    scopes: list[str]
    bounds: KeyBounds = KeyBounds()
    expires: datetime | None = None


class KeyRow(BaseModel):
    """A key, without the key itself."""

    id: str
    name: str
    scopes: list[str]
    bounds: KeyBounds
    created: datetime | None
    created_by: str
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None


class CreatedKey(KeyRow):
    """A key that was created."""

    key: str = Field(description="It is shown this once: keep it.")


@router.get("/keys", summary="The keys")
def keys(
    request: Request, response: Response, parts: Parts, caller: KeysReader, limit: Limit = 50, after: After = ""
) -> Page[KeyRow]:
    """List all keys, also those that can't be used any longer, by name and age."""
    last = read_cursor(after, str, int, str)
    there = [key for key in parts.management.keys.list(caller) if last is None or _place(key) > last]
    shown = there[:limit]
    following = cursor(*_place(shown[-1])) if len(there) > limit else None
    return page(request, response, [_row(key) for key in shown], following)


@router.post("/keys", status_code=201, summary="Create a key")
def create(request: Request, response: Response, parts: Parts, caller: KeysWriter, new: NewKey) -> CreatedKey:
    """Create a key that may do no more than the one that asks. The answer shows it, this once."""
    request.state.shows_secret = True
    bounds = Bounds(**{name: None if of is None else tuple(of) for name, of in new.bounds})
    expires = milliseconds("expires", new.expires)
    key, token = parts.management.keys.create(caller, new.name, new.scopes, bounds, expires)
    response.headers["Location"] = f"/api/v1/keys/{key.id}"
    tag(response, key.revision)
    return CreatedKey(**dict(_row(key)), key=token)


@router.get("/keys/{key}", summary="One key")
def one_key(key: str, response: Response, parts: Parts, caller: KeysReader) -> KeyRow:
    """Return what may be shown of a key."""
    there = parts.management.keys.get(caller, key)
    tag(response, there.revision)
    return _row(there)


@router.delete("/keys/{key}", summary="Revoke a key")
def revoke(key: str, response: Response, parts: Parts, caller: KeysWriter, if_match: IfMatch = None) -> KeyRow:
    """Revoke a key, on every machine within a second. One that is revoked stays so."""
    revoked = parts.management.keys.revoke(caller, key, expected_revision(if_match))
    tag(response, revoked.revision)
    return _row(revoked)


def _place(key: Key) -> tuple[str, int, str]:
    return key.name, key.created, key.id


def _row(key: Key) -> KeyRow:
    return KeyRow(**key.described())
