"""The site whose feeds these are: its addresses, its feeds, and what a feed document says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote

from feeds import patterns
from feeds.definition import FeedDefinition
from feeds.entry import Channel, tag_uri
from feeds.formats import FEED_FORMATS
from feeds.formats.interface import FeedFormat, Provider
from worker import clock


@dataclass(frozen=True)
class Site:
    """Who publishes, where, and which feeds. `authority` stands in every permanent id (RFC 4151)."""

    base_url: str
    title: str
    authority: str
    edition: str
    configured: tuple[FeedDefinition, ...]
    """The feeds and the patterns of feeds."""
    logo_url: str = ""

    @cached_property
    def definitions(self) -> tuple[FeedDefinition, ...]:
        """The feeds that are configured one by one."""
        return tuple(definition for definition in self.configured if definition.by is None)

    @cached_property
    def patterns(self) -> dict[str, FeedDefinition]:
        """The patterns of feeds, by name."""
        return {definition.name: definition for definition in self.configured if definition.by is not None}

    @cached_property
    def _feeds(self) -> dict[str, FeedDefinition]:
        return {definition.name: definition for definition in self.definitions}

    def feed(self, name: str, written: str = "") -> FeedDefinition | None:
        """Return the feed of that name, or None.

        One of a pattern need not have been made as yet; `written` is the value that its title shows.
        """
        if name in self._feeds:
            return self._feeds[name]
        pattern = self.patterns.get(patterns.pattern_of(name))
        return patterns.made(pattern, name.rpartition("/")[2], written) if pattern else None

    def named(self, names: Iterable[str]) -> list[FeedDefinition]:
        """Return the feeds of these names, of those that are ours."""
        return [definition for name in names if (definition := self.feed(name)) is not None]

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

    def find(self, topic: str) -> tuple[FeedDefinition, FeedFormat] | None:
        """The feed and the format of a topic, which must be ours to the letter."""
        name, _, format_name = topic.removeprefix(f"{self.base_url}/feeds/").rpartition(".")
        definition, feed_format = self.feed(unquote(name)), FEED_FORMATS.get(format_name)
        if definition is None or feed_format is None or topic != self.topic(definition.name, format_name):
            return None
        return definition, feed_format

    def links(self, feed: str, format_name: str) -> str:
        """The value of the Link header of a topic (section 4.1). `rel` is the only parameter, for SimplePie's sake."""
        return f'<{self.hub_url}>; rel="hub", <{self.topic(feed, format_name)}>; rel="self"'

    def channel(self, definition: FeedDefinition, format_name: str, changed: int) -> Channel:
        """What the document says of the feed, last changed at `changed` (ms; 0: never)."""
        return Channel(
            id=tag_uri(self.authority, "feed", definition.name),
            title=definition.title,
            description=definition.description or definition.title,
            language=definition.edition or self.edition,
            publisher=self.title,
            home_url=definition.url or f"{self.base_url}/feeds",
            self_url=self.topic(definition.name, format_name),
            hub_url=self.hub_url,
            updated=clock.moment(changed),
            logo_url=self.logo_url,
        )
