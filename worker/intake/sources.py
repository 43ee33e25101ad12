"""Reads what the command line names: files, folders, http(s) addresses, and "-" for standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.adapters import ENDINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.outbound.fetch import FetchedPage


class InputError(Exception):
    """An input that can't be read; the message begins with where it is."""


def files_within(source: str) -> list[str]:
    """Return the files in a folder and in the folders in it, by name, that may be articles; else the source itself.

    Raises InputError when the folder has none.
    """
    if source == "-" or source.startswith(("https://", "http://")) or not Path(source).is_dir():
        return [source]
    files = sorted(path for path in Path(source).rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not files:
        raise InputError(f"{source}: has no files that end in {', '.join(ENDINGS)}")
    return [str(path) for path in files]


def read_bytes(source: str, fetch: Callable[[str], FetchedPage], most: int) -> tuple[bytes, str]:
    """Return what is in a file, at an http(s) address or in standard input ("-"), and its address if it has one.

    A file is read up to one byte beyond `most`. Raises InputError, as `fetch` does.
    """
    name = source_name(source)
    if source.startswith(("https://", "http://")):
        page = fetch(source)
        return page.content, page.url
    try:
        if source == "-":
            return sys.stdin.buffer.read(most + 1), ""
        with Path(source).open("rb") as file:
            return file.read(most + 1), ""
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from None


def source_name(source: str) -> str:
    """What a source is called in messages."""
    return "standard input" if source == "-" else source
