"""The feeds of a newsroom, and what is ordered of their past."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from worker.cli.management import at_the_shell
from worker.cli.newsrooms.api import Refused, api_of
from worker.cli.terminal import Failed, feed_names

if TYPE_CHECKING:
    from pathlib import Path

    from worker.cli.newsrooms.api import Api
    from worker.runtime.services import Services
    from worker.store.feed_orders import Action

Row = dict[str, Any]


class LocalFeeds:
    """Feeds beside Redis."""

    def __init__(self, config: Path | None, data: Path | None) -> None:
        from worker.cli.running_newsroom import redis_alone

        self._place = config, data
        self._settings, self._store = redis_alone(config, data)

    @cached_property
    def _services(self) -> Services:
        from worker.cli.running_newsroom import newsroom

        return newsroom(*self._place)

    def rows(self) -> list[Row]:
        """Return all feeds and patterns of feeds, by name."""
        from worker.receivers.feed_rows import rows_of

        definitions = sorted(self._settings.feeds, key=lambda definition: definition.name)
        of_the_file = {endpoint.name: endpoint.feed for endpoint in self._settings.endpoints}
        return rows_of(self._store, definitions, of_the_file)

    def parked(self) -> list[Row]:
        """Return the articles that the gate keeps out of feed formats."""
        from worker.receivers.parked_rows import parked_rows

        # Formats of the newsroom's own are listed once they are in use.
        return parked_rows(self._services.store)

    def address(self) -> str:
        """Return below which address the feeds are served."""
        return self._settings.site.base_url

    def order(self, feed: str, action: Action, rate: float, *, dry_run: bool) -> Row:
        """Order that the past of a feed is pushed or withdrawn, or say what that would be. Raises Failed."""
        from worker.newsroom.feed_orders import order_past
        from worker.record.availability import RecordAway

        services = self._services
        if feed in services.publication.patterns:
            raise _pattern(feed, action)
        if services.publication.feed(feed) is None:
            raise _no_feed(feed, action, feed_names(services.settings))
        audit = services.management.audit
        try:
            return order_past(
                services.store, services.recorded, audit, at_the_shell(), feed, action, rate, dry_run=dry_run
            )
        except RecordAway as error:
            raise Failed(str(error)) from None

    def progress(self, feed: str) -> Row | None:
        """Return how far the last order of a feed is; None: there was none."""
        from worker.newsroom.feed_orders import progress_of

        return progress_of(self._store, feed)


class RemoteFeeds:
    """Feeds over the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def rows(self) -> list[Row]:
        """Return all feeds and patterns of feeds, by name."""
        return list(self._api.items("feeds"))

    def parked(self) -> list[Row]:
        """Return the articles that the gate keeps out of feed formats."""
        return list(self._api.items("parked"))

    def address(self) -> str:
        """Return below which address the feeds are served."""
        return str(self._api.newsroom()["base_url"])

    def order(self, feed: str, action: Action, rate: float, *, dry_run: bool) -> Row:
        """Order that the past of a feed is pushed or withdrawn, or say what that would be. Raises Failed."""
        value = {"action": action, "rate": rate, "dry_run": dry_run}
        try:
            row: Row = self._api.post("feeds", feed, "orders", value=value)
        except Refused as error:
            if error.status_code != 404:
                raise
            rows = self.rows()
            if any(row["name"] == feed for row in rows):
                raise _pattern(feed, action) from None
            raise _no_feed(feed, action, ", ".join(row["name"] for row in rows)) from None
        return row

    def progress(self, feed: str) -> Row | None:
        """Return how far the last order of a feed is; None: there was none."""
        try:
            row: Row = self._api.get("feeds", feed, "orders")
        except Refused as error:
            if error.status_code == 404:
                return None
            raise
        return row


def feeds_of(config: Path | None, data: Path | None) -> LocalFeeds | RemoteFeeds:
    """Return the feeds of the newsroom that is meant. Raises Failed."""
    api = api_of(config, data)
    return RemoteFeeds(api) if api else LocalFeeds(config, data)


def _pattern(feed: str, action: str) -> Failed:
    return Failed(f"--{action}: {feed} is a pattern of feeds; name one of them", 2)


def _no_feed(feed: str, action: str, names: str) -> Failed:
    return Failed(f"--{action}: there is no feed {feed}; known: {names}", 2)
