"""Partners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.management import at_the_shell, management
from worker.cli.newsrooms.api import api_of
from worker.cli.terminal import settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.cli.newsrooms.api import Api

Row = dict[str, Any]


class LocalPartners:
    """Partners in the record."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        self._place = config, data

    def rows(self) -> list[Row]:
        """Return all, by name."""
        with management(*self._place) as newsroom:
            return [partner.described() for partner in newsroom.partners.list(at_the_shell())]

    def get(self, name: str) -> tuple[Row, str]:
        """Return one, and its revision."""
        with management(*self._place) as newsroom:
            partner = newsroom.partners.get(at_the_shell(), name)
        return partner.described(), str(partner.revision)

    def create(self, name: str, values: Row) -> Row:
        """Create one."""
        with management(*self._place) as newsroom:
            return newsroom.partners.create(at_the_shell(), name, values).described()

    def change(self, name: str, values: Row, revision: str) -> Row:
        """Give one these settings in place of its own, if it has still that revision."""
        with management(*self._place) as newsroom:
            return newsroom.partners.change(at_the_shell(), name, values, int(revision)).described()

    def remove(self, name: str) -> None:
        """Remove one."""
        with management(*self._place) as newsroom:
            newsroom.partners.remove(at_the_shell(), name)

    def links(self, name: str) -> list[Row]:
        """Return the links to a partner's page that can be used."""
        from worker.management.partner_links import described

        with management(*self._place) as newsroom:
            return [described(link) for link in newsroom.links.list(at_the_shell(), name)]

    def link(self, name: str, days: int) -> Row:
        """Make a link to a partner's page."""
        from worker.management.partner_links import address, described

        with management(*self._place) as newsroom:
            link, secret = newsroom.links.make(at_the_shell(), name, days)
        return {**described(link), "url": address(settings_of(*self._place).site.base_url, secret)}

    def revoke(self, name: str, link: str) -> None:
        """Revoke a link."""
        with management(*self._place) as newsroom:
            newsroom.links.revoke(at_the_shell(), name, link)


class RemotePartners:
    """Partners over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def rows(self) -> list[Row]:
        """Return all, by name."""
        return list(self._api.items("partners"))

    def get(self, name: str) -> tuple[Row, str]:
        """Return one, and its ETag."""
        return self._api.tagged("partners", name)

    def create(self, name: str, values: Row) -> Row:
        """Create one."""
        row: Row = self._api.post("partners", value={"name": name, **values})
        return row

    def change(self, name: str, values: Row, revision: str) -> Row:
        """Give one these settings in place of its own, if it has still that ETag."""
        row: Row = self._api.put("partners", name, value=values, revision=revision)
        return row

    def remove(self, name: str) -> None:
        """Remove one."""
        self._api.delete("partners", name)

    def links(self, name: str) -> list[Row]:
        """Return the links to a partner's page that can be used."""
        return list(self._api.items("partners", name, "links"))

    def link(self, name: str, days: int) -> Row:
        """Make a link to a partner's page."""
        row: Row = self._api.post("partners", name, "links", value={"days": days})
        return row

    def revoke(self, name: str, link: str) -> None:
        """Revoke a link."""
        self._api.delete("partners", name, "links", link)


def partners(config: Path | None, data: Path | None) -> LocalPartners | RemotePartners:
    """Return the partners of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemotePartners(api) if api else LocalPartners(config, data)
