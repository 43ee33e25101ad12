"""Mistakes in settings: which there are between tables, and under which key each is reported.

pydantic checks each table by itself and names a value by its place in the tree. Users know neither: they wrote a key in
a file or the name of a variable, and call a feed or an endpoint by its name. So a mistake is reported under the name
that the user wrote, in the words of TOML, with the table's name in place of its position.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.setting_sources import Location, Model, Source, unknown_key, written_key
from feeds.errors import FieldError, listed
from feeds.field_errors import field_errors
from feeds.patterns import pattern_of, slug_of

_NAMED = ("feeds", "endpoints", "formats")
"""The lists of tables that have names; mistakes in them are reported by these."""
_BARE_NAME = re.compile(r"(?![0-9]+\Z)[a-z0-9_/*-]+")
"""A name that needs no quotes in a key. Any other name is a mistake itself."""
_NAME_CHARACTERS = 100
"""How many characters of a wrong name are shown."""

# What pydantic says in the words of Python, in the words of TOML.
_IN_TOML = {
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "path_type": "must be a path",
}


def reported(
    error: ValidationError,
    model: Model,
    values: Mapping[str, Any],
    written: Mapping[Location, str],
    absent: Collection[Location],
) -> Iterator[FieldError]:
    """Yield the mistakes that pydantic found in settings for `model`, under the keys that the user wrote.

    `values`: the settings as they were written. `absent`: where a value is missing because `NAME_file` or `NAME_env`
    did not give it, which is reported already.
    """
    details = error.errors(include_url=False, include_input=False)
    for detail, mistake in zip(details, field_errors(error), strict=True):
        kind, location = detail["type"], detail["loc"]
        if kind == "missing" and location in absent:
            continue
        problem = unknown_key(model, location) if kind == "extra_forbidden" else _IN_TOML.get(kind, mistake.problem)
        yield FieldError(written_key(_place(location, values, written), written), problem.removeprefix("value error, "))


def _place(location: Location, values: Any, written: Mapping[Location, str]) -> Location:
    """The location without the position of what is no list where it was written, but a text of its own.

    So it is with one secret where there may be several, and with the only line of a file or item of a variable.
    """
    place: list[str | int] = []
    for part in location:
        is_alone = isinstance(values, str) or (tuple(place) in written and _is_one_text(values))
        if not (isinstance(part, int) and is_alone):
            place.append(part)
        try:
            values = values[part]
        except (TypeError, LookupError):
            values = None
    return tuple(place)


def _is_one_text(values: Any) -> bool:
    return isinstance(values, list) and len(values) == 1 and isinstance(values[0], str)


def by_table_name(error: FieldError, source: Source) -> FieldError:
    """Name the feed or endpoint of a mistake by its name instead of its position, where it has a name."""
    for list_name in _NAMED:
        key = written_key((list_name,), source.written)
        position, _, rest = error.field.removeprefix(f"{key}.").partition(".")
        names = dict(_texts(source.values, list_name, "name"))
        if error.field.startswith(f"{key}.") and position.isdecimal() and int(position) in names:
            parts = [key, _unambiguous(names, int(position)), rest]
            return FieldError(".".join(filter(None, parts)), error.problem)
    return error


def _unambiguous(names: Mapping[int, str], position: int) -> str:
    """Return the name at `position` as it stands in a key; where several tables have it, with which of them it is."""
    name = names[position]
    shown = name if _BARE_NAME.fullmatch(name) else json.dumps(name[:_NAME_CHARACTERS], ensure_ascii=False)
    positions = [place for place, other in names.items() if other == name]
    return f"{shown} ({positions.index(position) + 1} of {len(positions)})" if len(positions) > 1 else shown


def detail(kind: str, problem: str, location: Location) -> InitErrorDetails:
    """Return a mistake in the form from which pydantic makes a ValidationError."""
    reason = problem.removeprefix("Value error, ")
    return InitErrorDetails(type=PydanticCustomError(kind, "{problem}", {"problem": reason}), loc=location, input=None)


def conflicts(values: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong between settings: two tables of one name, endpoints of no feed, a password for nothing."""
    for list_name in _NAMED:
        names = set()
        for position, name in _texts(values, list_name, "name"):
            if name in names:
                yield (list_name, position, "name"), "is the name of another one too"
            names.add(name)
    if values.get("record_password") and (problem := _wrong_with_password(values.get("record_url"))):
        yield ("record_password",), problem
    for position, kind in _texts(values, "endpoints", "kind"):
        if kind == "pull":
            problem = "is not for the settings file: who reads it is a partner of the API, which makes it (docs/api.md)"
            yield ("endpoints", position, "kind"), problem
    yield from _unsigned(values)
    yield from _unknown_feeds(values)


def _unsigned(values: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield which endpoints want a public signature that can't be made."""
    if not values.get("signing_keys"):
        for position, is_signed in _values(values, "endpoints", "public_signature"):
            if is_signed:
                yield ("endpoints", position, "public_signature"), "needs signing_keys, and there are none"


def _unknown_feeds(values: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield what names a feed that another one is called, and which endpoints get a feed that does not exist."""
    feed_names = list(dict.fromkeys(name for _, name in _texts(values, "feeds", "name")))
    names_in_use = set(feed_names)
    for position, former in _texts_in_lists(values, "feeds", "renamed_from"):
        if former in names_in_use:
            problem = f"{former} is the name of a feed, or names another feed too"
            yield ("feeds", position, "renamed_from"), problem
        names_in_use.add(former)
    for position, feed in _texts(values, "endpoints", "feed"):
        if problem := wrong_feed(feed, feed_names):
            yield ("endpoints", position, "feed"), problem


def wrong_feed(feed: str, feed_names: Sequence[str]) -> str:
    """Say what is wrong with a feed as that of an endpoint, where these are the feeds and patterns; empty: nothing."""
    part = feed.rpartition("/")[2]
    of_pattern = pattern_of(feed) in feed_names and slug_of(part) == part != ""
    if (feed not in feed_names or feed.endswith("*")) and not of_pattern:
        return f"there is no feed {feed}; known: {listed(feed_names)}"
    return ""


def _wrong_with_password(record_url: Any) -> str:
    """What is wrong with giving a password beside this address; empty: nothing, or the address is wrong itself."""
    if record_url is None:
        return "is for PostgreSQL: it needs a record_url"
    try:
        parts = urlsplit(str(record_url))
        password = parts.password
    except ValueError:
        return ""
    if parts.scheme == "sqlite":
        return "is for PostgreSQL: a record on SQLite has none"
    return "" if password is None else "record_url has a password too; keep one of the two"


def _texts(values: Mapping[str, Any], list_name: str, key: str) -> Iterator[tuple[int, str]]:
    """Yield the position of each table and its value under `key`, if that is a text: nothing is checked yet."""
    for position, value in _values(values, list_name, key):
        if isinstance(value, str):
            yield position, value


def _texts_in_lists(values: Mapping[str, Any], list_name: str, key: str) -> Iterator[tuple[int, str]]:
    """Yield each text in the lists that the tables have under `key`, with the table's position."""
    for position, value in _values(values, list_name, key):
        for text in value if isinstance(value, list | tuple) else ():
            if isinstance(text, str):
                yield position, text


def _values(values: Mapping[str, Any], list_name: str, key: str) -> Iterator[tuple[int, Any]]:
    tables = values.get(list_name, ())
    for position, table in enumerate(tables if isinstance(tables, list | tuple) else ()):
        yield position, table.get(key) if isinstance(table, dict) else getattr(table, key, None)
