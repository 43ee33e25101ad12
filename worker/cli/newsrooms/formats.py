"""The newsroom's own formats that are kept in the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.management import at_the_shell, management
from worker.cli.newsrooms.api import api_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.cli.newsrooms.api import Api

Row = dict[str, Any]


class LocalFormats:
    """Formats in the record."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        self._place = config, data

    def rows(self) -> list[Row]:
        """Return all, by name."""
        with management(*self._place) as newsroom:
            return [managed.described() for managed in newsroom.formats.list(at_the_shell())]

    def get(self, name: str) -> tuple[Row, str]:
        """Return one, and its revision."""
        with management(*self._place) as newsroom:
            managed = newsroom.formats.get(at_the_shell(), name)
        return managed.described(), str(managed.revision)

    def create(self, name: str, settings: Row) -> Row:
        """Create one."""
        with management(*self._place) as newsroom:
            return newsroom.formats.create(at_the_shell(), name, settings).described()

    def change(self, name: str, settings: Row, revision: str) -> Row:
        """Give one these settings in place of its own, if it has still that revision."""
        with management(*self._place) as newsroom:
            return newsroom.formats.change(at_the_shell(), name, settings, int(revision)).described()

    def remove(self, name: str) -> None:
        """Remove one."""
        with management(*self._place) as newsroom:
            newsroom.formats.remove(at_the_shell(), name)


class RemoteFormats:
    """Formats over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def rows(self) -> list[Row]:
        """Return all, by name."""
        return list(self._api.items("formats"))

    def get(self, name: str) -> tuple[Row, str]:
        """Return one, and its ETag."""
        return self._api.tagged("formats", name)

    def create(self, name: str, settings: Row) -> Row:
        """Create one."""
        row: Row = self._api.post("formats", value={"name": name, "settings": settings})
        return row

    def change(self, name: str, settings: Row, revision: str) -> Row:
        """Give one these settings in place of its own, if it has still that ETag."""
        row: Row = self._api.put("formats", name, value={"settings": settings}, revision=revision)
        return row

    def remove(self, name: str) -> None:
        """Remove one."""
        self._api.delete("formats", name)


def formats(config: Path | None, data: Path | None) -> LocalFormats | RemoteFormats:
    """Return the formats of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteFormats(api) if api else LocalFormats(config, data)
