"""Which feeds a caller reaches: all, those that its bounds name, or those of the partners that it is bound to.

Of a partner are the feeds that its endpoints get, and private feeds that name it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feeds.patterns import pattern_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from worker.management.callers import Caller
    from worker.management.endpoints_in_use import EndpointsInUse


@dataclass(frozen=True, slots=True)
class Reach:
    """The feeds of one caller. `of_partners`: those of its partners; None: it is bound to none."""

    caller: Caller
    of_partners: frozenset[str] | None

    @property
    def is_bound(self) -> bool:
        """Whether there may be feeds beyond it."""
        return self.of_partners is not None or self.caller.bounds.feeds is not None

    def has(self, feed: str) -> bool:
        """Whether the caller reaches a feed."""
        if not self.caller.sees(feed=feed):
            return False
        return self.of_partners is None or not self.of_partners.isdisjoint((feed, pattern_of(feed)))

    def any_of(self, feeds: Collection[str]) -> bool:
        """Whether the caller reaches what is in these feeds; one that is not bound reaches what is in none, too."""
        return not self.is_bound or any(map(self.has, feeds))


def reach_of(caller: Caller, endpoints: EndpointsInUse, private_feeds: Mapping[str, Collection[str]]) -> Reach:
    """Return the reach of a caller. `private_feeds`: the names of partners that each names."""
    names = caller.bounds.partners
    if names is None:
        return Reach(caller, None)
    of_endpoints = {
        endpoints.settings[name].feed
        for name, partner in endpoints.managed.items()
        if partner in names and name in endpoints.settings
    }
    shared = {feed for feed, partners in private_feeds.items() if not set(names).isdisjoint(partners)}
    return Reach(caller, frozenset(of_endpoints | shared))
