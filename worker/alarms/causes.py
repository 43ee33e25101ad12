"""Which causes for alarm there are now. Reads only, and nothing that grows with the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from feeds.counted import counted
from feeds.moments import iso
from worker.alarms.certificates import Certificates
from worker.alarms.endpoint_causes import FAILING, LAG, EndpointCauses
from worker.record.availability import RecordAway
from worker.store.alarms import Cause

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from config.alarm_settings import AlarmSettings
    from worker.management.endpoints_in_use import EndpointsInUse
    from worker.record import Record
    from worker.store import Store
    from worker.takedown.running_kills import RunningKills

log = structlog.get_logger()

_KILLS_MS = 5_000
"""How often it is looked for kills that are not proven: that asks the record."""
_SLOW_MS = 60_000
"""How often it is looked for what ends: certificates and leases."""
_FEEDS = 500
"""Of how many feeds leases are asked in one round trip."""


class Causes:
    """Finds them. `endpoints`: those that there are now."""

    def __init__(
        self,
        store: Store,
        record: Record,
        kills: RunningKills,
        endpoints: Callable[[], EndpointsInUse],
        settings: AlarmSettings,
    ) -> None:
        self._store = store
        self._record = record
        self._running = kills
        self._endpoints = endpoints
        self._settings = settings
        self._certificates = Certificates()
        self._endpoint_causes = EndpointCauses(store)
        self._looked_at: dict[str, int] = {}
        self._former: dict[str, list[Cause]] = {}

    def at(self, now: int) -> tuple[list[str], list[Cause]]:
        """Return the rules that could be looked at, at `now` (ms), and what breaks them. Raises redis.RedisError."""
        rules: list[str] = []
        causes: list[Cause] = []
        for of_rules, find, every in (
            ((FAILING, LAG), self._of_endpoints, 0),
            (("events_waiting",), self._events, 0),
            (("worker_lost",), self._workers, 0),
            (("record_away",), self._record_away, 0),
            (("channel_failing",), self._channels, 0),
            (("kill_unproven",), self._kills, _KILLS_MS),
            (("certificate_ending",), self._certificates_ending, _SLOW_MS),
            (("lease_ending",), self._leases, _SLOW_MS),
        ):
            name = of_rules[0]
            if name not in self._former or not every or not 0 <= now - self._looked_at[name] < every:
                try:
                    self._former[name] = find(now)
                    self._looked_at[name] = now
                except RecordAway:
                    self._former.pop(name, None)
                    continue
                except RedisError:
                    raise
                except Exception as error:
                    # One rule that can't be looked at keeps nobody from hearing of the others.
                    log.error("alarm_rule_failed", rule=name, next_step="it is looked at again", exc_info=error)
                    self._former.pop(name, None)
                    continue
            rules.extend(of_rules)
            causes.extend(self._former[name])
        return rules, causes

    def _of_endpoints(self, now: int) -> list[Cause]:
        endpoints = self._endpoints().settings.values()
        failing, lag = _ms(self._settings.endpoint_failing), _ms(self._settings.endpoint_lag)
        return self._endpoint_causes.at(endpoints, now, failing, lag)

    def _events(self, now: int) -> list[Cause]:
        limit, since = _ms(self._settings.events_waiting), self._store.events.waiting_since()
        if not limit or not since or now - since < limit:
            return []
        return [Cause("events_waiting", "events", "accepted events are not carried out")]

    def _workers(self, now: int) -> list[Cause]:
        if not (limit := _ms(self._settings.worker_lost)):
            return []
        vanished = self._store.workers.vanished(now)
        return [
            Cause("worker_lost", name, f"it was heard of last at {iso(last)}")
            for name, last in vanished.items()
            if now - last >= limit
        ] + [Cause("worker_lost", *loss.partition(": ")[::2]) for loss in self._store.workers.lost_workers(now)]

    def _record_away(self, now: int) -> list[Cause]:
        limit, absence = _ms(self._settings.record_away), self._record.availability.absence
        if not limit or absence is None or now - absence.since < limit:
            return []
        return [Cause("record_away", "record", absence.reason)]

    def _channels(self, now: int) -> list[Cause]:
        limit = _ms(self._settings.channel_failing)
        return [
            Cause("channel_failing", name, f"it takes no alarms since {iso(state.failing)}: {state.error}")
            for name, state in self._store.alarms.channels().items()
            if limit and state.failing and now - state.failing >= limit
        ]

    def _kills(self, now: int) -> list[Cause]:
        if not (limit := _ms(self._settings.kill_unproven)):
            return []
        return [
            Cause(
                "kill_unproven",
                kill.article.article_id,
                f"not confirmed by {len(kill.report.unconfirmed)} of "
                f"{counted(len(kill.report.rows), 'receiver', 'receivers')}",
            )
            for kill in self._running.at(now)
            if kill.report.accepted and now - kill.report.accepted >= limit
        ]

    def _certificates_ending(self, now: int) -> list[Cause]:
        limit = _ms(self._settings.certificate_ending)
        return self._certificates.ending(self._endpoints().settings.values(), now, limit) if limit else []

    def _leases(self, now: int) -> list[Cause]:
        if not (limit := _ms(self._settings.lease_ending)):
            return []
        feeds = self._store.receivers.feeds()
        causes = []
        for start in range(0, len(feeds), _FEEDS):
            ending = self._store.receivers.leases_ending(feeds[start : start + _FEEDS], now, now + limit)
            causes += [
                Cause(
                    "lease_ending",
                    feed,
                    counted(
                        count,
                        "subscription ends soon and was not renewed",
                        "subscriptions end soon and were not renewed",
                    ),
                )
                for feed, count in ending.items()
            ]
        return causes


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
