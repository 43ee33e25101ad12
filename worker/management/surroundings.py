"""What the settings of a process say that managed endpoints must fit."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from worker.management.sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.endpoint_settings import EndpointSettings
    from config.settings import Settings
    from feeds.format_definition import FormatDefinition


class Surroundings(NamedTuple):
    """The sealer; the names of feeds and patterns of feeds; the endpoints of the settings file, by name.

    `private_feeds`: which partners each of these feeds names. `formats`: the newsroom's own, of the settings file.
    """

    sealer: Sealer
    feed_names: Sequence[str]
    of_the_file: Mapping[str, EndpointSettings]
    private_feeds: Mapping[str, Sequence[str]] = MappingProxyType({})
    formats: Sequence[FormatDefinition] = ()

    @classmethod
    def of(cls, settings: Settings) -> Surroundings:
        """Return what these settings say."""
        return cls(
            Sealer([key.get_secret_value() for key in settings.management.secret_key]),
            tuple(feed.name for feed in settings.feeds),
            {endpoint.name: endpoint for endpoint in settings.endpoints},
            {feed.name: feed.partners for feed in settings.feeds if feed.private},
            settings.formats,
        )
