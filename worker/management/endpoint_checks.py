"""The settings of a managed endpoint, checked as those of the settings file are, with every bad field named."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from config.credentials import TlsSettings
from config.destination_settings import table_of
from config.endpoint_settings import EndpointSettings
from config.mistakes import reported, wrong_feed
from config.value_types import BESIDE_THE_SETTINGS, is_pem
from feeds.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NO_FILES = "names a file of the server, which only the settings file may: give its text, where that can be"
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def checked(values: Mapping[str, Any], feed_names: Sequence[str], rights: Mapping[str, Any]) -> EndpointSettings:
    """Return the settings of an endpoint, whole, with its secrets.

    `feed_names`: the feeds and patterns of feeds that there are; `rights`: of its partner, where it has none of its
    own. Raises InvalidInput.
    """
    errors = []
    feed = values.get("feed")
    if isinstance(feed, str) and (problem := wrong_feed(feed, feed_names)):
        errors.append(FieldError("feed", problem))
    values = deepcopy(dict(values))
    for field, table, key in list(_files(values)):
        errors.append(FieldError(field, _NO_FILES))
        # Whoever may not name a file does not learn from us whether it is there.
        del table[key]
    try:
        settings = EndpointSettings.model_validate(with_rights(values, rights))
    except ValidationError as error:
        errors = [*reported(error, EndpointSettings, values, {}, ()), *errors]
    if errors:
        raise InvalidInput(errors)
    return settings


def with_rights(values: Mapping[str, Any], rights: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an endpoint with the rights of its partner where it says none itself."""
    own = values.get("rights", {})
    return {**values, "rights": {**rights, **own}} if rights and isinstance(own, dict) else dict(values)


def _files(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield what names a file: its field, and the table and key where it stands."""
    for name, certificates in tls_tables(values):
        for key, pem in certificates.items():
            if key in TlsSettings.model_fields and isinstance(pem, str) and not is_pem(pem):
                yield f"{name}.{key}", certificates, key
    own, name = EndpointSettings.of_kind(values.get("kind")), table_of(str(values.get("kind")))
    table = values.get(name)
    if own is not None and isinstance(table, dict):
        for key, field in own.model_fields.items():
            if BESIDE_THE_SETTINGS in field.metadata and table.get(key):
                yield f"{name}.{key}", table, key


def tls_tables(values: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tables of certificates in the settings of an endpoint, with their names."""
    auth = values.get("auth")
    for name, table in (("tls", values.get("tls")), ("auth.tls", auth.get("tls") if isinstance(auth, dict) else None)):
        if isinstance(table, dict):
            yield name, table


def written(settings: EndpointSettings) -> dict[str, Any]:
    """Return the settings of an endpoint of the file as they may be written, with secrets that are not shown."""
    values = settings.model_dump(mode="json", exclude_unset=True)
    if settings.rights.delay is not None:
        values["rights"]["delay"] = _span(settings.rights.delay)
    return values


def _span(delay: timedelta) -> str:
    """A span of time as settings have it."""
    seconds = int(delay.total_seconds())
    unit, length = next((unit, length) for unit, length in _UNITS if seconds % length == 0)
    return f"{seconds // length}{unit}"
