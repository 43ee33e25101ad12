"""The partner endpoints that this process knows: those of its settings, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.destinations.endpoint import Endpoint


class EndpointDirectory:
    """The endpoints by name. `by_name` is replaced whole when the settings are read again; any thread may look."""

    def __init__(self) -> None:
        self.by_name: dict[str, Endpoint] = {}

    def in_article_mode(self, feed: str) -> list[str]:
        """Return the names of the feed's endpoints that get one request per article."""
        return [
            endpoint.name for endpoint in self.by_name.values() if (endpoint.feed, endpoint.mode) == (feed, "article")
        ]

    def feeds_with_early_access(self) -> set[str]:
        """Return the names of the feeds with an endpoint that may have articles before their embargo ends."""
        return {endpoint.feed for endpoint in self.by_name.values() if endpoint.early}

    def any_page_checks(self) -> bool:
        """Return whether any endpoint names a page that is looked at after a kill."""
        return any(endpoint.check_url for endpoint in self.by_name.values())
