"""Settings as people give them to commands: KEY=VALUE, a value as TOML has it, or a bare word."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from worker.cli.terminal import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def assigned(option: str, values: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Return settings with those that are assigned: `rate=5`, `rights.text=summary`. Raises Failed."""
    settings = deepcopy(dict(values))
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        *tables, name = key.strip().split(".")
        if not equals or not name or not all(tables):
            raise Failed(f"{option}: {assignment!r} must be KEY=VALUE, as in text=summary", 2)
        table = settings
        for part in tables:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise Failed(f"{option}: {key}: {part} is no table", 2)
        table[name] = _value(text.strip())
    return settings


def removed(option: str, values: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return settings without those that are named. Raises Failed for one that is not there."""
    settings = deepcopy(dict(values))
    for key in keys:
        *tables, name = key.strip().split(".")
        table: Any = settings
        for part in tables:
            table = table.get(part) if isinstance(table, dict) else None
        if not isinstance(table, dict) or name not in table:
            raise Failed(f"{option}: there is no {key}", 2)
        del table[name]
    return settings


def _value(text: str) -> Any:
    """A value as TOML has it; what is none there is the text itself."""
    import tomllib

    try:
        value = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    # A day or a time is text in our settings, and a line break would begin another key.
    return value["value"] if value.keys() == {"value"} and _is_json(value["value"]) else text


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    return isinstance(value, str | bool | int | float)


def read_settings(option: str, file: str) -> dict[str, Any]:
    """Return the settings in a file, as TOML or JSON; "-": in standard input. Raises Failed."""
    import json
    import sys
    import tomllib
    from pathlib import Path

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except OSError as error:
        raise Failed(f"{option}: {file} can't be read: {error.strerror}", 2) from None
    except ValueError:
        raise Failed(f"{option}: {file} is no text in UTF-8", 2) from None
    try:
        settings = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        raise Failed(f"{option}: {file}: {error}", 2) from None
    return dict(settings)
