"""The management that a command works on, and the person at the shell, who may do everything."""

from __future__ import annotations

import getpass
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from worker import clock
from worker.cli.terminal import Failed, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Settings
    from worker.management.callers import Caller
    from worker.management.management import Management


@contextmanager
def management(config: Path | None, data: Path | None) -> Iterator[Management]:
    """Return the management of the newsroom that the options name. Raises SettingsError, and Failed without a Redis."""
    from redis.exceptions import RedisError

    from worker.management.management import Management
    from worker.management.surroundings import Surroundings
    from worker.runtime.record_in_use import record_of
    from worker.store import Store

    settings = settings_of(config, data)
    store, record = Store.connect(redis_url(settings)), record_of(settings)
    clock.follow(store.clock.now)
    with suppress(RedisError):
        # Without Redis everything is changed in the record; processes hear of it later.
        store.clock.measure()
    try:
        yield Management(store, record, Surroundings.of(settings))
    finally:
        store.close()
        record.close()


def at_the_shell() -> Caller:
    """Return whoever has entered this command."""
    from worker.management.callers import shell

    return shell(user_name())


def user_name() -> str:
    """Return what the system calls whoever has entered this command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return str(os.getuid())


def redis_url(settings: Settings) -> str:
    """Where the newsroom's Redis is: as the settings say, else that of the `dateline up` that runs. Raises Failed."""
    if settings.redis_url:
        return settings.redis_url
    from worker.runtime import embedded_redis

    url = embedded_redis.find(settings.data_dir)
    if url is None:
        raise Failed(
            f"no Dateline is running with its data in {settings.data_dir}; start one with `dateline up`, "
            "or set redis_url"
        )
    return url
