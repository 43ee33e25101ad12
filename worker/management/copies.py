"""What every process has of the management: a copy of what the record has, without a secret that is not sealed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from feeds.moments import iso
from worker.management.callers import Bounds
from worker.management.scopes import PARTNER_PAGE, Role
from worker.record import management as rows
from worker.record import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

EXPIRES_MOST = 221_845_392_000_000
"""The beginning of the year 9000 (ms), as of the times of articles: what is later, no answer may be able to say."""
_READINGS_MOST = 20
_FROZEN = ConfigDict(frozen=True, defer_build=True)


class Key(BaseModel):
    """An API key, as it is kept. Times in ms. `revision`: of the management with its last change (its ETag)."""

    model_config = _FROZEN

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    bounds: Bounds
    created: int
    created_by: str
    expires: int | None
    revoked: int | None
    last_used: int | None
    revision: int

    def is_valid(self, now: int) -> bool:
        """Whether it can be used (at `now`, ms)."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    @property
    def is_link(self) -> bool:
        """Whether it is a link to the page of a partner, and no key of the API."""
        return PARTNER_PAGE in self.scopes

    def described(self) -> dict[str, Any]:
        """Return what may be shown of it, for JSON."""
        times = {name: iso(getattr(self, name)) for name in ("created", "expires", "revoked", "last_used")}
        return {**self.model_dump(mode="json", exclude={"digest", "revision"}), **times}


class Partner(BaseModel):
    """A contracted party. `settings`: title, contacts, notes and rights."""

    model_config = _FROZEN

    name: str
    settings: dict[str, Any]
    created: int
    revision: int

    def described(self) -> dict[str, Any]:
        """Return it with all that is kept of it, for JSON."""
        nothing: dict[str, Any] = {"title": "", "contacts": [], "notes": "", "rights": {}}
        return {"name": self.name, **nothing, **self.settings, "created": iso(self.created)}


class ManagedEndpoint(BaseModel):
    """An endpoint that is not from a settings file. `secrets`: field -> sealed value. `removed`: since when (ms).

    `old_secret_until`: until when (ms) the older ones of its secrets sign its pushes too.
    """

    model_config = _FROZEN

    name: str
    partner: str | None
    settings: dict[str, Any]
    secrets: dict[str, str]
    created: int
    removed: int | None
    old_secret_until: int | None = None
    revision: int

    @property
    def feed(self) -> str:
        """The feed that it gets."""
        return str(self.settings["feed"])


class ManagedFormat(BaseModel):
    """A format of the newsroom's own that is not from a settings file."""

    model_config = _FROZEN

    name: str
    settings: dict[str, Any]
    created: int
    revision: int

    @property
    def key(self) -> tuple[str, int]:
        """What no other format has, nor this one with other settings."""
        return self.name, self.revision

    def described(self) -> dict[str, Any]:
        """Return it with all that is kept of it, for JSON."""
        return {"name": self.name, "settings": self.settings, "created": iso(self.created)}


class Person(BaseModel):
    """Somebody who may sign in. `password`: its argon2id hash; `subject`: issuer, a space, subject."""

    model_config = _FROZEN

    name: str
    role: Role
    password: str | None
    subject: str | None
    created: int
    revision: int

    def described(self) -> dict[str, Any]:
        """Return what may be shown of somebody, for JSON."""
        return {
            "name": self.name,
            "role": self.role,
            "has_password": self.password is not None,
            "subject": self.subject,
            "created": iso(self.created),
        }


class ManagementCopy(BaseModel):
    """All that processes need, as it was at one moment. Keys that are revoked or have expired are not in it."""

    model_config = _FROZEN

    stamp: str
    revision: int
    partners: tuple[Partner, ...] = ()
    endpoints: tuple[ManagedEndpoint, ...] = ()
    keys: tuple[Key, ...] = ()
    people: tuple[Person, ...] = ()
    formats: tuple[ManagedFormat, ...] = ()


def read(connection: Connection, now: int) -> ManagementCopy:
    """Return what the record has (`now` in ms): all of one moment."""
    for _ in range(_READINGS_MOST):
        state = rows.state(connection)
        copy = ManagementCopy(
            stamp=state.stamp,
            revision=state.revision,
            partners=tuple(map(partner_of, rows.rows(connection, tables.partners))),
            endpoints=tuple(map(endpoint_of, rows.rows(connection, tables.managed_endpoints))),
            keys=tuple(key for key in map(key_of, rows.rows(connection, tables.keys)) if key.is_valid(now)),
            people=tuple(map(Person.model_validate, rows.rows(connection, tables.people))),
            formats=tuple(map(format_of, rows.rows(connection, tables.managed_formats))),
        )
        # PostgreSQL shows each query what was committed by then.
        if rows.state(connection).stamp == state.stamp:
            break
    return copy


def parse(text: str | None) -> ManagementCopy | None:
    """Return the copy in a text of Redis; None when there is none, or it is damaged."""
    try:
        return ManagementCopy.model_validate_json(text or "")
    except ValidationError:
        return None


def key_of(row: dict[str, Any]) -> Key:
    """Return the key in a row of the record."""
    # Some were made when there was no bound.
    expires = None if row["expires"] is None else min(row["expires"], EXPIRES_MOST)
    parts = {"scopes": json.loads(row["scopes"]), "bounds": json.loads(row["bounds"]), "expires": expires}
    return Key.model_validate({**row, **parts})


def key_row(key: Key) -> dict[str, Any]:
    """Return the row of a key."""
    return {**dict(key), "scopes": json.dumps(key.scopes), "bounds": key.bounds.model_dump_json()}


def partner_of(row: dict[str, Any]) -> Partner:
    """Return the partner in a row of the record."""
    return Partner.model_validate({**row, "settings": json.loads(row["settings"])})


def format_of(row: dict[str, Any]) -> ManagedFormat:
    """Return the format in a row of the record."""
    return ManagedFormat.model_validate({**row, "settings": json.loads(row["settings"])})


def endpoint_of(row: dict[str, Any]) -> ManagedEndpoint:
    """Return the endpoint in a row of the record."""
    parts = {name: json.loads(row[name]) for name in ("settings", "secrets")}
    return ManagedEndpoint.model_validate({**row, **parts})
