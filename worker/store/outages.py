"""How much longer the leases of subscriptions last because Dateline was away and could not renew them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from worker.store import keys

if TYPE_CHECKING:
    from worker.store.scripts import Client, Scripts

_OUTAGE_MS = 10_000
"""Receivers are swept every second; a pause as long as this was an outage."""


class LeaseExtension(NamedTuple):
    """By how much (ms) leases last longer at the moment, and the outage (ms) that has just ended, 0: none."""

    longer: int
    outage: int


class Outages:
    """How long Dateline was away, and what that adds to the leases of all feeds."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def grace(self, now: int) -> LeaseExtension:
        """Note that receivers are swept at `now` (ms), and return what earlier outages add to leases."""
        return LeaseExtension(*self._scripts.run("outages/grace", [keys.GRACE], [now, _OUTAGE_MS]))
