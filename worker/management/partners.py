"""Partners: the contracted parties, each with what it may have of an article where its endpoints say nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from config.destination_settings import WITHOUT_SECRETS
from config.endpoint_settings import EndpointSettings, RightsSettings
from config.mistakes import reported
from config.value_types import STRICT
from feeds.definition import FeedName
from feeds.errors import FieldError, InvalidInput
from worker.management import copies
from worker.management.callers import FILTERED, Forbidden
from worker.management.changes import Conflict, NotFound, see_that_it_is_current
from worker.management.copies import Partner
from worker.management.endpoint_checks import with_rights
from worker.management.endpoint_secrets import without_secrets
from worker.management.partner_links import revoke_links
from worker.management.scopes import PARTNERS_READ, PARTNERS_WRITE
from worker.record import management as rows
from worker.record import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from worker.management.callers import Caller
    from worker.management.changes import Changes
    from worker.management.copies import ManagedEndpoint

_NOTES_MOST = 10_000
_name = TypeAdapter(FeedName)


def _address(email: str) -> str:
    name, _, domain = email.rpartition("@")
    if email and (not name or not domain or any(character.isspace() for character in email)):
        raise ValueError("must be an e-mail address")
    return email


class Contact(BaseModel):
    """Somebody at a partner."""

    model_config = STRICT

    name: str = Field(min_length=1, max_length=200)
    email: Annotated[str, Field(max_length=320), AfterValidator(_address)] = ""
    phone: str = Field(default="", max_length=100)
    role: str = Field(default="", max_length=200)


class PartnerSettings(BaseModel):
    """What is kept of a partner."""

    model_config = STRICT

    title: str = Field(default="", max_length=200)
    """Its name, for people."""
    contacts: Annotated[tuple[Contact, ...], Field(max_length=50)] = ()
    notes: str = Field(default="", max_length=_NOTES_MOST)
    rights: RightsSettings = Field(default_factory=RightsSettings.model_construct)
    """What its endpoints may have of an article, each where it says nothing else itself."""


class Partners:
    """The partners, in the record."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def list(self, caller: Caller) -> list[Partner]:
        """Return the partners that the caller may see, by name. Raises Forbidden, RecordAway."""
        caller.require(PARTNERS_READ, partner=FILTERED)
        with self._changes.reading() as connection:
            partners = list(map(copies.partner_of, rows.rows(connection, tables.partners)))
        return [partner for partner in partners if caller.sees(partner=partner.name)]

    def get(self, caller: Caller, name: str) -> Partner:
        """Return a partner. Raises Forbidden, NotFound, RecordAway."""
        caller.require(PARTNERS_READ, partner=name)
        with self._changes.reading() as connection:
            return _partner(connection, name)

    def create(self, caller: Caller, name: str, values: dict[str, Any]) -> Partner:
        """Create a partner with these settings. Raises Forbidden, InvalidInput, Conflict, RecordAway."""
        caller.require(PARTNERS_WRITE, partner=name)
        _see_that_rights_are_not_its_own(caller, {}, values)
        _check(values, name)
        with self._changes.change(caller) as change:
            if rows.row(change.connection, tables.partners, name) is not None:
                raise Conflict(f"there is a partner {name} already")
            partner = Partner(name=name, settings=values, created=change.time, revision=change.revision)
            rows.save(change.connection, tables.partners, _row(partner))
            change.note("partner.created", name, new=values)
        return partner

    def change(self, caller: Caller, name: str, values: dict[str, Any], revision: int | None = None) -> Partner:
        """Give a partner these settings in place of its own.

        `revision`: that of the partner as the caller has seen it. Raises Forbidden, InvalidInput, NotFound, Outdated,
        RecordAway.
        """
        caller.require(PARTNERS_WRITE, partner=name)
        _check(values, name)
        with self._changes.change(caller) as change:
            former = _partner(change.connection, name)
            see_that_it_is_current("partner", name, former.revision, revision)
            _see_that_rights_are_not_its_own(caller, former.settings, values)
            _check_endpoints(endpoints_of(change.connection, name), values.get("rights", {}))
            partner = former.model_copy(update={"settings": values, "revision": change.revision})
            rows.save(change.connection, tables.partners, _row(partner))
            change.note("partner.changed", name, former.settings, values)
        return partner

    def remove(self, caller: Caller, name: str, revision: int | None = None) -> None:
        """Remove a partner that has no endpoints. Raises Forbidden, Conflict, NotFound, Outdated, RecordAway."""
        caller.require(PARTNERS_WRITE, partner=name)
        with self._changes.change(caller) as change:
            partner = _partner(change.connection, name)
            see_that_it_is_current("partner", name, partner.revision, revision)
            if endpoints := endpoints_of(change.connection, name):
                names = ", ".join(endpoint.name for endpoint in endpoints)
                raise Conflict(f"partner {name} has endpoints ({names}): remove them first")
            rows.remove(change.connection, tables.partners, name)
            revoke_links(change, name)
            change.note("partner.removed", name, old=partner.settings)


def rights_of(connection: Connection, name: str | None) -> dict[str, Any]:
    """Return the rights of a partner, for its endpoints. Raises InvalidInput when there is no such partner."""
    if name is None:
        return {}
    row = rows.row(connection, tables.partners, name)
    if row is None:
        raise InvalidInput([FieldError("partner", f"there is no partner {name}")])
    rights: dict[str, Any] = copies.partner_of(row).settings.get("rights", {})
    return rights


def endpoints_of(connection: Connection, name: str) -> list[ManagedEndpoint]:
    """Return the endpoints of a partner that are not removed."""
    endpoints = map(copies.endpoint_of, rows.rows(connection, tables.managed_endpoints))
    return [endpoint for endpoint in endpoints if endpoint.partner == name and endpoint.removed is None]


def _partner(connection: Connection, name: str) -> Partner:
    row = rows.row(connection, tables.partners, name)
    if row is None:
        raise NotFound(f"there is no partner {name}")
    return copies.partner_of(row)


def _see_that_rights_are_not_its_own(caller: Caller, former: dict[str, Any], values: dict[str, Any]) -> None:
    """Raise Forbidden when a caller that is bound to partners changes what they may have."""
    if caller.bounds.partners is not None and values.get("rights", {}) != former.get("rights", {}):
        raise Forbidden(f"{caller.name} can't say what its partner may have: leave rights as they are", PARTNERS_WRITE)


def _row(partner: Partner) -> dict[str, Any]:
    return {**dict(partner), "settings": json.dumps(partner.settings)}


def _check(values: dict[str, Any], name: str) -> None:
    errors = []
    try:
        _name.validate_python(name)
    except ValidationError as error:
        errors.append(FieldError("name", error.errors()[0]["msg"].removeprefix("Value error, ")))
    try:
        PartnerSettings.model_validate(values)
    except ValidationError as error:
        errors += reported(error, PartnerSettings, values, {}, ())
    if errors:
        raise InvalidInput(errors)


def _check_endpoints(endpoints: list[ManagedEndpoint], rights: dict[str, Any]) -> None:
    """Raise InvalidInput when an endpoint can't be granted the rights that its partner gets."""
    errors = []
    for endpoint in endpoints:
        try:
            values = with_rights(without_secrets(endpoint.settings), rights)
            EndpointSettings.model_validate(values, context=WITHOUT_SECRETS)
        except ValidationError as error:
            errors += [
                FieldError(mistake.field, f"of endpoint {endpoint.name}: {mistake.problem}")
                for mistake in reported(error, EndpointSettings, values, {}, ())
            ]
    if errors:
        raise InvalidInput(errors)
