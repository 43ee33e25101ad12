"""Checks whether a Redis keeps its data: one that drops keys, or writes nothing to disk, loses events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from worker.store.scripts import Client


def dangers(client: Client) -> list[str]:
    """Return what is dangerous about this Redis, each with the setting to change. Raises redis.RedisError.

    A hosted Redis may hide some of its settings; a hidden setting counts as safe.
    """
    problems = []
    policy = client.info("memory").get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        problems.append(f"it drops keys when it is full (maxmemory-policy {policy}): set maxmemory-policy noeviction")
    persistence = client.info("persistence")
    if not persistence.get("aof_enabled") and _snapshots(client) == "":
        problems.append("it keeps nothing on disk (appendonly no): set appendonly yes")
    return problems


def _snapshots(client: Client) -> str | None:
    """When it writes snapshots: its setting `save`; None if we may not see it."""
    try:
        save: str | None = client.config_get("save").get("save")
    except ResponseError:
        return None
    return save
