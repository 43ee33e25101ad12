"""The table `websub_ping` of an endpoint: of which topics a hub of somebody else hears."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from config.destination_settings import DestinationSettings
from feeds.article_values import Url


class WebSubPingSettings(DestinationSettings):
    """A hub of somebody else, which fetches a feed when it hears of a change. The endpoint's `url` is the hub's."""

    schemes: ClassVar[tuple[str, ...]] = ("https", "http")
    uses: ClassVar[frozenset[str]] = frozenset({"tls"})
    modes: ClassVar[tuple[str, ...]] = ("feed",)

    topics: Annotated[tuple[Url, ...], Field(min_length=1, max_length=20)]
    """The addresses of the feed, as the hub's subscribers know them."""

    @property
    def rate(self) -> float:
        """One ping a second is for all that has changed until then."""
        return 1.0
