"""The newsroom that a command works on: its services, and how a person's events get into it."""

from __future__ import annotations

import atexit
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from worker import clock
from worker.cli.management import redis_url, user_name
from worker.cli.terminal import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.intake.accept import Receipt
    from worker.runtime.services import Services

_TOLD_BY_COMMANDS = frozenset({"record_away", "record_back"})
"""What a command tells in its own words: who keeps an event alone, or why nobody does."""


def newsroom(config: Path | None, data: Path | None = None, *, address: bool = True) -> Services:
    """Return the services of the newsroom that the options name. Raises SettingsError, and Failed without a Redis.

    `address`: links are those of the stack that runs (`dateline up --port`), where the settings do not say them.
    """
    from redis.exceptions import RedisError

    from worker.runtime import logs
    from worker.runtime.services import build

    settings = settings_of(config, data)
    logs.configure(settings.log_level, without=_TOLD_BY_COMMANDS)
    services = build(settings, redis_url(settings))
    # What is left to be noted of accepted events.
    atexit.register(services.close)
    clock.follow(services.store.clock.now)
    with suppress(RedisError):
        # Whatever is done next says why Redis does not answer.
        services.store.clock.measure()
        if address and (base_url := services.store.address.get()):
            services = services.rewired(settings.served_at(base_url))
    return services


def accept(services: Services, values: Sequence[Any]) -> list[Receipt]:
    """Take events in that a person here has sent. Raises redis.RedisError when nothing could be kept."""
    return services.intake.accept(values, clock.agreed(), way="cli", sender=user_name())
