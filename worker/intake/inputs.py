"""What the command line is given to read; for `dateline publish` as events: our own JSON, and what an adapter reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from feeds.adapters import ADAPTERS, ENDINGS, guess
from feeds.adapters.decode import MOST_BYTES
from feeds.adapters.interface import Adapter, InputDefaults
from feeds.errors import FieldError, InvalidEvent
from worker.outbound.fetch import FetchedPage, FetchError

_OPTIONS = {
    "article.id": "--url or --id",
    "article.url": "--url",
    "article.edition": "--edition",
    "article.published": "--timezone or site.timezone",
    "article.updated": "--timezone or site.timezone",
    "article.images": "--image",
}
"""What gives a field that an input does not say."""


class InputError(Exception):
    """An input that can't be read; the message begins with where it is."""


@dataclass(frozen=True, slots=True)
class Input:
    """One event of an input: where it stands, its decoded JSON, and what its adapter found missing."""

    where: str
    event: Any
    missing: tuple[FieldError, ...] = ()

    @property
    def article(self) -> str:
        """The id of its article; empty when it has none."""
        article = self.event.get("article") if isinstance(self.event, dict) else None
        name = article.get("id") if isinstance(article, dict) else None
        return name if isinstance(name, str) else ""


def within(source: str) -> list[str]:
    """Return the files in a folder and in the folders in it, by name, that may be articles; else the source itself.

    Raises InputError when the folder has none.
    """
    if source == "-" or source.startswith(("https://", "http://")) or not Path(source).is_dir():
        return [source]
    files = sorted(path for path in Path(source).rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not files:
        raise InputError(f"{source}: has no files that end in {', '.join(ENDINGS)}")
    return [str(path) for path in files]


def read(
    source: str, named: str, given: Callable[[str], InputDefaults], fetch: Callable[[str], FetchedPage]
) -> list[Input]:
    """Return the events in a file, at an http(s) address or, for "-", in standard input.

    `named` is an adapter's name, or empty: then it is guessed where it is plain, and our own JSON otherwise. `given`
    says what is given to the adapter of a name. Raises InputError.
    """
    where = place(source)
    said, address = content(source, fetch, MOST_BYTES)
    adapter = ADAPTERS[named] if named else guess(said, "" if address else source)
    if adapter is not None:
        known = given(adapter.name)
        return [_adapted(adapter, said, replace(known, url=known.url or address), where)]
    return _native(said, where)


def content(source: str, fetch: Callable[[str], FetchedPage], most: int) -> tuple[bytes, str]:
    """Return what is in a file, at an http(s) address or in standard input ("-"), and its address if it has one.

    A file is read up to one byte beyond `most`. Raises InputError.
    """
    where = place(source)
    if source.startswith(("https://", "http://")):
        try:
            page = fetch(source)
        except FetchError as error:
            raise InputError(f"{where}: {error}") from None
        return page.content, page.url
    try:
        if source == "-":
            return sys.stdin.buffer.read(most + 1), ""
        with Path(source).open("rb") as file:
            return file.read(most + 1), ""
    except OSError as error:
        raise InputError(f"{where}: {error.strerror}") from None


def place(source: str) -> str:
    """What a source is called in messages."""
    return "standard input" if source == "-" else source


def _adapted(adapter: Adapter, said: bytes, given: InputDefaults, where: str) -> Input:
    try:
        adapted = adapter.read(said, given)
    except InvalidEvent as error:
        raise InputError(f"{where}: {', '.join(map(hinted, error.errors)) or error}") from None
    # A person asks for it now, perhaps for what was said before once more: an id of its own, so that it counts.
    return Input(where, adapted.event | {"id": f"publish-{uuid4()}"}, adapted.missing)


def hinted(note: FieldError) -> str:
    """What is wrong or missing in an input, with the option that gives it where there is one."""
    option = _OPTIONS.get(note.field, "")
    if note.field in {"article.published", "article.updated"} and "time zone" not in note.problem:
        option = ""
    return f"{note} ({option} gives it)" if option else str(note)


def _native(said: bytes, where: str) -> list[Input]:
    if len(said) > MOST_BYTES:
        raise InputError(f"{where}: has more than {MOST_BYTES:,} bytes; publish it in parts")
    try:
        value = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is no JSON: {error}") from None
    values = value if isinstance(value, list) else [value]
    if not values:
        raise InputError(f"{where}: the array has no event in it")
    return [
        Input(where if value is item else f"{where}, number {number}", _as_event(item))
        for number, item in enumerate(values, 1)
    ]


def _as_event(value: Any) -> Any:
    """A bare article as the event that publishes it."""
    if isinstance(value, dict) and "type" not in value and "article" not in value and "headline" in value:
        return {"id": f"publish-{uuid4()}", "type": "article.published", "article": value}
    return value
