"""Reading JSON that anybody may have written, and the checks that several formats share."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from feeds.validation import values
from feeds.validation.finding import Finding, Findings, Source

DEPTH_MOST = 100
"""Objects and arrays within each other; no document of any format comes near."""
_TOO_DEEP = Finding(None, "json.depth", f"is nested deeper than {DEPTH_MOST}")


def read_object(document: bytes, *, legible_by: Source = "house") -> Generator[Finding, None, dict[str, Any] | None]:
    """Return the object that the document is, or None if it is not one; what is wrong so far is yielded.

    legible_by: who asks that its texts are legible.
    """
    value = _parse(document)
    if isinstance(value, Finding):
        yield value
        return None
    for finding in legible(value):
        yield finding._replace(source=legible_by)
    return value


def _parse(document: bytes) -> dict[str, Any] | Finding:
    """Return the object that the document is, or why it is not one (RFC 8259)."""
    try:
        value = loaded(document)
    except UnicodeDecodeError as error:
        return Finding(document[: error.start].count(b"\n") + 1, "json.utf-8", f"is not UTF-8: {error.reason}")
    except json.JSONDecodeError as error:
        return Finding(error.lineno, "json.well-formed", f"is no JSON: {error.msg}")
    except RecursionError:
        return _TOO_DEEP
    except ValueError as error:
        return Finding(None, "json.well-formed", f"is no JSON: {error}")
    if not isinstance(value, dict):
        return Finding(1, "json.object", "must be an object")
    # Nearly all have too few brackets to be too deep.
    brackets = document.count(b"{") + document.count(b"[")
    return value if brackets <= DEPTH_MOST or _depth(value) <= DEPTH_MOST else _TOO_DEEP


def loaded(document: bytes) -> Any:
    """Return what a document of JSON says; NaN and Infinity are none (RFC 8259). Raises ValueError, RecursionError."""
    try:
        return from_json(document, allow_inf_nan=False)
    except ValueError:
        # It takes a third of the time and nothing that is no JSON; the other one says what is wrong, and where.
        return json.loads(document.decode("utf-8"), parse_constant=_refuse)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return depth


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def required(value: Mapping[str, Any], rule: str, *names: str) -> Findings:
    """Each of `names` must be the name of a text that is not empty."""
    for name in names:
        if not isinstance(value.get(name), str) or not value[name].strip():
            yield Finding(None, f"{rule}.{name}", f"{name} must be text that is not empty")


def moments(value: Mapping[str, Any], rule: str, *names: str) -> Findings:
    """The members with these names must be times (RFC 3339), and none may lie before the one before it."""
    last: datetime | None = None
    for name in names:
        if value.get(name) is None:
            continue
        moment = values.rfc3339(value[name]) if isinstance(value[name], str) else None
        if moment is None:
            yield Finding(None, f"{rule}.{name}", f"{name} {value[name]!r} is no valid time")
            continue
        if last is not None and moment < last:
            yield Finding(None, f"{rule}.dates", f"{name} must not lie before {last.isoformat()}")
        last = moment


def addresses(value: Mapping[str, Any], rule: str, *names: str, schemes: tuple[str, ...] = ()) -> Findings:
    """The members with these names must be absolute URLs."""
    for name in names:
        url = value.get(name)
        if url is not None and not (isinstance(url, str) and values.url(url, *schemes)):
            yield Finding(None, f"{rule}.{name}", f"{name} {url!r} is no absolute, percent-encoded URL")


def each_object(
    value: Mapping[str, Any], rule: str, name: str, check: Callable[[dict[str, Any]], Findings]
) -> Findings:
    """Check every object of the array `name`, which must hold nothing else."""
    array = value.get(name, [])
    if not isinstance(array, list):
        yield Finding(None, f"{rule}.{name}", f"{name} must be an array")
        return
    for member in array:
        if isinstance(member, dict):
            yield from check(member)
        else:
            yield Finding(None, f"{rule}.{name}", f"{name} must hold objects")


def legible(value: Any, path: str = "") -> Findings:
    """No text may have control characters or overrides."""
    if not path and _is_legible(value):
        # Nearly always; so nobody has to know where each text stands.
        return
    if isinstance(value, str) and not values.clean(value):
        yield Finding(None, "text.characters", f"{path or 'it'} has control characters or overrides")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from legible(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from legible(member, f"{path}.{position}")


def _is_legible(value: Any) -> bool:
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, str):
            if not part.isprintable() and not values.clean(part):
                return False
        elif isinstance(part, dict):
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)
    return True
