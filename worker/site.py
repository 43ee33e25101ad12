"""The site whose feeds these are: its addresses, its feeds, and what a feed document says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from feeds.archive import Period
from feeds.definition import FeedDefinition
from feeds.entry import Channel, tag_uri
from feeds.formats import TOPICS
from feeds.formats.interface import FeedFormat, Provider
from worker import clock


@dataclass(frozen=True)
class Site:
    """Who publishes, where, and which feeds. `authority` stands in every permanent id (RFC 4151)."""

    base_url: str
    title: str
    authority: str
    edition: str
    definitions: tuple[FeedDefinition, ...]
    logo_url: str = ""
    feeds: dict[str, FeedDefinition] = field(init=False)
    renamed: dict[str, str] = field(init=False)
    _topics: dict[str, tuple[FeedDefinition, FeedFormat]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "feeds", {definition.name: definition for definition in self.definitions})
        renamed = {old: definition.name for definition in self.definitions for old in definition.renamed_from}
        object.__setattr__(self, "renamed", renamed)
        topics = {
            self.topic(definition.name, feed_format.name): (definition, feed_format)
            for definition in self.definitions
            for feed_format in TOPICS
        }
        object.__setattr__(self, "_topics", topics)

    @property
    def provider(self) -> Provider:
        """Who sends the articles, as partners are told."""
        return Provider(self.authority, self.title)

    @property
    def hub_url(self) -> str:
        """Where subscribers ask for pushes (W3C WebSub, section 4)."""
        return f"{self.base_url}/hub"

    def topic(self, feed: str, format_name: str) -> str:
        """The URL of one feed in one format: what readers fetch and subscribers subscribe to."""
        return f"{self.base_url}/feeds/{quote(feed)}.{format_name}"

    def page(self, feed: str) -> str:
        """The URL of the feed's page for people."""
        return f"{self.base_url}/feeds/{quote(feed)}"

    def archive(self, feed: str, format_name: str, period: Period) -> str:
        """The URL of the archive of one feed in one format that covers a period."""
        return f"{self.topic(feed, format_name)}?archive={period.name}"

    def feed(self, name: str) -> FeedDefinition | None:
        """The feed of that name."""
        return self.feeds.get(name)

    def find(self, topic: str) -> tuple[FeedDefinition, FeedFormat] | None:
        """The feed and the format of a topic of the hub, which must be ours to the letter."""
        return self._topics.get(topic)

    def links(self, feed: str, format_name: str) -> str:
        """The value of the Link header of a feed document (section 4.1); only topics of the hub have the link to it.

        `rel` is the only parameter, for SimplePie's sake.
        """
        own = f'<{self.topic(feed, format_name)}>; rel="self"'
        return f'<{self.hub_url}>; rel="hub", {own}' if _offered(format_name) else own

    def channel(self, definition: FeedDefinition, format_name: str, changed: int, **links: str) -> Channel:
        """What the document says of the feed, last changed at `changed` (ms; 0: never).

        `links`: addresses that are not those of the topic, or beside them.
        """
        said: dict[str, Any] = {
            "self_url": self.topic(definition.name, format_name),
            "hub_url": self.hub_url if _offered(format_name) else "",
            **links,
        }
        return Channel(
            id=tag_uri(self.authority, "feed", definition.name),
            title=definition.title,
            description=definition.description or definition.title,
            language=definition.edition or self.edition,
            publisher=self.title,
            home_url=definition.url or self.page(definition.name),
            updated=clock.moment(changed),
            logo_url=self.logo_url,
            **said,
        )


def _offered(format_name: str) -> bool:
    return any(feed_format.name == format_name for feed_format in TOPICS)
