"""The people who may sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.management import at_the_shell, management
from worker.cli.newsrooms.api import api_of
from worker.cli.terminal import settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.cli.newsrooms.api import Api

Row = dict[str, Any]


class LocalPeople:
    """People in the record."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        self._place = config, data

    def rows(self) -> list[Row]:
        """Return all, by name."""
        with management(*self._place) as newsroom:
            return [person.described() for person in newsroom.people.list(at_the_shell())]

    def add(self, name: str, role: str, password: str | None, subject: str | None) -> Row:
        """Let somebody sign in."""
        with management(*self._place) as newsroom:
            return newsroom.people.add(at_the_shell(), name, role, password, subject).described()

    def remove(self, name: str) -> None:
        """Let somebody sign in no longer."""
        with management(*self._place) as newsroom:
            newsroom.people.remove(at_the_shell(), name)

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password."""
        with management(*self._place) as newsroom:
            newsroom.people.set_password(at_the_shell(), name, password)

    def link(self, name: str) -> str:
        """Return the address that signs somebody in, once."""
        from worker.management.desk_sessions import sign_in_address

        with management(*self._place) as newsroom:
            token = newsroom.sessions.make_link(at_the_shell(), name)
        return sign_in_address(settings_of(*self._place).site.base_url, token)


class RemotePeople:
    """People over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def rows(self) -> list[Row]:
        """Return all, by name."""
        return list(self._api.items("users"))

    def add(self, name: str, role: str, password: str | None, subject: str | None) -> Row:
        """Let somebody sign in."""
        value = {"name": name, "role": role, "password": password, "subject": subject}
        row: Row = self._api.post("users", value=value)
        return row

    def remove(self, name: str) -> None:
        """Let somebody sign in no longer."""
        self._api.delete("users", name)

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password."""
        self._api.put("users", name, "password", value={"password": password})

    def link(self, name: str) -> str:
        """Return the address that signs somebody in, once."""
        return str(self._api.post("users", name, "links")["url"])


def people(config: Path | None, data: Path | None) -> LocalPeople | RemotePeople:
    """Return the people of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemotePeople(api) if api else LocalPeople(config, data)
