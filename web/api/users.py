"""The people who may sign in: added, given another role or password, removed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from web.api.access import PeopleReader, PeopleWriter
from web.api.paging import After, Limit, Page, by_name, page
from web.api.parts import Parts
from web.api.revisions import IfMatch, expected_revision, tag
from worker.management.desk_sessions import LINK_SECONDS, sign_in_address
from worker.management.scopes import Role

if TYPE_CHECKING:
    from worker.management.copies import Person

router = APIRouter(tags=["users"])

_SUBJECT = "Who it is to the OpenID provider: issuer, a space, subject."


class NewUser(BaseModel):
    """Somebody who is to sign in: by a password, or by an OpenID provider."""

    model_config = ConfigDict(extra="forbid")

    name: str
    role: Role
    password: str | None = None
    subject: str | None = Field(default=None, description=_SUBJECT)


class UserChange(BaseModel):
    """What changes of somebody; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    subject: str | None = Field(default=None, description=_SUBJECT)


class NewPassword(BaseModel):
    """A password, of at least twelve characters."""

    model_config = ConfigDict(extra="forbid")

    password: str


class SignInLink(BaseModel):
    """A link that signs somebody in."""

    url: str = Field(description="Whoever has it signs in by it. It is shown this once.")
    seconds: int = Field(description="How long it can be used.")


class UserRow(BaseModel):
    """Somebody who may sign in."""

    name: str
    role: Role
    has_password: bool
    subject: str | None
    created: datetime | None


@router.get("/users", summary="Who may sign in")
def users(
    request: Request, response: Response, parts: Parts, caller: PeopleReader, limit: Limit = 50, after: After = ""
) -> Page[UserRow]:
    """List the people by name."""
    people = parts.management.people.list(caller)
    shown, following = by_name(people, lambda person: person.name, after, limit)
    return page(request, response, [_row(person) for person in shown], following)


@router.post("/users", status_code=201, summary="Let somebody sign in")
def add(response: Response, parts: Parts, caller: PeopleWriter, new: NewUser) -> UserRow:
    """Let somebody sign in. Nobody gives a role that may do more than they may themselves."""
    person = parts.management.people.add(caller, new.name, new.role, new.password, new.subject)
    response.headers["Location"] = f"/api/v1/users/{person.name}"
    tag(response, person.revision)
    return _row(person)


@router.get("/users/{user}", summary="One of them")
def one_user(user: str, response: Response, parts: Parts, caller: PeopleReader) -> UserRow:
    """Return somebody."""
    person = parts.management.people.get(caller, user)
    tag(response, person.revision)
    return _row(person)


@router.patch("/users/{user}", summary="Give somebody another role")
def change(
    user: str, response: Response, parts: Parts, caller: PeopleWriter, terms: UserChange, if_match: IfMatch = None
) -> UserRow:
    """Give somebody another role or another subject."""
    revision = expected_revision(if_match)
    person = parts.management.people.change(caller, user, role=terms.role, subject=terms.subject, revision=revision)
    tag(response, person.revision)
    return _row(person)


@router.put("/users/{user}/password", summary="Give somebody a password")
def set_password(
    user: str, response: Response, parts: Parts, caller: PeopleWriter, new: NewPassword, if_match: IfMatch = None
) -> UserRow:
    """Give somebody a password: their sessions end."""
    person = parts.management.people.set_password(caller, user, new.password, expected_revision(if_match))
    tag(response, person.revision)
    return _row(person)


@router.post("/users/{user}/links", status_code=201, summary="Make a link that signs somebody in")
def make_link(user: str, request: Request, parts: Parts, caller: PeopleWriter) -> SignInLink:
    """Make a link that signs somebody in at the desk, once, within a quarter of an hour.

    Nobody makes one for somebody who may do more than they may themselves.
    """
    request.state.shows_secret = True
    token = parts.management.sessions.make_link(caller, user)
    return SignInLink(url=sign_in_address(parts.publication.base_url, token), seconds=LINK_SECONDS)


@router.delete("/users/{user}", status_code=204, summary="Let somebody sign in no longer")
def remove(user: str, parts: Parts, caller: PeopleWriter, if_match: IfMatch = None) -> None:
    """Let somebody sign in no longer."""
    parts.management.people.remove(caller, user, expected_revision(if_match))


def _row(person: Person) -> UserRow:
    return UserRow(**person.described())
