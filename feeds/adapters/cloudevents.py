"""CloudEvents 1.0: our event travels as `data`; id, type and time may be told by the envelope instead.

Sources: CloudEvents 1.0.2, JSON format (structured and batched mode) and HTTP protocol binding (binary mode).

The `cloudevents` package is not used: its errors would have to be mapped to the names that were sent (`source` or
`ce-source`) and to the event's id, the JSON is parsed already when it comes here, and to read the few attributes that
we take is less code than that mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from feeds.errors import FieldError, InvalidEvent

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"

_SHARED = ("id", "type", "time")


def structured(value: Any) -> dict[str, Any]:
    """Return the event in one CloudEvent in JSON. Raises InvalidEvent naming the attribute that is wrong."""
    if not isinstance(value, dict):
        raise InvalidEvent([FieldError("", "a CloudEvent must be a JSON object")])
    _check(value)
    if "data_base64" in value:
        raise InvalidEvent([FieldError("data_base64", "is not taken; send JSON as data")], _text(value.get("id")))
    return _merged(value, value.get("data"), "data")


def binary(headers: Mapping[str, str], data: Any) -> dict[str, Any]:
    """Return the event whose attributes are in `headers` (names in lower case) and whose `data` is the body."""
    attributes = {name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    _check(attributes, prefix="ce-")
    return _merged(attributes, data, "")


def _check(attributes: Mapping[str, Any], prefix: str = "") -> None:
    event_id = _text(attributes.get("id"))
    if attributes.get("specversion") != "1.0":
        raise InvalidEvent([FieldError(f"{prefix}specversion", 'must be "1.0"')], event_id)
    missing = [name for name in ("id", "source", "type") if not _text(attributes.get(name))]
    if missing:
        raise InvalidEvent([FieldError(prefix + name, "is missing") for name in missing], event_id)


def _merged(attributes: Mapping[str, Any], data: Any, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidEvent([FieldError(where, "must be a JSON object")], _text(attributes.get("id")))
    return {name: attributes[name] for name in _SHARED if name in attributes} | data


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
