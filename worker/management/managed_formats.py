"""Formats of the newsroom's own that are kept in the record: created, changed and removed while everything runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from config.mistakes import reported
from feeds.errors import FieldError, InvalidInput, listed
from feeds.format_definition import FormatDefinition
from worker.management import copies
from worker.management.changes import Conflict, NotFound, see_that_it_is_current
from worker.management.copies import ManagedFormat
from worker.management.rules_trial import can_be_read
from worker.management.scopes import FORMATS_READ, FORMATS_WRITE
from worker.record import management as rows
from worker.record import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from worker.management.callers import Caller
    from worker.management.changes import Changes
    from worker.management.surroundings import Surroundings

FORMATS_MOST = 100
"""Most formats that are kept: each process has all of them ready."""
SETTINGS_MOST = 200_000
"""The longest settings of one format, as JSON, in characters: they go to every process with each change."""


class ManagedFormats:
    """The managed formats, in the record. `surroundings` is asked anew each time: settings are read again."""

    def __init__(self, changes: Changes, surroundings: Callable[[], Surroundings]) -> None:
        self._changes = changes
        self._surroundings = surroundings

    def list(self, caller: Caller) -> list[ManagedFormat]:
        """Return the formats, by name. Raises Forbidden, RecordAway."""
        caller.require(FORMATS_READ)
        with self._changes.reading() as connection:
            return list(map(copies.format_of, rows.rows(connection, tables.managed_formats)))

    def get(self, caller: Caller, name: str) -> ManagedFormat:
        """Return a format. Raises Forbidden, NotFound, RecordAway."""
        caller.require(FORMATS_READ)
        with self._changes.reading() as connection:
            return _format(connection, name)

    def create(self, caller: Caller, name: str, values: Mapping[str, Any]) -> ManagedFormat:
        """Create a format with these settings, as they would stand in the settings file.

        Raises Forbidden, InvalidInput, Conflict, RecordAway.
        """
        caller.require(FORMATS_WRITE)
        proven(name, values)
        if name in {definition.name for definition in self._surroundings().formats}:
            raise Conflict(f"there is a format {name} in the settings file: give this one another name")
        with self._changes.change(caller) as change:
            if rows.row(change.connection, tables.managed_formats, name) is not None:
                raise Conflict(f"there is a format {name} already")
            if len(rows.rows(change.connection, tables.managed_formats)) >= FORMATS_MOST:
                raise Conflict(f"there are {FORMATS_MOST} formats, which is the most: remove one that nobody needs")
            created = ManagedFormat(name=name, settings=dict(values), created=change.time, revision=change.revision)
            rows.save(change.connection, tables.managed_formats, _row(created))
            change.note("format.created", name, new=created.settings)
        return created

    def change(
        self, caller: Caller, name: str, values: Mapping[str, Any], revision: int | None = None
    ) -> ManagedFormat:
        """Give a format these settings in place of its own: what is sent from then on is created by them.

        `revision`: that of the format as the caller has seen it. Raises Forbidden, InvalidInput, NotFound, Conflict
        when endpoints need of it what it would have no longer, Outdated, RecordAway.
        """
        caller.require(FORMATS_WRITE)
        definition = proven(name, values)
        with self._changes.change(caller) as change:
            former = _format(change.connection, name)
            see_that_it_is_current("format", name, former.revision, revision)
            before = former.settings
            lost = definition.of != before.get("of", "article") or (before.get("embargo") and not definition.embargo)
            if lost and (endpoints := _endpoints_with(change.connection, name)):
                raise Conflict(f"of and embargo stay as they are while endpoints have {name}: {listed(endpoints)}")
            changed = former.model_copy(update={"settings": dict(values), "revision": change.revision})
            rows.save(change.connection, tables.managed_formats, _row(changed))
            change.note("format.changed", name, before, changed.settings)
        return changed

    def remove(self, caller: Caller, name: str, revision: int | None = None) -> None:
        """Remove a format that no endpoint has. Raises as `change` does."""
        caller.require(FORMATS_WRITE)
        with self._changes.change(caller) as change:
            former = _format(change.connection, name)
            see_that_it_is_current("format", name, former.revision, revision)
            if endpoints := _endpoints_with(change.connection, name):
                raise Conflict(f"endpoints have the format {name}: {listed(endpoints)}; give them another one first")
            rows.remove(change.connection, tables.managed_formats, name)
            change.note("format.removed", name, old=former.settings)


def proven(name: str, values: Mapping[str, Any]) -> FormatDefinition:
    """Return the definition of a format that somebody gives, tried out. Raises as `defined` does."""
    rules = values.get("rules")
    is_xml = isinstance(rules, str) and 0 < len(rules) <= SETTINGS_MOST and not rules.lstrip().startswith("{")
    if is_xml and not can_be_read(str(rules)):
        problem = "takes too long to be read, or too much memory: do its parts refer to each other many times?"
        raise InvalidInput([FieldError("rules", problem)])
    return defined(name, values)


def defined(name: str, values: Mapping[str, Any]) -> FormatDefinition:
    """Return the definition of a format, tried out. Raises InvalidInput, with the line of a template's mistake."""
    if values.get("name", name) != name:
        raise InvalidInput([FieldError("name", f"must be {name}, or be left out: a format keeps its name")])
    if len(json.dumps(values)) > SETTINGS_MOST:
        raise InvalidInput([FieldError("settings", f"must have at most {SETTINGS_MOST} characters in all")])
    try:
        return FormatDefinition.model_validate({**values, "name": name})
    except ValidationError as error:
        raise InvalidInput(list(reported(error, FormatDefinition, values, {}, ()))) from None


def _format(connection: Connection, name: str) -> ManagedFormat:
    row = rows.row(connection, tables.managed_formats, name)
    if row is None:
        raise NotFound(f"there is no format {name} that is kept in the record")
    return copies.format_of(row)


def _endpoints_with(connection: Connection, name: str) -> list[str]:
    endpoints = map(copies.endpoint_of, rows.rows(connection, tables.managed_endpoints))
    return [
        endpoint.name for endpoint in endpoints if endpoint.removed is None and endpoint.settings.get("format") == name
    ]


def _row(one_format: ManagedFormat) -> dict[str, Any]:
    return {**dict(one_format), "settings": json.dumps(one_format.settings)}
