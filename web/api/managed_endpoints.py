"""Endpoints that are managed here: created, changed, removed, restored; their secrets rotated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import EndpointsWriter
from web.api.endpoints import Endpoint, described
from web.api.parts import Parts
from web.api.revisions import IfMatch, expected_revision

if TYPE_CHECKING:
    from web.api.parts import ApiParts
    from worker.management.copies import ManagedEndpoint

router = APIRouter(tags=["endpoints"])

_SETTINGS = (
    "As they stand in a table of `[[endpoints]]` in the settings file: feed, format, url, mode, rights, rate ... "
    "A secret that stands as `***` stays as it is."
)


class EndpointTerms(BaseModel):
    """The settings of an endpoint, and whose it is."""

    model_config = ConfigDict(extra="forbid")

    partner: str | None = Field(default=None, description="Whose it is; their rights hold where it has none.")
    settings: dict[str, Any] = Field(description=_SETTINGS)


class NewEndpoint(EndpointTerms):
    """An endpoint that is to be created. Without `secret` in its settings one is made."""

    name: str


class Rotation(BaseModel):
    """How a secret is replaced."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(default=86_400, ge=0, le=2_592_000, description="How long the old one signs as well.")


_FOR_A_DAY = Rotation()


class EndpointWithSecret(Endpoint):
    """An endpoint, and the secret that was made for it."""

    secret: str | None = Field(description="It is shown this once: keep it. null: none was made.")


@router.post("/endpoints", status_code=201, summary="Create an endpoint")
def create(
    request: Request, response: Response, parts: Parts, caller: EndpointsWriter, new: NewEndpoint
) -> EndpointWithSecret:
    """Create an endpoint: workers know it within a second. It begins at the head of its feed, or with its backfill."""
    request.state.shows_secret = True
    endpoint, secret = parts.management.endpoints.create(caller, new.name, new.settings, new.partner)
    response.headers["Location"] = f"/api/v1/endpoints/{quote(endpoint.name, safe='')}"
    return EndpointWithSecret(**dict(_described(parts, response, endpoint)), secret=secret)


@router.put("/endpoints/{endpoint:segment}", summary="Change an endpoint")
def change(
    endpoint: str,
    response: Response,
    parts: Parts,
    caller: EndpointsWriter,
    terms: EndpointTerms,
    if_match: IfMatch = None,
) -> Endpoint:
    """Give an endpoint these settings in place of its own. What is in flight ends under the old ones."""
    revision = expected_revision(if_match)
    changed = parts.management.endpoints.change(caller, endpoint, terms.settings, terms.partner, revision)
    return _described(parts, response, changed)


@router.delete("/endpoints/{endpoint:segment}", status_code=204, summary="Remove an endpoint")
def remove(endpoint: str, parts: Parts, caller: EndpointsWriter, if_match: IfMatch = None) -> None:
    """Remove an endpoint: it gets nothing more. For 30 days it can be restored; then its secrets are erased."""
    parts.management.endpoints.remove(caller, endpoint, expected_revision(if_match))


@router.post("/endpoints/{endpoint:segment}/restore", summary="Restore an endpoint that was removed")
def restore(endpoint: str, response: Response, parts: Parts, caller: EndpointsWriter) -> Endpoint:
    """Have an endpoint again that was removed, as it was: it catches up from where it was."""
    return _described(parts, response, parts.management.endpoints.restore(caller, endpoint))


@router.post("/endpoints/{endpoint:segment}/rotate", summary="Replace the secret of an endpoint")
def rotate(
    endpoint: str,
    request: Request,
    response: Response,
    parts: Parts,
    caller: EndpointsWriter,
    rotation: Annotated[Rotation, Body()] = _FOR_A_DAY,
) -> EndpointWithSecret:
    """Make a new secret, which the answer shows, this once. The old one signs beside it for a time.

    Whoever has lost the answer asks again: what signs still goes on meanwhile. 409: ten secrets sign already.
    """
    request.state.shows_secret = True
    overlap = rotation.overlap_seconds * 1000
    rotated, secret = parts.management.endpoints.rotate(caller, endpoint, overlap)
    return EndpointWithSecret(**dict(_described(parts, response, rotated)), secret=secret)


def _described(parts: ApiParts, response: Response, endpoint: ManagedEndpoint) -> Endpoint:
    return described(parts, response, parts.endpoints().of_managed(endpoint))
