"""Reads CloudEvents 1.0: our event is the `data`; its id, type and time may stand in the envelope instead.

Sources: CloudEvents 1.0.2, JSON format (structured and batched mode) and HTTP protocol binding (binary mode).

Why not the `cloudevents` package: we would have to map its errors to the names that the sender used (`source` or
`ce-source`) and to the event's id, and our JSON is parsed already. Reading the few attributes that we need takes less
code than that mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from feeds.errors import FieldError, InvalidEvent

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"

_ENVELOPE_FIELDS = ("id", "type", "time")


def structured(value: Any) -> dict[str, Any]:
    """Return the event in a CloudEvent in JSON. Raises InvalidEvent that names the wrong attribute."""
    if not isinstance(value, dict):
        raise InvalidEvent([FieldError("", "a CloudEvent must be a JSON object")])
    _check_attributes(value)
    if "data_base64" in value:
        raise InvalidEvent([FieldError("data_base64", "is not taken; send JSON as data")], _text(value.get("id")))
    return _with_envelope(value, value.get("data"), "data")


def binary(headers: Mapping[str, str], data: Any) -> dict[str, Any]:
    """Return the event with its attributes in `headers` (names in lower case) and its `data` as the body.

    Raises InvalidEvent that names the wrong header.
    """
    attributes = {name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    _check_attributes(attributes, prefix="ce-")
    return _with_envelope(attributes, data, "")


def _check_attributes(attributes: Mapping[str, Any], prefix: str = "") -> None:
    event_id = _text(attributes.get("id"))
    if attributes.get("specversion") != "1.0":
        raise InvalidEvent([FieldError(f"{prefix}specversion", 'must be "1.0"')], event_id)
    missing = [name for name in ("id", "source", "type") if not _text(attributes.get(name))]
    if missing:
        raise InvalidEvent([FieldError(prefix + name, "is missing") for name in missing], event_id)


def _with_envelope(attributes: Mapping[str, Any], data: Any, field: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidEvent([FieldError(field, "must be a JSON object")], _text(attributes.get("id")))
    return {name: attributes[name] for name in _ENVELOPE_FIELDS if name in attributes} | data


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
