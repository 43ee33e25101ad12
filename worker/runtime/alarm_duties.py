"""What a worker process runs of alarms: it looks for causes, and sends the messages, a duty for each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.alarm_settings import OPERATIONS
from worker.alarms import channels, evaluation
from worker.alarms.causes import Causes
from worker.alarms.channels import AlarmChannel, AppriseSender, OperationsForwarder
from worker.alarms.evaluation import AlarmEvaluation
from worker.runtime.duty import Duty
from worker.takedown.running_kills import RunningKills

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.runtime.services import Services


def alarm_duties(services: Services) -> list[Duty]:
    """Return the duties, by the settings of the services."""
    store, settings = services.store, services.settings
    to = list(_channels(services))
    kills = RunningKills(store, services.record, services.articles, services.publication)
    causes = Causes(store, services.record, kills, services.management.endpoints_in_use, settings.alarms)
    look = AlarmEvaluation(store, causes, settings.alarms, [channel.name for channel in to]).look
    return [
        Duty("alarms", look, evaluation.INTERVAL),
        *(Duty(f"alarms to {channel.name}", channel.work, channels.INTERVAL) for channel in to),
    ]


def _channels(services: Services) -> Iterator[AlarmChannel]:
    settings, store = services.settings, services.store
    if settings.operations.url is not None:
        yield AlarmChannel(store, OPERATIONS, OperationsForwarder(store))
    newsroom, address = settings.site.title, settings.site.base_url
    for name, url in settings.alarms.channels.items():
        sender = AppriseSender(url.get_secret_value(), newsroom, address, settings.delivery.allow_networks)
        yield AlarmChannel(store, name, sender)
