"""The publication whose feeds these are: its addresses, its feeds, and what a feed document says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import quote, unquote

from feeds import patterns
from feeds.archive import Period
from feeds.definition import FeedDefinition
from feeds.entry import Channel, start_of_authority, tag_uri
from feeds.formats import FEED_FORMATS, READERS, TOPICS
from feeds.formats.interface import FeedFormat, Provider
from feeds.machine_rights import NOTHING_STATED, MachineRights
from worker import clock

CLOUD_PATH = "/cloud/pleaseNotify"
"""Where readers register by rssCloud, below the address of the site."""
_NAME_MOST = 200
"""The longest name of a feed, in characters: of a pattern 100 and of a value 80. Strangers ask for longer ones."""
_quoted = lru_cache(maxsize=4096)(quote)
"""The same names are in every document."""


@dataclass(frozen=True)
class Publication:
    """Who publishes, where, and which feeds. `authority` stands in every permanent id (RFC 4151)."""

    base_url: str
    title: str
    authority: str
    edition: str
    configured: tuple[FeedDefinition, ...]
    """The feeds and the patterns of feeds."""
    logo_url: str = ""
    partner_formats: tuple[str, ...] = ()
    """The partners' formats that partners fetch from us by themselves."""
    machines: MachineRights = NOTHING_STATED
    """What programs may do with the articles of feeds that do not say it themselves."""
    rsscloud: bool = False
    """Whether readers may register by rssCloud to be notified."""

    @cached_property
    def definitions(self) -> tuple[FeedDefinition, ...]:
        """The feeds that are configured one by one."""
        return tuple(definition for definition in self.configured if definition.by is None)

    @cached_property
    def public(self) -> tuple[FeedDefinition, ...]:
        """Those of them that everybody may know of."""
        return tuple(definition for definition in self.definitions if not definition.private)

    @cached_property
    def public_patterns(self) -> tuple[FeedDefinition, ...]:
        """The patterns of feeds that everybody may know of."""
        return tuple(pattern for pattern in self.patterns.values() if not pattern.private)

    @cached_property
    def patterns(self) -> dict[str, FeedDefinition]:
        """The patterns of feeds, by name."""
        return {definition.name: definition for definition in self.configured if definition.by is not None}

    @cached_property
    def _feeds(self) -> dict[str, FeedDefinition]:
        return {definition.name: definition for definition in self.definitions}

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Names that feeds had before, and their names now."""
        return {old: definition.name for definition in self.definitions for old in definition.renamed_from}

    def feed(self, name: str, written: str = "") -> FeedDefinition | None:
        """Return the feed of that name, or None.

        One of a pattern need not have been made yet; `written` is the value that its title shows.
        """
        if len(name) > _NAME_MOST:
            return None
        return self._feeds.get(name) or self._of_pattern(name, written)

    def window_of(self, name: str) -> int:
        """How many articles the documents of a feed show; 0 when there is no such feed."""
        definition = self.feed(name)
        return definition.limit if definition is not None else 0

    @cached_property
    def _of_pattern(self) -> Callable[[str, str], FeedDefinition | None]:
        """Makes the feed of a pattern; the last ones are remembered."""

        @lru_cache(maxsize=16_384)
        def of_pattern(name: str, written: str) -> FeedDefinition | None:
            pattern = self.patterns.get(patterns.pattern_of(name))
            return patterns.feed(pattern, name.rpartition("/")[2], written) if pattern else None

        return of_pattern

    def named(self, names: Iterable[str]) -> list[FeedDefinition]:
        """Return the feeds of these names, of those that are ours."""
        return [definition for name in names if (definition := self.feed(name)) is not None]

    @property
    def provider(self) -> Provider:
        """Who sends the articles, as partners read it."""
        machines_of = tuple((feed.name, feed.machines) for feed in self.configured if feed.machines)
        says_something = bool(self.machines.permits or self.machines.prohibits)
        return Provider(self.authority, self.title, self.machines if says_something else None, machines_of)

    def machines_of(self, definition: FeedDefinition) -> MachineRights | None:
        """Return what programs may do with the articles of a feed; None: nothing is stated."""
        machines = definition.machines or self.machines
        return machines if machines.permits or machines.prohibits else None

    @property
    def hub_url(self) -> str:
        """Where subscribers ask for pushes (W3C WebSub, section 4)."""
        return f"{self.base_url}/hub"

    def fetched(self, feed_format: FeedFormat) -> bool:
        """Whether somebody fetches the feeds here in a format: readers, or a partner by agreement."""
        return feed_format in READERS or feed_format.name in self.partner_formats

    def topic(self, feed: str, format_name: str) -> str:
        """The URL of one feed in one format: what readers fetch and subscribers subscribe to."""
        return f"{self.base_url}/feeds/{_quoted(feed)}.{format_name}"

    def page(self, feed: str) -> str:
        """The URL of the feed's page for people."""
        return f"{self.base_url}/feeds/{_quoted(feed)}"

    def archive(self, feed: str, format_name: str, period: Period) -> str:
        """The URL of the archive of one feed in one format that covers a period."""
        return f"{self.topic(feed, format_name)}?archive={period.name}"

    def find(self, topic: str) -> tuple[FeedDefinition, FeedFormat] | None:
        """The feed and the format of a topic of the hub, which must be one of our URLs verbatim."""
        name, _, format_name = topic.removeprefix(f"{self.base_url}/feeds/").rpartition(".")
        definition, feed_format = self.feed(unquote(name)), FEED_FORMATS.get(format_name)
        if definition is None or feed_format not in TOPICS or topic != self.topic(definition.name, format_name):
            return None
        return definition, feed_format

    def links(self, feed: str, format_name: str) -> str:
        """The value of the Link header of a feed document (section 4.1); only topics of the hub have the link to it.

        `rel` is the only parameter, for SimplePie's sake. No hub pushes a private feed.
        """
        definition = self.feed(feed)
        own = f'<{self.topic(feed, format_name)}>; rel="self"'
        hubs = (self.hub_url, *(definition.hubs if definition else ())) if _offered(format_name, definition) else ()
        return ", ".join((*(f'<{hub}>; rel="hub"' for hub in hubs), own))

    def channel(
        self,
        definition: FeedDefinition,
        format_name: str,
        changed: int,
        machines: MachineRights | None = None,
        **links: str,
    ) -> Channel:
        """What the document says of the feed, last changed at `changed` (ms; 0: never, it is as old as its id).

        `machines`: what a contract says, in place of the feed. `links`: addresses that are not those of the topic, or
        beside them.
        """
        addresses: dict[str, Any] = {
            "self_url": self.topic(definition.name, format_name),
            "hub_url": self.hub_url if _offered(format_name, definition) else "",
            **links,
        }
        if self.rsscloud and addresses["hub_url"]:
            addresses["cloud_url"] = f"{self.base_url}{CLOUD_PATH}"
        return Channel(
            id=tag_uri(self.authority, "feed", definition.name),
            title=definition.title,
            description=definition.description or definition.title,
            language=definition.edition or self.edition,
            publisher=self.title,
            home_url=definition.url or self.page(definition.name),
            updated=clock.moment(changed) if changed else start_of_authority(self.authority),
            logo_url=self.logo_url,
            machines=machines or self.machines_of(definition),
            other_hubs=definition.hubs,
            **addresses,
        )


def _offered(format_name: str, definition: FeedDefinition | None) -> bool:
    is_private = definition is not None and definition.private
    return not is_private and any(feed_format.name == format_name for feed_format in TOPICS)
