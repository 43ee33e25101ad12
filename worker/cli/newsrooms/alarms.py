"""Alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.cli.management import at_the_shell, management, redis_url
from worker.cli.newsrooms.api import api_of
from worker.cli.terminal import Failed, settings_of

if TYPE_CHECKING:
    from pathlib import Path


def overview(config: Path | None, data: Path | None) -> dict[str, Any]:
    """Return the alarms that stand, and how the channels do. Raises Failed."""
    if api := api_of(config, data):
        answer: dict[str, Any] = api.get("alarms")
        return answer
    from worker.alarms.orders import AlarmOrders
    from worker.store import Store

    with management(config, data) as newsroom:
        store = Store.connect(redis_url(settings_of(config, data)))
        try:
            return AlarmOrders(store, newsroom.audit).overview(at_the_shell())
        finally:
            store.close()


def mark(config: Path | None, data: Path | None, target: str, minutes: int | None) -> list[str]:
    """Acknowledge an alarm or all of a rule, or snooze it for so many minutes; return the subjects. Raises Failed."""
    if api := api_of(config, data):
        if minutes is None:
            answer = api.post("alarms", target, "acknowledge")
        else:
            answer = api.post("alarms", target, "snooze", value={"minutes": minutes})
        return list(answer["subjects"])
    from worker.alarms.orders import AlarmOrders
    from worker.management.changes import NotFound
    from worker.store import Store

    with management(config, data) as newsroom:
        store = Store.connect(redis_url(settings_of(config, data)))
        orders = AlarmOrders(store, newsroom.audit)
        try:
            if minutes is None:
                return orders.acknowledge(at_the_shell(), target)
            return orders.snooze(at_the_shell(), target, minutes)
        except NotFound as error:
            raise Failed(str(error)) from None
        finally:
            store.close()
