"""Looks once a second whether there is cause for alarm: one worker at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from worker import clock
from worker.store import keys
from worker.store.alarms import Pace
from worker.store.live import ALARMS

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.alarm_settings import AlarmSettings
    from worker.alarms.causes import Causes
    from worker.store import Store

log = structlog.get_logger()

INTERVAL = 1.0
"""How often (s)."""
_LEASE_MS = 900
_CHANNELS_MS = 60_000
"""How often channels are forgotten that are not in the settings any longer."""


class AlarmEvaluation:
    """Looks for causes, and tells of them. `channels`: the names of those that get the messages."""

    def __init__(self, store: Store, causes: Causes, settings: AlarmSettings, channels: Collection[str]) -> None:
        self._store = store
        self._causes = causes
        self._channels = tuple(channels)
        self._pace = Pace(
            *(int(span.total_seconds() * 1000) for span in (settings.window, settings.settle, settings.repeat))
        )
        self._tidied = 0

    def look(self) -> None:
        """Look, unless another worker has just done so. Raises redis.RedisError."""
        if self._store.lease(keys.ALARM_EVALUATION).acquire(_LEASE_MS) is not None:
            self.evaluate(clock.ms(clock.agreed()))

    def evaluate(self, now: int) -> int:
        """Take in the causes that there are at `now` (ms); return how many alarms stand. Raises redis.RedisError."""
        rules, causes = self._causes.at(now)
        evaluation = self._store.alarms.evaluate(now, self._pace, self._channels, rules, causes)
        if evaluation.changed:
            self._store.live.append([(ALARMS, {})])
        for message in evaluation.messages:
            log.error(
                "alarm",
                rule=message.rule,
                raised=[alarm["subject"] for alarm in message.raised],
                over=[alarm["subject"] for alarm in message.over],
                raised_count=message.raised_count,
                over_count=message.over_count,
            )
        if not 0 <= now - self._tidied < _CHANNELS_MS:
            self._store.alarms.forget_channels(self._channels)
            self._tidied = now
        return evaluation.standing
