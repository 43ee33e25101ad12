"""API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.management import at_the_shell, management
from worker.cli.newsrooms.api import api_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from worker.cli.newsrooms.api import Api

Row = dict[str, Any]
BoundNames = dict[str, list[str] | None]


class LocalKeys:
    """Keys in the record."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        self._place = config, data

    def rows(self) -> list[Row]:
        """Return all, by name and age."""
        with management(*self._place) as newsroom:
            return [key.described() for key in newsroom.keys.list(at_the_shell())]

    def create(self, name: str, scopes: list[str], bounds: BoundNames, expires: datetime | None) -> Row:
        """Create one; its row has the key itself as `key`."""
        from feeds.moments import ms
        from worker.management.callers import Bounds

        limits = Bounds(**{noun: None if names is None else tuple(names) for noun, names in bounds.items()})
        end = None if expires is None else ms(expires)
        with management(*self._place) as newsroom:
            created = newsroom.keys.create(at_the_shell(), name, scopes, limits, end)
        return {**created.key.described(), "key": created.token}

    def revoke(self, key_id: str) -> Row:
        """Revoke one."""
        with management(*self._place) as newsroom:
            return newsroom.keys.revoke(at_the_shell(), key_id).described()


class RemoteKeys:
    """Keys over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def rows(self) -> list[Row]:
        """Return all, by name and age."""
        return list(self._api.items("keys"))

    def create(self, name: str, scopes: list[str], bounds: BoundNames, expires: datetime | None) -> Row:
        """Create one; its row has the key itself as `key`."""
        end = None if expires is None else expires.isoformat()
        row: Row = self._api.post("keys", value={"name": name, "scopes": scopes, "bounds": bounds, "expires": end})
        return row

    def revoke(self, key_id: str) -> Row:
        """Revoke one."""
        row: Row = self._api.delete("keys", key_id)
        return row


def keys(config: Path | None, data: Path | None) -> LocalKeys | RemoteKeys:
    """Return the keys of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteKeys(api) if api else LocalKeys(config, data)
