"""What a key that is bound to feeds or partners sees: anything else is not there for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.management.callers import Caller


def unbound(caller: Caller) -> bool:
    """Whether a caller sees everything."""
    bounds = caller.bounds
    return bounds.feeds is None and bounds.partners is None and bounds.adapters is None


def sees_any(caller: Caller, feeds: Iterable[str]) -> bool:
    """Whether a caller sees what is in these feeds."""
    return unbound(caller) or any(caller.sees(feed=feed, partner=None) for feed in feeds)
