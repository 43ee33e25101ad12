"""The newsroom that a command works on: its services, or its Redis alone, and how a person's events get into it."""

from __future__ import annotations

import atexit
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from worker import clock
from worker.cli.management import redis_url, user_name
from worker.cli.terminal import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.settings import Settings
    from worker.intake.accept import Receipt
    from worker.runtime.services import Services
    from worker.store import Store

_TOLD_BY_COMMANDS = frozenset({"record_away", "record_back"})
"""What a command tells in its own words: who keeps an event alone, or why nobody does."""


def newsroom(config: Path | None, data: Path | None = None, *, address: bool = True) -> Services:
    """Return the services of the newsroom that the options name. Raises SettingsError, and Failed without a Redis.

    `address`: links are those of the stack that runs (`dateline up --port`), where the settings do not say them.
    """
    settings = _settings(config, data)

    from worker.runtime.services import build

    services = build(settings, redis_url(settings))
    # What is left to be noted of accepted events.
    atexit.register(services.close)
    base_url = _follow_clock(services.store)
    return services.rewired(settings.served_at(base_url)) if address and base_url else services


def redis_alone(config: Path | None, data: Path | None) -> tuple[Settings, Store]:
    """Return the settings and the Redis of the newsroom, for what lists. Raises as `newsroom`.

    What runs a newsroom takes as long to import as all else that such a command does.
    """
    settings = _settings(config, data)

    from worker.store import Store
    from worker.store.alerts import Alerts

    store = Store.connect(redis_url(settings))
    atexit.register(store.close)
    alerts = Alerts(store.operations, webhook=settings.operations.url is not None)
    store.damaged_records.alert = partial(alerts.raise_alert, "record.damaged")
    base_url = _follow_clock(store)
    return (settings.served_at(base_url) if base_url else settings), store


def _settings(config: Path | None, data: Path | None) -> Settings:
    """Return the settings; what is logged goes by them."""
    settings = settings_of(config, data)

    from worker.runtime import logs

    logs.configure(settings.log_level, without=_TOLD_BY_COMMANDS)
    return settings


def _follow_clock(store: Store) -> str | None:
    """Go by the clock of Redis; return the address at which the newsroom is served, if it runs."""
    from redis.exceptions import RedisError

    clock.follow(store.clock.now)
    with suppress(RedisError):
        # Whatever is done next says why Redis does not answer.
        store.clock.measure()
        return store.address.get()
    return None


def accept(services: Services, values: Sequence[Any]) -> list[Receipt]:
    """Take events in that a person here has sent. Raises redis.RedisError when nothing could be kept."""
    return services.intake.accept(values, clock.agreed(), way="cli", sender=user_name())
