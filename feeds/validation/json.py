"""Reading JSON that may be anybody's, and the questions that several formats ask of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from feeds.validation import values
from feeds.validation.finding import Finding, Findings

DEPTH_MOST = 100
"""Objects and arrays within each other; no format comes near."""
_TOO_DEEP = Finding(None, "json.depth", f"is nested deeper than {DEPTH_MOST}")


def parse(document: bytes) -> dict[str, Any] | Finding:
    """Return the object that the document is, or why it is none (RFC 8259)."""
    try:
        value = json.loads(document.decode("utf-8"), parse_constant=_refuse)
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
    return value if _depth(value) <= DEPTH_MOST else _TOO_DEEP


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]
    return depth


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def required(value: Mapping[str, Any], rule: str, *names: str) -> Findings:
    """Each of `names` must be there as text that is not empty."""
    for name in names:
        if not isinstance(value.get(name), str) or not value[name].strip():
            yield Finding(None, f"{rule}.{name}", f"{name} must be text that is not empty")


def moments(value: Mapping[str, Any], rule: str, *names: str) -> Findings:
    """Those of `names` that are there must be times of RFC 3339, none before the one before it."""
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
    """Those of `names` that are there must be absolute URLs."""
    for name in names:
        said = value.get(name)
        if said is not None and not (isinstance(said, str) and values.url(said, *schemes)):
            yield Finding(None, f"{rule}.{name}", f"{name} {said!r} is no absolute, percent-encoded URL")


def objects(value: Mapping[str, Any], rule: str, name: str) -> Iterable[dict[str, Any] | Finding]:
    """The objects of the array `name`; a finding where it holds something else."""
    array = value.get(name, [])
    if not isinstance(array, list):
        yield Finding(None, f"{rule}.{name}", f"{name} must be an array")
        return
    for member in array:
        yield member if isinstance(member, dict) else Finding(None, f"{rule}.{name}", f"{name} must hold objects")


def legible(value: Any, path: str = "") -> Findings:
    """No text may have control characters or overrides."""
    if isinstance(value, str) and not values.clean(value):
        yield Finding(None, "text.characters", f"{path or 'it'} has control characters or overrides")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from legible(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from legible(member, f"{path}.{position}")
