"""Before anything runs on a Redis of somebody's own: whether it keeps what is written to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import structlog
import typer
from redis.exceptions import RedisError

from worker.cli.terminal import Failed
from worker.runtime.listen_address import loopback
from worker.store.durability import dangers
from worker.store.redis_errors import sentence

if TYPE_CHECKING:
    from worker.store.scripts import Client

log = structlog.get_logger()

UnsafeRedis = Annotated[
    bool,
    typer.Option("--unsafe-redis", help="For trials: run on a Redis that drops keys or keeps nothing on disk, too."),
]


def see_that_it_keeps(client: Client, *, unsafe: bool, needed: bool = False) -> None:
    """See that the Redis loses nothing. Raises Failed if it may, and it is not `unsafe` to be used nevertheless.

    Raises redis.RedisError when that can't be seen, if the Redis is `needed` at once; else it is logged.
    """
    try:
        reasons = dangers(client)
    except RedisError as error:
        if needed:
            raise
        log.warning("redis_unchecked", reason=sentence(error))
        return
    if not reasons:
        return
    reason = "; ".join(reasons)
    if not unsafe:
        raise Failed(f"this Redis would lose events: {reason}. For a trial: --unsafe-redis")
    log.warning("redis_unsafe", reason=reason, next_step="change it before a newsroom depends on it")


def trial(base_url: str) -> bool:
    """Whether the site is on this machine alone: nobody depends on it."""
    return loopback(urlsplit(base_url).hostname or "")
