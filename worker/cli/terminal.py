"""What every command shares: the options that name the newsroom, the consoles, and the one way to fail."""

from __future__ import annotations

import atexit
import getpass
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from redis.exceptions import RedisError
from rich.console import Console

from config.settings import default_path, load
from worker import clock
from worker.outbound.fetch import FetchedPage, fetch
from worker.outbound.guard import Guard
from worker.runtime import embedded_redis, logs
from worker.runtime.wiring import Services, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings
    from worker.intake.accept import Receipt

# Into a file or a pipe lines are as long as they need to be.
_ENDLESS = 1_000_000
out = Console(width=None if sys.stdout.isatty() else _ENDLESS)
err = Console(stderr=True, width=None if sys.stderr.isatty() else _ENDLESS)

Config = Annotated[
    Path | None,
    typer.Option(help="The settings file; else $DATELINE_CONFIG, ./dateline.toml, or the example newsroom."),
]
Data = Annotated[Path | None, typer.Option(help="Where the embedded Redis and record keep their data.")]

# What would break a line or show it in another order: a document may hold anything.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Failed(Exception):
    """A command can't do what it was asked; the message says why and what to do. Status 2 is for wrong use."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def say_wrong(message: str) -> None:
    """Say what is wrong, in one line."""
    err.print(f"dateline: {message}", style="red", markup=False, highlight=False, soft_wrap=True)


def note(message: str) -> None:
    """Say in one line, aside, what the output alone does not tell."""
    err.print(f"dateline: {message}", markup=False, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """What somebody else wrote, fit for one line."""
    return _UNPRINTABLE.sub(lambda character: ascii(character[0])[1:-1], text)


def utc(ms: int) -> str:
    """A moment (ms) as the tables show it, in UTC."""
    return clock.moment(ms).strftime("%Y-%m-%d %H:%M:%S") if ms else "never"


def newsroom(config: Path | None, data: Path | None = None, *, address: bool = True) -> Services:
    """Return the services of the newsroom that the options name. Raises SettingsError, and Failed without a Redis.

    `address`: links are those of the stack that runs (`dateline up --port`), where the settings do not say them.
    """
    settings = load(config, os.environ | ({"DATELINE_DATA_DIR": str(data)} if data else {}))
    logs.configure(settings.log_level)
    services = build(settings, redis_url(settings))
    # What is left to be noted of accepted events.
    atexit.register(services.commits.stop)
    clock.follow(services.store.clock.now)
    with suppress(RedisError):
        # Whatever is done next says why Redis does not answer.
        services.store.clock.measure()
        if address and (base_url := services.store.address.get()):
            services = services.rewired(settings.served_at(base_url))
    return services


def accept(services: Services, values: Sequence[Any]) -> list[Receipt]:
    """Take events in that a person here has sent. Raises redis.RedisError when nothing could be kept."""
    try:
        person = getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        person = str(os.getuid())
    return services.intake.accept(values, clock.agreed(), way="cli", sender=person)


def alone(receipt: Receipt) -> str:
    """Which of the record and Redis has an event alone, in brackets; empty when both have it."""
    if receipt.kept_by == "redis":
        return "  (kept by Redis alone: the record is away, and gets it later)"
    if receipt.kept_by == "record":
        return "  (kept by the record alone: Redis is away, and gets it later)"
    return ""


def feed_names(settings: Settings) -> str:
    """The names of the feeds and patterns of feeds, for messages."""
    return ", ".join(definition.name for definition in settings.feeds)


def redis_url(settings: Settings) -> str:
    """Where the newsroom's Redis is: as the settings say, else that of the `dateline up` that runs. Raises Failed."""
    if settings.redis_url:
        return settings.redis_url
    url = embedded_redis.find(settings.data_dir)
    if url is None:
        raise Failed(
            f"no Dateline is running with its data in {settings.data_dir}; start one with `dateline up`, "
            "or set redis_url"
        )
    return url


def config_path(config: Path | None) -> Path:
    """The settings file that `load` reads when it is given `config`."""
    return (config or default_path(os.environ)).resolve()


def page(url: str, settings: Settings, *, most: int, accept: str) -> FetchedPage:
    """Return the page at `url`, had as carefully as everything that strangers name. Raises FetchError."""
    delivery = settings.delivery
    return fetch(
        url,
        Guard(delivery.allow_networks),
        timeout=delivery.timeout,
        connect_timeout=delivery.connect_timeout,
        max_bytes=most,
        accept=accept,
    )
