"""The settings of a managed endpoint, checked as those of the settings file are, with every bad field named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from config.destination_settings import table_of
from config.endpoint_settings import EndpointSettings
from config.mistakes import reported, wrong_feed
from config.value_types import BESIDE_THE_SETTINGS
from feeds.errors import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def checked(values: Mapping[str, Any], feed_names: Sequence[str], rights: Mapping[str, Any]) -> EndpointSettings:
    """Return the settings of an endpoint, whole, with its secrets.

    `feed_names`: the feeds and patterns of feeds that there are; `rights`: of its partner, where it has none of its
    own. Raises InvalidInput.
    """
    errors = list(_mistakes(values, feed_names))
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


def _mistakes(values: Mapping[str, Any], feed_names: Sequence[str]) -> Iterator[FieldError]:
    feed = values.get("feed")
    if isinstance(feed, str) and (problem := wrong_feed(feed, feed_names)):
        yield FieldError("feed", problem)
    files = "names files of the server, which only the settings file may"
    if values.get("tls"):
        yield FieldError("tls", files)
    auth = values.get("auth")
    if isinstance(auth, dict) and auth.get("tls"):
        yield FieldError("auth.tls", files)
    own, name = EndpointSettings.of_kind(values.get("kind")), table_of(str(values.get("kind")))
    table = values.get(name)
    if own is not None and isinstance(table, dict):
        for key, field in own.model_fields.items():
            if BESIDE_THE_SETTINGS in field.metadata and table.get(key):
                yield FieldError(f"{name}.{key}", files)


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
